# Copyright (c) 2026, virtnet.rss contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to the collection: from what each entry of a table carried to the few entries that shall change their queue.
# Pure.
#
# Why it does not oscillate: a move is from a queue above its goal to one below, and the receiver is less above its goal
# afterwards than the giver was before; so the sum of squares of what queues have beyond their goals falls with every
# move, and under a load that stays the same no table comes twice. Moves that would not take a quarter off that sum in
# the end are not begun: it ends after a few rounds.

from __future__ import annotations

import functools
import typing as t
from dataclasses import dataclass
from operator import itemgetter

__all__ = (
    "Goal",
    "Heavy",
    "Limits",
    "Load",
    "Move",
    "Plan",
    "even_plan",
    "excess_of",
    "goals_of",
    "imbalance",
    "plan_moves",
)

WORTH = 0.25  # of the excess that a round must take off: the rule of Open vSwitch's dry run (pmd-auto-lb)
SHARE_OF_ENTRIES = 20  # at most one in so many moves in a round
ROOM = 0.5  # of the threshold: so far a queue may be filled beyond its goal, for it is no giver yet
DOUBT = 2.0  # standard deviations of a count by chance: what is within may be gone in the next period


@dataclass(frozen=True)
class Load:
    """What a device carried in one period; queues are those that the guest has enabled."""

    entries: t.Sequence[int]  # packets by entry
    queues: t.Sequence[int]  # where each entry is wanted now
    others: t.Sequence[int]  # packets by queue that no entry carried: those of pins and of the default queue
    shares: t.Sequence[float]  # of the traffic that each queue shall have: they sum up to 1; 0: no entry goes there

    @property
    def total(self) -> int:
        """All packets."""
        return sum(self.entries) + sum(self.others)

    def by_queue(self) -> list[int]:
        """Packets that each queue would have had with every entry where it is wanted."""
        found = list(self.others)
        for queue, entries in _members(bytes(self.queues)):
            found[queue] += sum(entries(self.entries))
        return found


@functools.lru_cache(maxsize=1024)
def _members(queues: bytes) -> tuple[tuple[int, t.Callable[[t.Sequence[int]], t.Iterable[int]]], ...]:
    """For each queue what picks its entries: the same for as long as no entry moves."""
    by_queue: dict[int, list[int]] = {}
    for entry, queue in enumerate(queues):
        by_queue.setdefault(queue, []).append(entry)
    return tuple((queue, _picker(entries)) for queue, entries in by_queue.items())


def _picker(entries: list[int]) -> t.Callable[[t.Sequence[int]], t.Iterable[int]]:
    if len(entries) > 1:
        return itemgetter(*entries)
    return lambda packets: (packets[entries[0]],)


class Move(t.NamedTuple):
    """An entry changes its queue."""

    entry: int
    packets: int
    giver: int
    receiver: int


class Heavy(t.NamedTuple):
    """An entry that carries more than a queue's whole share: no table can even that out."""

    entry: int
    queue: int
    part: float  # of all packets
    home: int  # the queue that it shall have for itself: its own, if it is the heaviest there


class Goal(t.NamedTuple):
    """What each queue would have in the best table of whole entries, as far as can be said without trying all."""

    packets: tuple[float, ...]
    heavy: tuple[Heavy, ...]


@dataclass(frozen=True)
class Limits:
    """What a round may do."""

    threshold: float = 0.05  # beyond its goal a queue has too much
    skipped: frozenset[int] = frozenset()  # queues that receive nothing this time


@dataclass(frozen=True)
class Plan:
    """The moves of one round; empty where they are not worth it. ``before`` and ``after`` are imbalances, and
    ``excess`` is what the moves shall make of ``excess_of()``."""

    moves: tuple[Move, ...]
    before: float
    after: float
    heavy: tuple[Heavy, ...] = ()
    excess: float = 0.0


def imbalance(packets: t.Sequence[int], shares: t.Sequence[float]) -> float:
    """The packets of the queue that has most of its share, as a multiple of that: 1 is as it shall be. Of equal shares
    it is the busiest queue over the mean. Queues without a share, which only pins and the default queue fill, are left
    out."""
    total = sum(count for count, share in zip(packets, shares) if share)
    if not total:
        return 1.0
    return max((count / (share * total) for count, share in zip(packets, shares) if share), default=1.0)


def goals_of(load: Load) -> Goal:
    """Each queue's share, but for queues that cannot have less: one with an entry, or with packets of pins, that are
    more than its share is for these alone, and the others share the rest."""
    total = load.total
    goals = [0.0 if share else float(packets) for share, packets in zip(load.shares, load.others)]
    least = [float(packets) for packets in load.others]
    heavy: dict[int, Heavy] = {}
    light = [share > 0 for share in load.shares]
    _share_rest(load, goals, light, total)
    in_order = sorted(range(len(load.entries)), key=load.entries.__getitem__, reverse=True)
    for _queue in range(len(goals)):
        full = [queue for queue, goal in enumerate(goals) if light[queue] and least[queue] > goal]
        entry = next((each for each in in_order if each not in heavy), None)
        roomiest = max((queue for queue in range(len(goals)) if light[queue]), key=goals.__getitem__, default=None)
        if full:
            for queue in full:
                light[queue], goals[queue] = False, least[queue]
        elif entry is not None and roomiest is not None and load.entries[entry] > goals[roomiest]:
            home = load.queues[entry] if light[load.queues[entry]] else roomiest
            heavy[entry] = Heavy(entry, load.queues[entry], load.entries[entry] / total, home)
            light[home], goals[home] = False, least[home] + load.entries[entry]
        else:
            break
        _share_rest(load, goals, light, total)
    return Goal(tuple(goals), tuple(heavy.values()))


def _share_rest(load: Load, goals: list[float], light: list[bool], total: float) -> None:
    rest = total - sum(goal for goal, is_light in zip(goals, light) if not is_light)
    shares = sum(share for share, is_light in zip(load.shares, light) if is_light)
    for queue, share in enumerate(load.shares):
        if light[queue]:
            goals[queue] = max(rest, 0.0) * share / shares


def plan_moves(load: Load, limits: Limits = Limits()) -> Plan:
    """The moves that are worth it, heaviest first, from queues with too much to queues with too little."""
    even = even_plan(load, limits)
    if even:
        return even
    packets = load.by_queue()
    before = imbalance(packets, load.shares)
    goal = goals_of(load)
    found = _Search(load, packets, goal, limits)
    moves = found.moves()
    if not moves or found.excess(len(moves)) > (1 - WORTH) * found.excess(0):
        return Plan((), before, before, goal.heavy)
    moves = moves[: max(1, len(load.entries) // SHARE_OF_ENTRIES)]
    return Plan(
        tuple(moves),
        before,
        imbalance(found.packets(len(moves)), load.shares),
        goal.heavy,
        found.excess(len(moves)),
    )


def even_plan(load: Load, limits: Limits) -> Plan | None:
    """The plan of most rounds, in which no queue has too much. None: look closer."""
    packets = load.by_queue()
    total = sum(count for count, share in zip(packets, load.shares) if share)
    if any(_has_too_much(count, share * total, share, limits) for count, share in zip(packets, load.shares)):
        return None
    before = imbalance(packets, load.shares)
    return Plan((), before, before)


def excess_of(load: Load) -> float:
    """How far the queues are from their goals: 0 is as near as whole entries come."""
    return _excess(load.by_queue(), goals_of(load).packets)


def _has_too_much(packets: int, goal: float, share: float, limits: Limits) -> bool:
    return share > 0 and packets > goal * (1 + limits.threshold) + DOUBT * goal**0.5


def _excess(packets: t.Sequence[int], goals: t.Sequence[float]) -> float:
    """The sum of squares of what queues have beyond or below their goals, as parts of all packets."""
    total = sum(packets) or 1
    return sum(((count - goal) / total) ** 2 for count, goal in zip(packets, goals))


class _Search:
    """All moves that help, in the order in which they are to be made, however many there are."""

    def __init__(self, load: Load, packets: list[int], goal: Goal, limits: Limits) -> None:
        self._packets = packets
        self._steps = [tuple(packets)]  # what queues have before the first move, after it and so on
        self._goals = goal.packets
        self._shares = load.shares
        self._limits = limits
        self._homes = {each.entry: each.home for each in goal.heavy}
        self._entries: list[list[tuple[int, int]]] = [[] for _queue in packets]  # packets and entry, heaviest first
        for entry, (queue, count) in enumerate(zip(load.queues, load.entries)):
            if count:
                self._entries[queue].append((count, entry))
        for entries in self._entries:
            entries.sort(key=itemgetter(0), reverse=True)

    def moves(self) -> list[Move]:
        found: list[Move] = []
        while True:
            move = self._next()
            if move is None:
                return found
            self._packets[move.giver] -= move.packets
            self._packets[move.receiver] += move.packets
            self._entries[move.giver].remove((move.packets, move.entry))
            self._steps.append(tuple(self._packets))
            found.append(move)

    def packets(self, moves: int) -> tuple[int, ...]:
        """What each queue has after so many of them."""
        return self._steps[moves]

    def excess(self, moves: int) -> float:
        """The same as one number."""
        return _excess(self._steps[moves], self._goals)

    def _next(self) -> Move | None:
        """From the queue that has most beyond its goal, the heaviest entry that fits where most is missing."""
        order = sorted(range(len(self._packets)), key=self._beyond, reverse=True)
        receivers = [
            queue
            for queue in reversed(order)
            if self._shares[queue] and self._beyond(queue) < 0 and queue not in self._limits.skipped
        ]
        for giver in order:
            if not _has_too_much(self._packets[giver], self._goals[giver], 1, self._limits):
                continue
            for count, entry in self._entries[giver]:
                receiver = next((queue for queue in receivers if self._fits(count, entry, giver, queue)), None)
                if receiver is not None:
                    return Move(entry, count, giver, receiver)
        return None

    def _beyond(self, queue: int) -> float:
        return self._packets[queue] - self._goals[queue]

    def _fits(self, count: int, entry: int, giver: int, receiver: int) -> bool:
        """The receiver is not above its goal afterwards, or less so than the giver still is. An entry that makes any
        queue a giver only leaves what is another one's home."""
        after = self._beyond(receiver) + count
        if entry in self._homes:
            return receiver == self._homes[entry] and after < self._beyond(giver)
        room = self._goals[receiver] * ROOM * self._limits.threshold
        return after < self._beyond(giver) and after <= max(room, self._beyond(giver) - count)
