# Copyright (c) 2026, virtnet.rss contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Once for a batch of virtnet.rss.rollout, on the controller: put the hosts' answers together, tell, and decide."""

from __future__ import annotations

import time
import typing as t

from ansible.plugins.action import ActionBase
from ansible.utils.display import Display

from ansible_collections.virtnet.rss.plugins.plugin_utils._batch import (
    Progress,
    after_begin,
    after_judge,
    judged_blindly,
    outcomes,
    progress,
    progress_line,
    undone,
)

STARTED = "rollout_started"
BLIND = (
    "no guest of this batch had enough packets to be judged by, so nobody knows what the change did to guests; "
    "begin a rollout with a host whose guests work"
)


class ActionModule(ActionBase):
    """The action of this file, for a task with ``run_once``: then its facts and its failure are for the whole batch."""

    _VALID_ARGS = frozenset(("after",))

    def run(self, tmp: t.Any = None, task_vars: dict[str, t.Any] | None = None) -> dict[str, t.Any]:
        """Dispatch by what has just been done."""
        result: dict[str, t.Any] = super().run(tmp, task_vars)
        variables = task_vars or {}
        work = {"begin": self._begin, "judge": self._judge, "back": self._back}.get(self._task.args.get("after", ""))
        if work is None:
            return {**result, "failed": True, "msg": "after: it is begin, judge or back"}
        return {**result, **work(variables["ansible_play_batch"], variables["hostvars"], variables)}

    def _begin(self, hosts: list[str], answers: t.Any, variables: t.Mapping[str, t.Any]) -> dict[str, t.Any]:
        batch = after_begin(hosts, answers)
        _tell(batch.notes)
        if batch.worse:
            return {"failed": True, "msg": f"Nothing was changed in this batch: {batch.why}"}
        now = time.time()
        facts = {"rollout_id": f"{now:.6f}", STARTED: variables.get(STARTED, now)}
        if not batch.concerned:
            _tell([progress_line(_progress({**variables, **facts}, answers), batch=len(hosts), worse=0)])
        return {"ansible_facts": {**facts, "rollout_concerned": list(batch.concerned)}}

    def _judge(self, hosts: list[str], answers: t.Any, variables: t.Mapping[str, t.Any]) -> dict[str, t.Any]:
        batch = after_judge(variables["rollout_concerned"], answers, check=self._task.check_mode)
        _tell(batch.notes)
        if judged_blindly(hosts, answers):
            Display().warning(BLIND)
        _tell([progress_line(_progress(variables, answers), batch=len(hosts), worse=len(batch.worse))])
        return {"ansible_facts": {"rollout_worse": list(batch.worse), "rollout_why": batch.why}}

    def _back(self, hosts: list[str], answers: t.Any, variables: t.Mapping[str, t.Any]) -> dict[str, t.Any]:
        found = outcomes(variables["rollout_concerned"], answers)
        _tell(f"{host}: {outcome}" for host, outcome in found.items())
        return {"failed": True, "msg": f"{undone(found)}, for the batch is worse off: {variables['rollout_why']}"}


def _tell(lines: t.Iterable[str]) -> None:
    for line in lines:
        Display().display("".join(letter if letter.isprintable() else "?" for letter in line))


def _progress(variables: t.Mapping[str, t.Any], answers: t.Any) -> Progress:
    return progress(variables["ansible_play_hosts_all"], answers, time.time() - float(variables[STARTED]))
