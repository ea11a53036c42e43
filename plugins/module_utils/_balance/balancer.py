# Copyright (c) 2026, virtnet.rss contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to the collection: the rounds of one device: when to look again, and what the last ones have taught. Pure.
#
# A load that changes as fast as the rounds come, by chance or because somebody makes it so, gets a few moves and then
# none for a while: a round whose promise was not kept is followed by 1, 2, 4 and at last 16 periods without a move.

from __future__ import annotations

import typing as t
from dataclasses import dataclass, field, replace

from ansible_collections.virtnet.rss.plugins.module_utils._balance.plan import (
    Limits,
    Load,
    Plan,
    even_plan,
    excess_of,
    plan_moves,
)

if t.TYPE_CHECKING:
    from ansible_collections.virtnet.rss.plugins.module_utils._balance.options import Rebalance

__all__ = ("Balancer",)

SLOWEST = 8  # periods between two rounds while nothing is to be done
LONGEST_REST = 16  # rounds
KEPT = 0.5  # of the promised gain is enough


@dataclass
class Balancer:
    """``pause`` is the time in seconds from one round to the next."""

    wanted: Rebalance
    pause: float = 0.0
    moved: int = 0  # entries, in all rounds
    last: Plan | None = None  # with moves
    _rest: int = 0  # rounds in which nothing is moved
    _broken: int = 0  # promises in a row
    _excess: float = 0.0  # before the last moves
    _earlier: t.Sequence[int] = field(default=(), repr=False)  # packets by entry in the period before

    def __post_init__(self) -> None:
        self.pause = self.wanted.period

    def round(self, load: Load) -> Plan:
        """What shall be moved after this period. Moves are done by whoever asks."""
        self._judge(load)
        limits = self._limits()
        plan = even_plan(load, limits) or plan_moves(self._steadied(load), limits)
        self._earlier = load.entries
        if self._rest:
            self._rest -= 1
            plan = replace(plan, moves=(), after=plan.before)
        if plan.moves:
            self.pause = self.wanted.period
            self.moved += 0 if self.wanted.dry_run else len(plan.moves)
        elif not self._rest:
            self.pause = min(2 * self.pause, SLOWEST * self.wanted.period)
        self.last = plan if plan.moves and not self.wanted.dry_run else None
        self._excess = excess_of(load) if plan.moves else 0.0
        return plan

    def _limits(self) -> Limits:
        """The queue that received last waits a round: its load is the least certain."""
        last = self.last.moves[-1:] if self.last else ()
        return Limits(self.wanted.threshold / 100, frozenset(move.receiver for move in last))

    def _steadied(self, load: Load) -> Load:
        """What an entry carries is less by chance with half of what it carried before."""
        if len(self._earlier) != len(load.entries):
            return load
        entries = [now + before // 2 for now, before in zip(load.entries, self._earlier)]
        scale = sum(entries) / max(1, sum(load.entries))
        return replace(load, entries=entries, others=[round(count * scale) for count in load.others])

    def _judge(self, load: Load) -> None:
        """Of the round before: moves that did not help are no reason for more of them."""
        if self.last is None:
            return
        if self._excess - excess_of(load) >= KEPT * (self._excess - self.last.excess):
            self._broken = 0
            return
        self._rest = min(2**self._broken, LONGEST_REST)
        self._broken += 1
