# Copyright (c) 2026, virtnet.rss contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to the collection: lines for a terminal or the journal. In a module nothing may be printed, and ansible-test
# sees to it; this is the one place that does.

from __future__ import annotations

import sys

__all__ = ("complain", "printable", "say")


def say(text: str) -> None:
    """To standard output, at once."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def complain(text: str) -> None:
    """To standard error, at once."""
    sys.stderr.write(f"{text}\n")
    sys.stderr.flush()


def printable(text: str) -> str:
    """Names of devices and processes may have any characters, and a terminal obeys some of them."""
    return "".join(letter if letter.isprintable() else "?" for letter in text)
