# Copyright (c) 2026, virtnet.rss contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Once for a batch of virtnet.rss.rollout, on the controller: put the hosts' answers together, tell, and decide."""

from __future__ import annotations

import time
import typing as t

from ansible import context
from ansible.plugins.action import ActionBase
from ansible.utils.display import Display

from ansible_collections.virtnet.rss.plugins.plugin_utils._batch import (
    after_begin,
    after_judge,
    judged_blindly,
    outcomes,
    progress,
    progress_line,
    undone,
)
from ansible_collections.virtnet.rss.plugins.plugin_utils._page import report_files, write_files
from ansible_collections.virtnet.rss.plugins.plugin_utils._summary import before_and_after, summary
from ansible_collections.virtnet.rss.plugins.plugin_utils._time_left import Pace

# In which the playbook registers what this gives after the look and after the verdict. No facts: whether these become
# variables is for ansible.cfg to say, and a cache may keep them for the next rollout.
PLANNED, COMPARED = "rollout_planned", "rollout_compared"
BLIND = (
    "no guest of this batch had enough packets to be judged by, so nobody knows what the change did to guests; "
    "begin a rollout with a host whose guests work"
)


class ActionModule(ActionBase):
    """The action of this file, for a task with ``run_once``: then its facts and its failure are for the whole batch."""

    _VALID_ARGS = frozenset(("after", "report", "serial", "waits"))

    def run(self, tmp: t.Any = None, task_vars: dict[str, t.Any] | None = None) -> dict[str, t.Any]:
        """Dispatch by what has just been done."""
        result: dict[str, t.Any] = super().run(tmp, task_vars)
        variables = task_vars or {}
        work = {"begin": self._begin, "judge": self._judge, "back": self._back}.get(self._task.args.get("after", ""))
        if work is None:
            return {**result, "failed": True, "msg": "after: it is begin, judge or back"}
        try:
            return {**result, **work(variables["ansible_play_batch"], variables["hostvars"], variables)}
        except OSError as exc:
            return {**result, "failed": True, "msg": f"report: {exc.filename} cannot be written: {exc.strerror}"}

    def _begin(self, hosts: list[str], answers: t.Any, variables: t.Mapping[str, t.Any]) -> dict[str, t.Any]:
        batch = after_begin(hosts, answers)
        _tell(batch.notes)
        now = time.time()
        if batch.worse:
            self._end(variables, answers)
            return {"failed": True, "msg": f"Nothing was changed in this batch: {batch.why}"}
        if not batch.concerned:
            self._batch_is_over(hosts, answers, variables)
        return {"id": f"{now:.6f}", "concerned": list(batch.concerned), "planned_at": now}

    def _judge(self, hosts: list[str], answers: t.Any, variables: t.Mapping[str, t.Any]) -> dict[str, t.Any]:
        batch = after_judge(variables[PLANNED]["concerned"], answers, check=self._task.check_mode)
        _tell(batch.notes)
        if judged_blindly(hosts, answers):
            Display().warning(BLIND)
        self._batch_is_over(hosts, answers, variables, worse=len(batch.worse))
        return {"worse": list(batch.worse), "why": batch.why}

    def _back(self, hosts: list[str], answers: t.Any, variables: t.Mapping[str, t.Any]) -> dict[str, t.Any]:
        found = outcomes(variables[PLANNED]["concerned"], answers)
        _tell(f"{host}: {outcome}" for host, outcome in found.items())
        self._end(variables, answers)
        return {"failed": True, "msg": f"{undone(found)}, for the batch is worse off: {variables[COMPARED]['why']}"}

    def _batch_is_over(
        self, hosts: list[str], answers: t.Any, variables: t.Mapping[str, t.Any], worse: int = 0
    ) -> None:
        now = progress(variables["ansible_play_hosts_all"], answers, _seconds(variables, answers))
        pace = Pace(
            self._task.args.get("serial", [1]), float(self._task.args.get("waits", 0)), context.CLIARGS["forks"]
        )
        _tell([progress_line(now, batch=len(hosts), worse=worse, pace=pace)])
        if now.done == now.total and not worse:
            self._end(variables, answers)

    def _end(self, variables: t.Mapping[str, t.Any], answers: t.Any) -> None:
        """Of the rollout, for good or bad: what it came to."""
        hosts, check = variables["ansible_play_hosts_all"], self._task.check_mode
        _tell(summary(hosts, answers, seconds=_seconds(variables, answers), check=check))
        name = self._task.args.get("report")
        if not name or check:
            return
        for when, report in zip(("before", "after"), before_and_after(hosts, answers), strict=True):
            write_files(f"{name}-{when}", report_files(report, f"What steered the guests {when} the rollout"))
        _tell([f"Before and after: {name}-before.html, {name}-after.html"])


def _tell(lines: t.Iterable[str]) -> None:
    for line in lines:
        Display().display("".join(letter if letter.isprintable() else "?" for letter in line))


def _seconds(variables: t.Mapping[str, t.Any], answers: t.Any) -> float:
    """Since the first batch was planned. Facts of a task with ``run_once`` are those of its batch's hosts alone."""
    now = time.time()
    planned = (answers[host].get(PLANNED) for host in variables["ansible_play_hosts_all"])
    return now - min((each["planned_at"] for each in planned if each), default=now)
