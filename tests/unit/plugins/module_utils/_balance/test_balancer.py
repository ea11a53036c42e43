# Copyright (c) 2026, virtnet.rss contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Rounds under loads of all kinds."""

from __future__ import annotations

import statistics

import pytest

from ansible_collections.virtnet.rss.plugins.module_utils._balance.balancer import (
    LONGEST_REST,
    SLOWEST,
    Balancer,
)
from ansible_collections.virtnet.rss.plugins.module_utils._balance.options import Rebalance
from ansible_collections.virtnet.rss.plugins.module_utils._balance.plan import Load
from ansible_collections.virtnet.rss.tests.support.loads import ENTRIES, World, simulate, zipf_rates

WORLDS = range(20)
MOST = ENTRIES // 20  # entries in a round


def test_heavy_flows_are_spread_within_three_rounds() -> None:
    """The rest has an entry heavier than a queue's share."""
    reached = 0
    for seed in range(100):
        world, ran = World(seed), simulate("zipf", World(seed), seconds=4)
        entries = [0.0] * ENTRIES
        for entry, rate in zip(world.entries, zipf_rates(world.flows)):
            entries[entry] += rate
        best = max(1.0, max(entries) * world.queues / sum(entries))
        reached += ran.balanced[3] <= 1.15
        assert ran.balanced[3] <= max(1.15, 1.06 * best), seed
    assert reached >= 95


@pytest.mark.parametrize("packets", [1_000, 50_000])
def test_even_traffic_is_never_worse_off_and_soon_left_alone(packets: int) -> None:
    for seed in WORLDS:
        ran = simulate("uniform", World(seed, packets=packets))
        assert statistics.mean(ran.balanced) <= 1.02 * statistics.mean(ran.fixed), seed
        assert sum(ran.moves[20:]) <= 4, seed


@pytest.mark.parametrize("name", ["elephants", "bursts", "churn", "shift", "flip"])
@pytest.mark.parametrize("queues", [4, 16])
def test_no_load_is_worse_off_on_the_whole(name: str, queues: int) -> None:
    """Of a few keys; a load that changes faster than the rounds come gains little."""
    ran = [simulate(name, World(seed, queues)) for seed in WORLDS]
    fixed, balanced = (
        statistics.mean(sum(side) for side in sides) for sides in zip(*((r.fixed, r.balanced) for r in ran))
    )
    assert balanced <= 1.02 * fixed


@pytest.mark.parametrize("name", ["flip", "spy"])
def test_an_adversary_soon_moves_nothing(name: str) -> None:
    """Promises that are not kept are followed by longer and longer rests."""
    for seed in WORLDS:
        late = simulate(name, World(seed), seconds=240).moves[60:]
        assert sum(1 for moves in late if moves) <= 6 * len(late) / LONGEST_REST, seed
        assert max(late) <= MOST


def test_the_period_doubles_while_nothing_is_to_be_done_and_is_itself_again() -> None:
    balancer = Balancer(Rebalance(period=2))
    even = Load([1000] * 8, [0, 1] * 4, [0, 0], [0.5, 0.5])
    pauses = []
    for _round in range(5):
        balancer.round(even)
        pauses.append(balancer.pause)
    assert pauses == [4, 8, 16, 16, 16] and pauses[-1] == SLOWEST * 2
    uneven = Load([8000, 1000] * 4, [0, 1] * 4, [0, 0], [0.5, 0.5])
    assert balancer.round(uneven).moves and balancer.pause == 2
    assert balancer.moved == 1


def test_a_dry_run_plans_the_same_again_and_again() -> None:
    balancer = Balancer(Rebalance(dry_run=True))
    uneven = Load([8000, 1000] * 4, [0, 1] * 4, [0, 0], [0.5, 0.5])
    assert all(balancer.round(uneven).moves for _round in range(6))
    assert balancer.moved == 0
