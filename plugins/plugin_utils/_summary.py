# Copyright (c) 2026, virtnet.rss contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to the collection: what a whole rollout came to: a few lines, and the two fleet reports from before and after
# it. Runs on the controller; pure.

from __future__ import annotations

import typing as t

from ansible_collections.virtnet.rss.plugins.plugin_utils._batch import Answers, duration, few, is_unable
from ansible_collections.virtnet.rss.plugins.plugin_utils._fleet import Report, fleet_report

__all__ = ("before_and_after", "summary")

CHANGED, CHECKED, AS_WANTED = "changed, no guest worse off", "would be changed", "as wanted before"
BACK, NOT_BACK, UNCHANGED = "rolled back", "NOT rolled back", "not changed, in a batch that was rolled back"
UNSEEN, NOT_REACHED = "could not be looked at", "not reached"
KINDS = (CHANGED, CHECKED, AS_WANTED, BACK, UNCHANGED, NOT_BACK, UNSEEN, NOT_REACHED)
NAMED = (NOT_BACK, UNSEEN)


def summary(hosts: t.Sequence[str], answers: Answers, *, seconds: float, check: bool) -> list[str]:
    """It fits a screen whatever the fleet is: each kind of end is a line, and names are told where something is to be
    done."""
    ends: dict[str, list[str]] = {kind: [] for kind in KINDS}
    for host in hosts:
        ends[_end(answers.get(host, {}), check)].append(host)
    unable = [host for host in hosts if is_unable(answers, host)]
    lines = [f"{len(hosts)} hosts in {duration(seconds)}:"]
    for kind, names in ends.items():
        lines += [_line(kind, names, kind in NAMED)] if names else []
    return lines + ([_line("cannot steer", unable, True)] if unable else [])


def before_and_after(hosts: t.Sequence[str], answers: Answers) -> tuple[Report, Report]:
    """Of the hosts that were looked at; nothing that a host did not answer is made up."""
    before: dict[str, dict[str, t.Any]] = {}
    after: dict[str, dict[str, t.Any]] = {}
    for host in hosts:
        steps = [answers.get(host, {}).get(f"rollout_{step}") or {} for step in ("begin", "judge", "back")]
        if steps[0]:
            before[host] = {"audit_host": _report(steps[0])}
            after[host] = {"audit_host": next(filter(None, map(_report, reversed(steps))))}
    return fleet_report(list(before), before), fleet_report(list(after), after)


def _report(answer: t.Mapping[str, t.Any]) -> t.Any:
    """A host that failed or was lost is told as such."""
    return answer if answer.get("failed") or answer.get("unreachable") else answer.get("report")


def _end(answer: t.Mapping[str, t.Any], check: bool) -> str:
    begin, change, back = (answer.get(f"rollout_{step}") or {} for step in ("begin", "change", "back"))
    if not begin:
        return NOT_REACHED
    if begin.get("failed") or begin.get("unreachable"):
        return UNSEEN
    if back and not back.get("skipped"):
        lost = back.get("failed") or back.get("unreachable")
        return NOT_BACK if lost else BACK if back.get("undone") else UNCHANGED
    if change.get("changed"):
        return CHECKED if check else CHANGED
    return AS_WANTED


def _line(kind: str, hosts: t.Sequence[str], named: bool) -> str:
    return f"{len(hosts):6} {kind}" + (f": {few(hosts)}" if named else "")
