# Copyright (c) 2026, virtnet.rss contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to the collection: shell patterns for the names of devices, guests and namespaces.
#
# Not fnmatch: up to Python 3.9 it raises re.error for a range such as [9-0], it keeps 256 patterns while a policy may
# have thousands, and before 3.9 a name that a stranger chooses makes a pattern with several stars take for ever.

from __future__ import annotations

import re
import typing as t

from ansible_collections.virtnet.rss.plugins.module_utils._errors import PlaceError
from ansible_collections.virtnet.rss.plugins.module_utils._text import shown

__all__ = ("compile_pattern", "is_pattern")

WILDCARDS = frozenset("*?[")


def is_pattern(name: str) -> bool:
    """Whether a name is a shell pattern."""
    return not WILDCARDS.isdisjoint(name)


def compile_pattern(option: str, text: str) -> t.Pattern[str]:
    """For ``fullmatch``: ``*``, ``?``, ``[abc]``, ``[a-c]`` and ``[!abc]``, case counts; a ``[`` that nothing closes is
    a letter. InputError, which names the option, for a range that is backwards."""
    try:
        return _compiled(text)
    except _BackwardsError as exc:
        raise PlaceError(option, f"the pattern {shown(text)} has the range {exc}, which is backwards") from None


class _BackwardsError(ValueError):
    """The range."""


def _compiled(text: str) -> t.Pattern[str]:
    pieces: list[str] = [""]
    place = 0
    while place < len(text):
        letter, place = text[place], place + 1
        if letter == "*":
            pieces.append("")
            continue
        end = _end_of_set(text, place) if letter == "[" else 0
        if end:
            pieces[-1] += _set(text[place:end])
            place = end + 1
        else:
            pieces[-1] += "." if letter == "?" else re.escape(letter)
    return re.compile(_joined(pieces), re.DOTALL)


def _end_of_set(text: str, place: int) -> int:
    """Where the set that begins at ``place`` is closed; 0: nowhere. A bracket that comes first is a letter of it."""
    place += text.startswith("!", place)
    return max(text.find("]", place + 1), 0)


def _set(content: str) -> str:
    negated, content = content.startswith("!"), content[content.startswith("!") :]
    parts = []
    while content:
        first, last = content[0], content[2:3]
        if content[1:2] == "-" and last:
            if first > last:
                raise _BackwardsError(f"{first}-{last}")
            parts.append(f"{re.escape(first)}-{re.escape(last)}")
            content = content[3:]
        else:
            parts.append(re.escape(first))
            content = content[1:]
    return f"[{'^' * negated}{''.join(parts)}]"


def _joined(pieces: list[str]) -> str:
    """Between two stars the first place that fits is as good as any other. A look-ahead with a back-reference is never
    tried again, so the time grows with the length of the name and not with a power of it."""
    if len(pieces) == 1:
        return pieces[0]
    first, *between, last = pieces
    found = "".join(f"(?=(?P<p{n}>.*?{piece}))(?P=p{n})" for n, piece in enumerate(between) if piece)
    return f"{first}{found}.*{last}"
