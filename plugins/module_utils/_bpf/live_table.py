# Copyright (c) 2026, virtnet.rss contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to the collection: the table of an attached program that can change while it runs (bpf/live.h).

from __future__ import annotations

import mmap
import os
import sys
import typing as t
from ctypes import sizeof

from ansible_collections.virtnet.rss.plugins.module_utils._bpf.generated import steering_live_abi as abi
from ansible_collections.virtnet.rss.plugins.module_utils._bpf.inventory import open_map, read_element

if t.TYPE_CHECKING:
    from ansible_collections.virtnet.rss.plugins.module_utils._bpf.libbpf import Libbpf

__all__ = (
    "LiveMaps",
    "Placement",
    "content_of",
    "move_entries",
    "read_entry_packets",
    "read_placements",
    "read_reasons",
    "since",
)

ENTRY = abi.LiveEntry
SIZE = sizeof(ENTRY)
# Two fields are bytes: what is at every eighth byte is one field of all entries.
WANTED, CURRENT = (slice(field.offset, sizeof(abi.LiveTable), SIZE) for field in (ENTRY.wanted, ENTRY.current))
Packets = t.NewType("Packets", int)


class LiveMaps(t.NamedTuple):
    """The ids of the maps of one program: they live as long as it does."""

    table: int
    packets: int


class Placement(t.NamedTuple):
    """The queue of each entry of the table, up to the longest table's end."""

    wanted: bytes  # where it shall be
    current: bytes  # where its packets go now; elsewhere while the entry waits for a silence


def content_of(table: t.Sequence[int]) -> bytes:
    """The map of a program that has not run: every entry is where it shall be."""
    live = abi.LiveTable()
    for entry, queue in zip(live.entries, table):
        entry.wanted = entry.current = queue
    return bytes(live)


def read_placements(libbpf: Libbpf, maps: LiveMaps) -> Placement | None:
    """None when the program has gone."""
    content = _read(libbpf, maps.table, sizeof(abi.LiveTable))
    return None if content is None else Placement(content[WANTED], content[CURRENT])


def read_entry_packets(libbpf: Libbpf, maps: LiveMaps) -> Packets | None:
    """Packets of each entry since the program was loaded, for ``since()``; None when it has gone."""
    size = sizeof(abi.EntryCounters)
    content = _read(libbpf, maps.packets, size * libbpf.call("libbpf_num_possible_cpus"))
    return None if content is None else Packets(_summed(content, size))


def read_reasons(libbpf: Libbpf, counters: int, queues: t.Iterable[int]) -> dict[int, t.Sequence[int]] | None:
    """Packets of some queues by reason, of the program's map with this id; None when it has gone."""
    descriptor = open_map(libbpf, counters)
    if descriptor is None:
        return None
    size = sizeof(abi.QueueCounters)
    cpus = libbpf.call("libbpf_num_possible_cpus")
    try:
        return {
            queue: _unpacked(_summed(read_element(libbpf, descriptor, size * cpus, queue), size), size)
            for queue in queues
        }
    finally:
        os.close(descriptor)


def since(now: Packets, earlier: Packets) -> tuple[int, ...]:
    """The packets of each entry between two readings of one program."""
    return _unpacked(now - earlier, sizeof(abi.EntryCounters))


def move_entries(libbpf: Libbpf, maps: LiveMaps, moves: t.Mapping[int, int]) -> bool:
    """Let each of these entries go to that queue; False when the program has gone.

    A queue is one byte, so a packet sees the old or the new one, and whoever dies in here leaves a whole table. The
    other fields are the program's, so nothing is written beside: a call that writes elements would write all of them.
    """
    descriptor = open_map(libbpf, maps.table)
    if descriptor is None:
        return False
    try:
        with mmap.mmap(descriptor, mmap.PAGESIZE, mmap.MAP_SHARED, mmap.PROT_READ | mmap.PROT_WRITE) as memory:
            for entry, queue in moves.items():
                _move(memory, entry * SIZE, queue)
    finally:
        os.close(descriptor)
    return True


def _summed(content: bytes, size: int) -> int:
    """Each CPU's counters as one number of so many times 64 bits: their sum is the sums, for no counter ever comes to
    2^64."""
    values = (content[start : start + size] for start in range(0, len(content), size))
    return sum(int.from_bytes(value, sys.byteorder) for value in values)


def _unpacked(counters: int, size: int) -> tuple[int, ...]:
    return tuple(memoryview(counters.to_bytes(size, sys.byteorder)).cast("Q"))


def _move(memory: mmap.mmap, place: int, queue: int) -> None:
    wanted, current, seen = (place + field.offset for field in (ENTRY.wanted, ENTRY.current, ENTRY.seen))
    if memory[wanted] == memory[current]:
        # What is left there is of a move that was called off: nobody has looked at its silence since.
        memory[seen : seen + ENTRY.seen.size] = bytes(ENTRY.seen.size)
    memory[wanted] = queue


def _read(libbpf: Libbpf, number: int, size: int) -> bytes | None:
    descriptor = open_map(libbpf, number)
    if descriptor is None:
        return None
    try:
        return read_element(libbpf, descriptor, size)
    finally:
        os.close(descriptor)
