# Copyright (c) 2026, virtnet.rss contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to the collection: how evenly packets are spread, in one number. Pure.

from __future__ import annotations

import typing as t

__all__ = ("excess", "spread")


def spread(packets: t.Sequence[int]) -> float | None:
    """The busiest queue over the mean: 1 is even, the number of queues is everything on one; None without packets."""
    total = sum(packets)
    return round(max(packets) * len(packets) / total, 3) if total else None


def excess(packets: t.Sequence[int], table: t.Sequence[int]) -> float:
    """How many times its part of the indirection table the queue got that got most beyond it: 1 is as it is wanted.

    A table of equal parts gives the spread. The driver takes the table's queues modulo those that are enabled. Queues
    without an entry, which only the default queue or pins fill, are left out.
    """
    entries = [0] * len(packets)
    for queue in table:
        entries[queue % len(packets)] += 1
    total = sum(packets)
    parts = [count * len(table) / (total * part) for count, part in zip(packets, entries) if part and total]
    return round(max(parts, default=1.0), 3)
