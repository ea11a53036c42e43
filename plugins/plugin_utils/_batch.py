# Copyright (c) 2026, virtnet.rss contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to the collection: what the hosts of a rollout's batch answered, as one line and one verdict. Runs on the
# controller; pure.

from __future__ import annotations

import typing as t
from dataclasses import dataclass

if t.TYPE_CHECKING:
    from ansible_collections.virtnet.rss.plugins.plugin_utils._time_left import Pace

__all__ = (
    "Answers",
    "Batch",
    "Progress",
    "after_begin",
    "after_judge",
    "duration",
    "few",
    "is_unable",
    "judged_blindly",
    "outcomes",
    "progress",
    "progress_line",
    "undone",
)

Answer = t.Mapping[str, t.Any]
Answers = t.Mapping[str, t.Mapping[str, t.Any]]  # by host, its variables

BACK, NOT_BACK = "Rolled back", "NOT rolled back"
SHOWN = 5  # sentences or names; the rest is counted


@dataclass(frozen=True)
class Batch:
    """What is known of a batch: sentences that begin with the host's name."""

    worse: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    concerned: tuple[str, ...] = ()  # hosts on which something would change, or that wait for a verdict

    @property
    def why(self) -> str:
        """The first few of what is worse, and how many more."""
        rest = len(self.worse) - SHOWN
        return "; ".join(self.worse[:SHOWN]) + (f"; and {rest} more" if rest > 0 else "")


@dataclass(frozen=True)
class Progress:
    """Hosts of the whole rollout."""

    total: int
    done: int
    changed: int
    unable: int  # cannot steer
    seconds: float  # since the first batch began


def after_begin(hosts: t.Sequence[str], answers: Answers) -> Batch:
    """Who cannot be looked at, who cannot steer, and who was left without a verdict by an earlier rollout."""
    worse, notes, concerned = [], [], []
    for host in hosts:
        answer = _answer(answers, host, "rollout_begin")
        concerned += [host] if answer.get("would_change") or answer.get("pending") else []
        worse += [f"{host}: {text}" for text in _failures("it cannot be looked at", answer)]
        if answer.get("pending"):
            since = answer["since"]
            notes.append(f"{host}: changed by a rollout of {since} without a verdict; judged by what was before it")
        if not answer.get("missing"):  # with it, the host may be able to; the change tells
            notes += _inability(host, answer)
    return Batch(tuple(worse), tuple(notes), tuple(concerned))


def after_judge(hosts: t.Sequence[str], answers: Answers, *, check: bool) -> Batch:
    """Who is worse off. A host counts as such until it has said that it is not: one that is lost has said nothing."""
    worse, notes, quiet = [], [], []
    for host in hosts:
        change, judge = (_answer(answers, host, name) for name in ("rollout_change", "rollout_judge"))
        failures = _failures("the change failed", change)
        if not failures and not check:
            failures = _failures("it cannot be judged", judge) or [str(text) for text in judge.get("worse", ())]
        worse += [f"{host}: {text}" for text in failures]
        notes += _inability(host, change)
        notes += [f"{host}: {row['name']}: {row['action']}: {row['reason']}" for row in _unsteered(change)]
        if not failures and not check and not judge.get("judged"):
            quiet.append(host)
    notes += [f"{few(quiet)}: no guest had enough packets to be judged by"] if quiet else []
    return Batch(tuple(worse), tuple(notes))


def judged_blindly(hosts: t.Sequence[str], answers: Answers) -> bool:
    """Whether hosts were judged, and none of their guests had the packets for it."""
    verdicts = [verdict for host in hosts if "judged" in (verdict := _answer(answers, host, "rollout_judge"))]
    return bool(verdicts) and not any(verdict["judged"] for verdict in verdicts)


def outcomes(hosts: t.Sequence[str], answers: Answers) -> dict[str, str]:
    """What became of each host of a batch that is worse off."""
    return {host: _outcome(_answer(answers, host, "rollout_back")) for host in hosts}


def undone(found: t.Mapping[str, str]) -> str:
    """All outcomes in a few words; hosts that still have the change are named."""
    left = [f"{host}: {outcome}" for host, outcome in found.items() if outcome.startswith(NOT_BACK)]
    return "; ".join(left) or BACK


def few(hosts: t.Sequence[str]) -> str:
    """The first few names, and how many more there are."""
    rest = len(hosts) - SHOWN
    return ", ".join(hosts[:SHOWN]) + (f" and {rest} more" if rest > 0 else "")


def progress(hosts: t.Sequence[str], answers: Answers, seconds: float) -> Progress:
    """Of all hosts of the rollout: those of batches that are over have their answers still."""
    begun = [host for host in hosts if _answer(answers, host, "rollout_begin")]
    changed = sum(bool(_answer(answers, host, "rollout_change").get("changed")) for host in begun)
    return Progress(len(hosts), len(begun), changed, sum(is_unable(answers, host) for host in begun), seconds)


def progress_line(now: Progress, *, batch: int, worse: int, pace: Pace) -> str:
    """One line for a batch, with when the rest will be over."""
    left = now.total - now.done
    parts = [f"{now.done} of {now.total} hosts done", f"{batch} in this batch", f"{now.changed} changed"]
    parts += [f"{now.unable} cannot steer"] if now.unable else []
    parts += [f"{worse} worse"] if worse else []
    if left and now.done and not worse:
        seconds = pace.seconds_left(hosts=now.total, done=now.done, seconds=now.seconds, waited=now.changed > 0)
        parts.append(f"{left} left, about {duration(seconds)} more")
    return ", ".join(parts)


def _answer(answers: Answers, host: str, step: str) -> Answer:
    found = answers.get(host, {}).get(step)
    return found if isinstance(found, t.Mapping) else {}


def is_unable(answers: Answers, host: str) -> bool:
    """By what was found last: the change looks again where a package was missing."""
    begin, change = (_answer(answers, host, step) for step in ("rollout_begin", "rollout_change"))
    return change.get("supported", begin.get("supported")) is False


def _inability(host: str, answer: Answer) -> list[str]:
    if answer.get("supported", True):
        return []
    return [f"{host}: it cannot steer, so its guests keep what they have: {'; '.join(answer.get('reasons', ()))}"]


def _failures(what: str, answer: Answer) -> list[str]:
    if answer.get("unreachable") or not answer:
        return ["it does not answer any more"]
    if answer.get("failed"):
        return [f"{what}: {answer.get('msg', 'no reason was given')}"]
    return []


def _unsteered(change: Answer) -> list[Answer]:
    return [row for row in change.get("devices") or () if row["action"] in ("fallback", "wait")]


def _outcome(back: Answer) -> str:
    failures = _failures("", back)
    if failures:
        return f"{NOT_BACK} ({failures[0].lstrip(': ')})"
    return BACK if back.get("undone") else "This host is as it was before"


def duration(seconds: float) -> str:
    """As one says it."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    minutes = seconds / 60
    return f"{minutes:.0f} min" if minutes < 90 else f"{minutes / 60:.1f} h"
