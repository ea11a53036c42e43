# Copyright (c) 2026, virtnet.rss contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to the collection: a host's part in a rollout: look, change, be judged; and what undoes it.

from __future__ import annotations

import typing as t
from dataclasses import dataclass, replace

from ansible_collections.virtnet.rss.plugins.module_utils._errors import StateError
from ansible_collections.virtnet.rss.plugins.module_utils._host.record import CHANGED, CHANGING, Record
from ansible_collections.virtnet.rss.plugins.module_utils._verdict import check_limits, judged_devices, rollout_verdict

if t.TYPE_CHECKING:
    from ansible_collections.virtnet.rss.plugins.module_utils._host.back import Rollback
    from ansible_collections.virtnet.rss.plugins.module_utils._host.host import Brought, Host
    from ansible_collections.virtnet.rss.plugins.module_utils._host.parts import Wanted
    from ansible_collections.virtnet.rss.plugins.module_utils._host.record import Memory
    from ansible_collections.virtnet.rss.plugins.module_utils._host.window import Moment

__all__ = ("Limits", "Verdict", "begin", "change", "judge", "undo")


class Limits(t.NamedTuple):
    """From where on a guest is worse off, as rollout_verdict takes them."""

    max_drops: float = 0.001
    max_share: float = 0.9
    max_growth: float = 0.5
    min_packets: int = 1000

    def check(self) -> None:
        """InputError for one that could not be exceeded."""
        check_limits(self._asdict())


@dataclass(frozen=True)
class Verdict:
    """What became of the guests."""

    worse: tuple[str, ...]  # a sentence for each that is worse off
    judged: int  # devices with enough packets in both windows
    not_judged: int


def begin(host: Host, wanted: Wanted, now: Moment, *, trial: bool) -> tuple[Brought, bool]:
    """What would change, and whether an earlier change has no verdict yet. ``now`` opens the window before it.

    Of an earlier change it is kept what was before that: by this the host will be judged.
    ``trial`` as in ``Host.assess``.
    """
    found = host.assess(wanted, trial=trial)
    pending = bool(host.record and host.record.is_unjudged)
    if found.changed and not pending:
        host.note(replace(host.record or Record(), watched=(now,)))
    return found, pending


def change(host: Host, wanted: Wanted, rollout: str, take: t.Callable[[], Moment]) -> Brought:
    """Close the window before the change, make it, and open the window after it. ``take`` looks at the devices."""
    record = host.record or Record()
    if not record.is_unjudged:
        host.note(replace(record, watched=(*record.watched, take())[-2:]))
    brought = host.bring(wanted, stage=CHANGING, rollout=rollout)
    if host.record and host.record.is_pending:
        host.note(replace(host.record, stage=CHANGED, rollout=rollout, after=take()))
    return brought


def judge(host: Memory, now: Moment, limits: Limits) -> Verdict:
    """Close the window after the change, and compare. A host that is no worse off has its verdict."""
    record = host.record
    if record is None or record.stage != CHANGED or record.after is None:
        raise StateError("there is no change that waits for a verdict")
    before = ((record.before or (record.after,)) * 2)[:2]  # with one look there was no window, and nothing has grown
    windows = (record.after, now), before
    worse = rollout_verdict(*windows, **limits._asdict())
    judged, not_judged = judged_devices(*windows, min_packets=limits.min_packets)
    if not worse:
        host.note(record.accepted())
    return Verdict(tuple(worse), judged, not_judged)


def undo(
    host: Rollback, *, wait: float, rollout: str = "", remove: bool = False, spared: t.Collection[int] = ()
) -> Brought | None:
    """Back to what was before the last change; None where nothing is kept, or another ``rollout`` made that change.

    A host that was new loses everything, if its rollout asks or ``remove`` says so.
    Devices with one of the ``spared`` programs, or one from before the change, keep it.
    """
    record = host.record
    # A change that was to be judged in this rollout is undone with it, also where no step of it has come so far.
    if rollout and not (record and (record.rollout == rollout or record.is_unjudged)):
        return None
    spared = {*spared, *(record.spared if record else ())}
    if record and record.new:
        return host.remove(spared=spared) if rollout or remove else None
    return host.go_back(wait, spared=spared) or (host.remove(spared=spared) if remove else None)
