# Copyright (c) 2026, virtnet.rss contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which entries are worth moving."""

from __future__ import annotations

import random
import typing as t

from ansible_collections.virtnet.rss.plugins.module_utils._balance.plan import (
    Heavy,
    Limits,
    Load,
    Move,
    excess_of,
    goals_of,
    imbalance,
    plan_moves,
)

EVEN = (0.25,) * 4


def load(*queues: t.Sequence[int], others: t.Sequence[int] = (), shares: t.Sequence[float] = ()) -> Load:
    """For each queue the thousands of packets of its entries."""
    entries = [packets * 1000 for each in queues for packets in each]
    places = [queue for queue, each in enumerate(queues) for _entry in each]
    count = len(queues)
    return Load(entries, places, [packets * 1000 for packets in others] or [0] * count, shares or [1 / count] * count)


def after(of: Load, moves: t.Iterable[Move]) -> Load:
    queues = list(of.queues)
    for move in moves:
        assert queues[move.entry] == move.giver
        queues[move.entry] = move.receiver
    return Load(of.entries, queues, of.others, of.shares)


def test_an_even_load_is_left_alone() -> None:
    plan = plan_moves(load([50, 50], [60, 40], [100], [51, 51]))
    assert (plan.moves, plan.heavy) == ((), ())
    assert plan.before == plan.after < 1.05


def test_no_packets() -> None:
    nothing = load([0, 0], [0, 0])
    assert plan_moves(nothing).moves == () and plan_moves(nothing).before == 1 and excess_of(nothing) == 0


def test_the_heaviest_entry_that_fits_goes_to_who_has_least() -> None:
    entries: list[list[int]] = [[90, 30, 8, 2], [100], [90], [80]]
    plan = plan_moves(load(*entries))
    assert plan.moves == (Move(1, 30_000, 0, 3),) or plan.moves[0].receiver == 3
    assert plan.after < plan.before and plan.moves[0].giver == 0


def test_what_is_by_chance_moves_nothing() -> None:
    """120 of 400 packets where 100 are due: such a queue is seen every few seconds of even traffic."""
    few = Load([60, 60, 50, 50, 50, 50, 40, 40], [0, 0, 1, 1, 2, 2, 3, 3], [0] * 4, EVEN)
    assert plan_moves(few).moves == ()
    many = Load([each * 100 for each in few.entries], few.queues, few.others, EVEN)
    assert goals_of(many).packets == (10_000,) * 4


def test_a_queue_that_waits_receives_nothing() -> None:
    uneven = load([50, 50, 20, 20, 10], [100], [60], [40])
    assert plan_moves(uneven).moves[0].receiver == 3
    skipped = plan_moves(uneven, Limits(skipped=frozenset([3])))
    assert {move.receiver for move in skipped.moves} <= {2}


def test_a_gain_below_a_quarter_is_none() -> None:
    """One heavy entry beside a light one: the light one's move helps little."""
    assert plan_moves(load([80, 40, 1], [80], [80], [79])).moves == ()


def test_at_most_one_entry_in_twenty() -> None:
    uneven = load([1] * 200, [1] * 8, [1] * 4, [1] * 4)
    assert len(plan_moves(uneven).moves) == (200 + 16) // 20


def test_the_weights_of_the_table_are_the_shares() -> None:
    weighted = load([50] * 6, [50] * 2, shares=(0.75, 0.25))
    assert plan_moves(weighted).before == 1 and plan_moves(weighted).moves == ()
    assert imbalance([300, 100], (0.5, 0.5)) == 1.5


def test_a_queue_without_a_share_receives_nothing() -> None:
    """Only pins and the default queue fill it, and the others share what is theirs."""
    uneven = load([10] * 6, [10] * 2, [], others=(0, 0, 50), shares=(0.5, 0.5, 0))
    assert goals_of(uneven).packets == (40_000, 40_000, 50_000)
    plan = plan_moves(uneven)
    assert plan.before == 1.5
    assert plan.moves and all(move.receiver == 1 for move in plan.moves)


def test_what_pins_send_to_a_queue_counts() -> None:
    """Its entries make room for it."""
    pinned = load([10] * 25, [10] * 25, others=(0, 125))
    plan = plan_moves(pinned)
    assert plan.moves and all(move.giver == 1 for move in plan.moves)
    full = load([10] * 25, [10] * 25, others=(0, 1000))  # more than a share: all entries shall leave it
    assert goals_of(full).packets == (500_000, 1_000_000)


def test_an_entry_above_a_share_is_told_and_gets_a_queue_for_itself() -> None:
    elephant = load([60, *[1] * 15], [*[1] * 10], [*[1] * 5], [*[1] * 10])
    assert plan_moves(elephant).heavy == (Heavy(0, 0, 0.6, 0),)
    for _round in range(10):
        elephant = after(elephant, plan_moves(elephant).moves)
    assert elephant.queues[0] == 0 and elephant.by_queue()[0] <= 60_000 * (1 + Limits().threshold)


def test_two_of_them_part() -> None:
    two = load([45, 40, 3, 2], [5], [3], [2])
    for _round in range(8):
        two = after(two, plan_moves(two).moves)
    assert two.queues[0] != two.queues[1]


def test_moves_end_whatever_the_load_is() -> None:
    """With each round the excess falls, so no table comes twice."""
    source = random.Random(20)
    for _case in range(200):
        count = source.choice((2, 3, 4, 8))
        weights = [source.random() for _queue in range(count)]
        current = Load(
            [int(source.paretovariate(0.8) * 10) for _entry in range(128)],
            [source.randrange(count) for _entry in range(128)],
            [source.choice((0, 0, 5000)) for _queue in range(count)],
            [weight / sum(weights) for weight in weights],
        )
        for _round in range(60):
            plan = plan_moves(current)
            if not plan.moves:
                break
            before, current = excess_of(current), after(current, plan.moves)
            assert excess_of(current) < before
        assert plan.moves == ()
