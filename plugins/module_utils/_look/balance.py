# Copyright (c) 2026, virtnet.rss contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to the collection: what the entries of a live table carry, as the balancer wants to know it.

from __future__ import annotations

import functools
import typing as t
from dataclasses import dataclass

from ansible_collections.virtnet.rss.plugins.module_utils._balance.plan import Load
from ansible_collections.virtnet.rss.plugins.module_utils._bpf.live_table import (
    Packets,
    Placement,
    read_entry_packets,
    read_placements,
    read_reasons,
    since,
)
from ansible_collections.virtnet.rss.plugins.module_utils._rss.config import REASONS

if t.TYPE_CHECKING:
    from ansible_collections.virtnet.rss.plugins.module_utils._bpf.libbpf import Libbpf
    from ansible_collections.virtnet.rss.plugins.module_utils._program.model import AttachedProgram, Configuration

__all__ = ("Reading", "load_between", "numbers_of_queues", "read_load")

WITHOUT_ENTRY = tuple(REASONS.index(reason) for reason in ("none", "pin"))


@dataclass(frozen=True)
class Reading:
    """Of one program, at one moment."""

    packets: Packets
    others: tuple[int, ...]  # by the program's queue; empty where it does not count
    placement: Placement

    @property
    def waiting(self) -> int:
        """Entries that have not yet gone where they are wanted."""
        return sum(wanted != current for wanted, current in zip(*self.placement))


def read_load(libbpf: Libbpf, program: AttachedProgram) -> Reading | None:
    """None when the program has gone, or has no live table."""
    configuration = program.configuration
    if program.live is None or configuration is None:
        return None
    packets, placement = read_entry_packets(libbpf, program.live), read_placements(libbpf, program.live)
    others = _others(libbpf, program, configuration)
    return None if packets is None or placement is None or others is None else Reading(packets, others, placement)


def _others(libbpf: Libbpf, program: AttachedProgram, configuration: Configuration) -> tuple[int, ...] | None:
    """Packets of each queue that no entry carried."""
    if not configuration.statistics or program.counters_map is None:
        return ()
    rss = configuration.rss
    queues = {rss.default_queue, *(pin.queue for pin in rss.pins)}
    found = read_reasons(libbpf, program.counters_map, queues)
    if found is None:
        return None
    return tuple(
        sum(found[queue][reason] for reason in WITHOUT_ENTRY) if queue in found else 0
        for queue in range(configuration.queues)
    )


def load_between(earlier: Reading, now: Reading, configuration: Configuration, queues: int) -> Load:
    """What was carried between two readings, for ``queues`` enabled queues: the driver takes the program's numbers
    modulo theirs."""
    table = configuration.rss.indirection
    others = [0] * queues
    for queue, (after, before) in enumerate(zip(now.others, earlier.others)):
        others[queue % queues] += after - before
    wanted = now.placement.wanted[: len(table)]
    return Load(
        since(now.packets, earlier.packets)[: len(table)],
        wanted if max(wanted) < queues else [queue % queues for queue in wanted],
        others,
        _shares(table, queues),
    )


@functools.lru_cache(maxsize=64)
def _shares(table: tuple[int, ...], queues: int) -> tuple[float, ...]:
    shares = [0] * queues
    for queue in table:
        shares[queue % queues] += 1
    return tuple(share / len(table) for share in shares)


def numbers_of_queues(configuration: Configuration, queues: int) -> dict[int, int]:
    """The program's number for each of so many enabled queues, the lowest of those that the configuration names."""
    return {number % queues: number for number in sorted(set(configuration.rss.indirection), reverse=True)}
