# Copyright (c) 2026, virtnet.rss contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to the collection: indirection tables in the words of ``ethtool -X``.

from __future__ import annotations

import functools
import math
import typing as t

from ansible_collections.virtnet.rss.plugins.module_utils._errors import InputError, PlaceError
from ansible_collections.virtnet.rss.plugins.module_utils._rss.limits import INDIRECTION_MAX, QUEUE_MAX, check_queue

__all__ = ("describe_table", "indirection_table", "table_size")

SIZE_MIN = 128  # of a table whose size nobody chose, as network cards have it
ENTRIES_OF_A_QUEUE = 4  # with fewer, queues with one entry more than others have a quarter of the traffic more


def indirection_table(
    *,
    equal: int | None = None,
    weight: t.Sequence[int] | None = None,
    table: t.Sequence[int] | None = None,
    start: int = 0,
    size: int | None = None,
) -> tuple[int, ...]:
    """The queues of a table, from exactly one of ``equal`` (number of queues), ``weight`` (one for each queue) and
    ``table``.

    ``size`` is the length, a power of two up to 512 (None: what ``table_size`` gives), and ``start`` the first queue;
    neither goes with ``table``. InputError for a table in which a queue that is named has no entry.
    """
    given = sum(kind is not None for kind in (equal, weight, table))
    if given != 1:
        raise PlaceError("indirection", f"{given} of equal, weight and table are given; give exactly one of the three")
    check_queue("indirection.start", start)
    if table is not None:
        return _given(table)
    if size is None:
        size = table_size(len(weight or ()) if equal is None else equal)
    _check_size("indirection.size", size)
    if equal is not None:
        return _equal(equal, start, size)
    return _weighted(weight or (), start, size)


def table_size(queues: int) -> int:
    """The length of a table for so many queues: the power of two at or above four times that, from 128 to 512."""
    wanted = ENTRIES_OF_A_QUEUE * queues
    return min(max(SIZE_MIN, 1 << (wanted - 1).bit_length()), INDIRECTION_MAX)


def describe_table(table: t.Sequence[int]) -> dict[str, t.Any]:
    """The shortest words that give this table: ``equal`` or ``weight``, ``start`` and ``size``, or the ``table``."""
    start, queues = min(table), max(table) - min(table) + 1
    if tuple(table) == tuple(start + entry % queues for entry in range(len(table))):
        return {"equal": queues, "start": start, "size": len(table)}
    if list(table) == sorted(table):
        entries = [list(table).count(queue) for queue in range(start, start + queues)]
        share = functools.reduce(math.gcd, entries)
        return {"weight": [count // share for count in entries], "start": start, "size": len(table)}
    return {"table": list(table)}


def _check_size(option: str, size: int) -> None:
    if not 1 <= size <= INDIRECTION_MAX or size & (size - 1):
        raise InputError(option, size, f"the length of a table is a power of two up to {INDIRECTION_MAX}")


def _given(table: t.Sequence[int]) -> tuple[int, ...]:
    _check_size("indirection.table", len(table))
    for queue in table:
        check_queue("indirection.table", queue)
    return tuple(table)


def _equal(queues: int, start: int, size: int) -> tuple[int, ...]:
    if not 1 <= queues <= QUEUE_MAX + 1 - start:
        raise InputError("indirection.equal", queues, f"between 1 and {QUEUE_MAX + 1 - start} queues from {start} on")
    if queues > size:
        raise InputError("indirection.equal", queues, f"a table of {size} entries has room for {size} queues")
    return tuple(start + entry % queues for entry in range(size))


def _weighted(weight: t.Sequence[int], start: int, size: int) -> tuple[int, ...]:
    total = sum(weight)
    if not weight or min(weight) < 0 or total == 0:
        raise InputError(
            "indirection.weight", list(weight), "weights are not negative, and at least one is more than 0"
        )
    check_queue("indirection.weight", start + len(weight) - 1)
    used = sum(part > 0 for part in weight)
    if used > size:
        raise InputError("indirection.weight", f"{used} queues", f"a table of {size} entries has room for {size}")
    # As ethtool does it: queue n takes the entries up to its running share of the whole.
    entries: list[int] = []
    share = taken = 0
    for part in weight:
        share += part
        entries.append(size * share // total - taken)
        taken += entries[-1]
    # Unlike ethtool: who has a weight has an entry, of the queue that has most.
    for offset, part in enumerate(weight):
        if part and not entries[offset]:
            entries[entries.index(max(entries))] -= 1
            entries[offset] = 1
    return tuple(start + offset for offset, count in enumerate(entries) for _entry in range(count))
