# Copyright (c) 2026, virtnet.rss contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to the collection: lines for a terminal or the journal. In a module nothing may be printed, and ansible-test
# sees to it; this is the one place that does.

from __future__ import annotations

import sys
import typing as t

__all__ = ("clear", "complain", "printable", "say")


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
    stream.write("".join(f"{printable(line)}\n" for line in text.split("\n")))
    stream.flush()


def printable(text: str) -> str:
    """Names of devices and processes may have any characters, and a terminal obeys some of them."""
    return "".join(letter if letter.isprintable() else "?" for letter in text)
