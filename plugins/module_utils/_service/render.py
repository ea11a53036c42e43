# Copyright (c) 2026, virtnet.rss contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to the collection: what `virtnet-rss status` and `top` print.

from __future__ import annotations

import typing as t

from ansible_collections.virtnet.rss.plugins.module_utils._service.output import printable

if t.TYPE_CHECKING:
    from ansible_collections.virtnet.rss.plugins.module_utils._look.look import Sighting

__all__ = ("bars", "table")

BLOCK = "\N{FULL BLOCK}"


def table(head: t.Sequence[str], rows: t.Sequence[t.Sequence[object]]) -> str:
    """Columns with two blanks between; control characters of names do not reach the terminal."""
    texts = [list(head), *([printable(str(cell)) for cell in row] for row in rows)]
    widths = [max(map(len, column)) for column in zip(*texts)]
    return "\n".join("  ".join(map(str.ljust, line, widths)).rstrip() for line in texts)


def bars(sighting: Sighting, packets: t.Sequence[float], *, width: int = 40) -> str:
    """A line for each queue of one device, the busiest as long as ``width``."""
    most = max([*packets, 1])
    name = printable(sighting.device.name)
    lines = [f"{name}: {sighting.device.state}, {sighting.implementation.decides} decides"]
    for queue, rate in enumerate(packets):
        lines.append(f"  queue {queue:3} {BLOCK * round(width * rate / most):{width}} {rate:10.0f}/s")
    return "\n".join(lines)
