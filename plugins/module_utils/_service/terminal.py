# Copyright (c) 2026, virtnet.rss contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to the collection: lines, tables and bars for a terminal or the journal. In a module nothing may be printed,
# and ansible-test sees to it; this is the one place that does.

from __future__ import annotations

import sys
import textwrap
import typing as t

from ansible_collections.virtnet.rss.plugins.module_utils._text import printable, written_out

if t.TYPE_CHECKING:
    from ansible_collections.virtnet.rss.plugins.module_utils._look.look import Sighting

__all__ = ("bars", "block", "clear", "complain", "say", "sparkline", "table")

BLOCK = "\N{FULL BLOCK}"
NARROWEST = 16  # letters of a column that goes on below itself
HEIGHTS = "\N{LOWER ONE EIGHTH BLOCK}\N{LOWER ONE QUARTER BLOCK}\N{LOWER THREE EIGHTHS BLOCK}\N{LOWER HALF BLOCK}" + (
    "\N{LOWER FIVE EIGHTHS BLOCK}\N{LOWER THREE QUARTERS BLOCK}\N{LOWER SEVEN EIGHTHS BLOCK}\N{FULL BLOCK}"
)


def say(text: str) -> None:
    """Lines to standard output, at once; whatever names are in them, a terminal and a log get nothing to obey."""
    _write(sys.stdout, text)


def complain(text: str) -> None:
    """The same to standard error."""
    _write(sys.stderr, text)


def clear() -> None:
    """Begin a new screen, where there is one."""
    if sys.stdout.isatty():
        sys.stdout.write("\x1b[H\x1b[2J")


def _write(stream: t.TextIO, text: str) -> None:
    stream.write(_encodable("".join(f"{printable(line)}\n" for line in text.split("\n")), stream))
    stream.flush()


def _encodable(text: str, stream: t.TextIO) -> str:
    r"""With ``\u5317`` for a letter that the terminal does not have: a name must not end a command or the service."""
    encoding = getattr(stream, "encoding", None) or "ascii"
    return text.encode(encoding, "backslashreplace").decode(encoding)


def block() -> str:
    """What a bar is made of, on this terminal."""
    return BLOCK if _encodable(BLOCK, sys.stdout) == BLOCK else "#"


def table(head: t.Sequence[str], rows: t.Sequence[t.Sequence[object]], width: int = 0) -> str:
    """Columns with two blanks between; control characters of names do not reach the terminal.

    Columns without any content are left out. With a ``width`` the last one goes on below itself where a line would be
    longer.
    """
    texts = [list(head), *([printable(str(cell)) for cell in row] for row in rows)]
    if rows:
        texts = [list(line) for line in zip(*(column for column in zip(*texts) if any(column[1:])))]
    widths = [max(map(len, column)) for column in zip(*texts)]
    indent = sum(widths[:-1]) + 2 * (len(widths) - 1)
    lines = []
    for *cells, last in texts:
        begin = "".join(f"{cell:{size}}  " for cell, size in zip(cells, widths))
        room = max(width - indent, NARROWEST) if width else max(widths[-1], 1)
        first, *others = textwrap.wrap(last, room) or [""]
        lines += [(begin + first).rstrip(), *(" " * indent + more for more in others)]
    return "\n".join(lines)


def bars(sighting: Sighting, packets: t.Sequence[float], note: str = "", *, width: int = 40) -> str:
    """A line for each queue of one device, the busiest as long as ``width``."""
    most = max([*packets, 1])
    name = written_out(sighting.device.name)
    lines = [f"{name}: {sighting.device.state}, {sighting.implementation.decides} decides{note and '; '}{note}"]
    for queue, rate in enumerate(packets):
        lines.append(f"  queue {queue:3} {block() * round(width * rate / most):{width}} {rate:10.0f}/s")
    return "\n".join(lines)


def sparkline(packets: t.Sequence[float]) -> str:
    """A letter for each queue, as high as its part of the busiest; a dot for one without packets."""
    most = max([*packets, 0])
    heights = HEIGHTS if block() == BLOCK else "12345678"
    return "".join(heights[round(rate / most * (len(heights) - 1))] if rate else "." for rate in packets)
