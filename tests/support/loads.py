# SPDX-License-Identifier: GPL-3.0-or-later
"""Loads for the balancer: flows with rates that change from second to second, and what becomes of them.

`python -m ansible_collections.virtnet.rss.tests.support.loads` prints the table of docs/balance.md.
"""

from __future__ import annotations

import random
import statistics
import typing as t
from dataclasses import dataclass, field

from ansible_collections.virtnet.rss.plugins.module_utils._balance.balancer import Balancer
from ansible_collections.virtnet.rss.plugins.module_utils._balance.options import Rebalance
from ansible_collections.virtnet.rss.plugins.module_utils._balance.plan import Load, imbalance

__all__ = ("LOADS", "Ran", "World", "simulate", "zipf_rates")

ENTRIES, SECONDS, SETTLED = 512, 60, 5
DEFAULTS = Rebalance()


@dataclass
class World:
    """A guest with flows: the entry of each flow is chance, as with a random key."""

    seed: int
    queues: int = 4
    flows: int = 320
    packets: int = 50_000  # a second
    source: random.Random = field(init=False)
    entries: list[int] = field(init=False)
    table: list[int] = field(init=False)
    received: int = 0  # the queue that was the last to get an entry

    def __post_init__(self) -> None:
        self.source = random.Random(self.seed)
        self.entries = [self.source.randrange(ENTRIES) for _flow in range(self.flows)]
        self.table = [entry % self.queues for entry in range(ENTRIES)]

    def arrive(self, rates: t.Sequence[float]) -> list[int]:
        """Packets of each entry in a second: their number is by chance too."""
        found, total = [0] * ENTRIES, sum(rates)
        for entry, rate in zip(self.entries, rates):
            mean = rate / total * self.packets
            found[entry] += max(0, round(self.source.gauss(mean, mean**0.5)))
        return found


def zipf_rates(flows: int, exponent: float = 1.1) -> list[float]:
    return [1 / number**exponent for number in range(1, flows + 1)]


def zipf(world: World, _second: int) -> list[float]:
    """A few heavy flows, many light ones, always the same"""
    return zipf_rates(world.flows)


def uniform(world: World, _second: int) -> list[float]:
    """All flows alike"""
    return [1.0] * world.flows


def elephants(world: World, _second: int) -> list[float]:
    """Three flows with a fifth of the traffic"""
    return [world.flows / 12] * 3 + [1.0] * (world.flows - 3)


def bursts(world: World, _second: int) -> list[float]:
    """Each second another tenth of the flows has eight times as much"""
    return [8.0 if world.source.random() < 0.1 else 1.0 for _flow in range(world.flows)]


def churn(world: World, _second: int) -> list[float]:
    """Zipf; each second one flow in twenty ends, and another one begins elsewhere"""
    world.entries = [
        world.source.randrange(ENTRIES) if world.source.random() < 0.05 else each for each in world.entries
    ]
    return zipf_rates(world.flows)


def shift(world: World, second: int) -> list[float]:
    """Zipf; after half of the time all flows are others"""
    if second == SECONDS // 2:
        world.entries = [world.source.randrange(ENTRIES) for _flow in world.entries]
    return zipf_rates(world.flows)


def flip(world: World, second: int) -> list[float]:
    """Adversarial: the flows of one half of the configured table, then those of the other half, every second"""
    low = [entry % world.queues < world.queues // 2 for entry in world.entries]
    return [1.0 if each == (second % 2 == 0) else 0.1 for each in low]


def spy(world: World, _second: int) -> list[float]:
    """Adversarial: somebody who sees the table sends four times as much to the queue that got an entry last"""
    return [4.0 if world.table[entry] == world.received else 1.0 for entry in world.entries]


LOADS: dict[str, t.Callable[[World, int], list[float]]] = {
    load.__name__: load for load in (zipf, uniform, elephants, bursts, churn, shift, flip, spy)
}


@dataclass(frozen=True)
class Ran:
    """By second: the busiest queue over the mean with the fixed and with the balanced table, and entries moved."""

    fixed: tuple[float, ...]
    balanced: tuple[float, ...]
    moves: tuple[int, ...]


def simulate(name: str, world: World, wanted: Rebalance = DEFAULTS, seconds: int = SECONDS) -> Ran:
    balancer, due = Balancer(wanted), float(wanted.period)
    shares = [1 / world.queues] * world.queues
    fixed = list(world.table)
    seen = [0] * ENTRIES
    found: list[tuple[float, float, int]] = []
    for second in range(seconds):
        packets = world.arrive(LOADS[name](world, second))
        seen = [before + now for before, now in zip(seen, packets)]
        sides = [
            imbalance(Load(packets, table, [0] * world.queues, shares).by_queue(), shares)
            for table in (fixed, world.table)
        ]
        moves = 0
        if second + 1 >= due:
            plan = balancer.round(Load(seen, tuple(world.table), [0] * world.queues, shares))
            for move in plan.moves:
                world.table[move.entry] = world.received = move.receiver
            seen, moves, due = [0] * ENTRIES, len(plan.moves), second + 1 + balancer.pause
        found.append((sides[0], sides[1], moves))
    return Ran(*zip(*found))


def main(worlds: int = 40) -> None:
    print(
        "| load | queues | fixed table | after 3 s | from 5 s on | 95 of 100 keys | moves in 5 s | in the next 55 s |"
    )
    print("|---|---|---|---|---|---|---|---|")
    for name, load in LOADS.items():
        for queues in (4, 16):
            ran = [simulate(name, World(seed, queues)) for seed in range(worlds)]
            late = sorted(statistics.mean(each.balanced[SETTLED:]) for each in ran)
            row = (
                statistics.median(statistics.mean(each.fixed) for each in ran),
                statistics.median(each.balanced[3] for each in ran),
                statistics.median(late),
                late[worlds * 95 // 100 - 1],
            )
            first, later = (
                statistics.mean(sum(each.moves[part]) for each in ran)
                for part in (slice(SETTLED), slice(SETTLED, None))
            )
            print(
                f"| `{name}`: {load.__doc__} | {queues} |",
                *(f"{each:.2f} |" for each in row),
                f"{first:.1f} | {later:.1f} |",
            )


if __name__ == "__main__":
    main()
