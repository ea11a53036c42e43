# Copyright (c) 2026, virtnet.rss contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to the collection: how many packets an attached program of ours sent to which queue, and why.

from __future__ import annotations

import os
import struct
import typing as t
from dataclasses import dataclass

from ansible_collections.virtnet.rss.plugins.module_utils._bpf import inventory
from ansible_collections.virtnet.rss.plugins.module_utils._rss.config import REASONS

if t.TYPE_CHECKING:
    from ansible_collections.virtnet.rss.plugins.module_utils._bpf.libbpf import Libbpf

__all__ = ("REASONS", "Counters", "counters_of", "read_counters")


@dataclass(frozen=True)
class Counters:
    """Packets since the program was attached: ``by_queue[queue][reason]``, with queues as the program numbers them and
    reasons in the order of REASONS (enum hash_type of bpf/abi.h); the plain program has the first ten of them."""

    by_queue: tuple[tuple[int, ...], ...]

    @property
    def total(self) -> int:
        """All packets."""
        return sum(map(sum, self.by_queue))

    @property
    def numbered(self) -> list[int]:
        """Packets for each queue as the program numbers them: none of these ever falls, whatever the guest enables."""
        return [sum(reasons) for reasons in self.by_queue]

    def packets(self, queues: int) -> list[int]:
        """Packets for each attached queue: the driver takes the program's number modulo theirs (drivers/net/tun.c)."""
        found = [0] * max(queues, 1)
        for number, reasons in enumerate(self.by_queue):
            found[number % len(found)] += sum(reasons)
        return found

    def by_reason(self) -> dict[str, int]:
        """Packets for each hash type, and ``none`` for those that were not hashed."""
        return dict(zip(REASONS, (sum(column) for column in zip(*self.by_queue))))

    def since(self, earlier: Counters) -> Counters:
        """The packets between two readings of one program."""
        pairs = zip(self.by_queue, earlier.by_queue)
        return Counters(tuple(tuple(now - then for now, then in zip(*rows)) for rows in pairs))


def read_counters(libbpf: Libbpf, map_id: int, queues: int) -> Counters | None:
    """The map of one program, for its first ``queues`` queues; None when it has gone."""
    descriptor = inventory.open_map(libbpf, map_id)
    if descriptor is None:
        return None
    try:
        return counters_of(libbpf, descriptor, queues)
    finally:
        os.close(descriptor)


def counters_of(libbpf: Libbpf, descriptor: int, queues: int) -> Counters:
    """The same of an open map. Its elements (struct queue_counters) tell by their size which program's they are."""
    size = inventory.map_info(libbpf, descriptor).value_size
    record = struct.Struct(f"={size // 8}Q")
    elements = inventory.read_per_cpu(libbpf, descriptor, size, range(queues))
    return Counters(tuple(_sum(map(record.unpack, values)) for values in elements))


def _sum(values: t.Iterable[tuple[int, ...]]) -> tuple[int, ...]:
    """Over the CPUs."""
    return tuple(map(sum, zip(*values)))
