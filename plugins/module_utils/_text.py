# Copyright (c) 2026, virtnet.rss contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to the collection: what strangers wrote, as it may be shown. Imports nothing of the collection.
#
# Inside, names are what the kernel has: bytes, decoded with surrogateescape, so they go back unchanged. Outside, in a
# result, a log, a metric, on a page or a terminal, each byte that is no UTF-8 and each letter that a terminal would
# obey is written out, as bash and `ls --escape` do: tap\xff.

from __future__ import annotations

import re
import sys
import typing as t

__all__ = (
    "LONGEST_LINE",
    "as_in_kernel",
    "cut",
    "described",
    "holds_key",
    "printable",
    "printable_tree",
    "shown",
    "written_out",
)

LONGEST_LINE = 1000  # letters of a log line or of a status line
LONGEST_VALUE = 60  # letters of a value that a sentence repeats
ALIKE = 0.7  # of 1, for a word that is taken for a mistyped one
LARGEST_NUMBER = 10**12
# Twenty hexadecimal digits, with whatever separates them in a spelling of a key; a MAC address has twelve.
DIGITS = re.compile(r"(?:[0-9A-Fa-f][\s:.,_-]*){20}")
KEY = re.compile(r"(?:[0-9A-Fa-f][\s:.,_-]*){64}")
WRITTEN = re.compile(r"\\(?:x[0-9a-f]{2}|u[0-9a-f]{4}|U[0-9a-f]{8})")
ESCAPE = re.compile(r"\\(?=[xuU])")


def printable(text: str) -> str:
    r"""With ``\xff`` for a byte that was no UTF-8, ``\x1b`` and ``\u202e`` for letters that a terminal obeys.

    What has been written out already stays as it is.
    """
    return text if text.isprintable() else "".join(map(_letter, text))


def written_out(name: str) -> str:
    r"""The same for a name, never the same text for two names: a backslash that would look like an escape is
    written out as well (``\x5c``)."""
    return printable(ESCAPE.sub(r"\\x5c", name))


def as_in_kernel(name: str) -> str:
    """The name that ``written_out`` made this text of."""
    return WRITTEN.sub(lambda found: _decoded(found[0]), name)


def _decoded(escape: str) -> str:
    number = int(escape[2:], 16)
    return chr(number + 0xDC00) if escape[1] == "x" and number >= 0x80 else chr(min(number, sys.maxunicode))


def _letter(letter: str) -> str:
    number = ord(letter)
    if letter.isprintable():
        return letter
    if 0xDC80 <= number <= 0xDCFF:  # PEP 383: a byte that could not be decoded
        return f"\\x{number - 0xDC00:02x}"
    if number < 0x80:
        return f"\\x{number:02x}"
    return f"\\u{number:04x}" if number <= 0xFFFF else f"\\U{number:08x}"


def printable_tree(value: t.Any) -> t.Any:
    """A result with every text in it made printable, line feeds kept: they part the lines of a diff."""
    if isinstance(value, str):
        return "\n".join(map(printable, value.split("\n")))
    if isinstance(value, dict):
        return {printable_tree(word): printable_tree(inner) for word, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [printable_tree(inner) for inner in value]
    return value


def cut(text: str, most: int = LONGEST_LINE) -> str:
    """At most so many letters, and how many there were."""
    if len(text) <= most:
        return text
    end = f"... ({len(text)} letters)"
    return text[: most - len(end)] + end


def shown(value: object, words: t.Iterable[str] | None = None) -> str:
    """How a sentence names a value that was given: a harmless one itself, any other as ``described``.

    Whatever is long, has structure or looks like a hash key may be a secret in a wrong place. With ``words``, the only
    ones that would be right there, a text is repeated when it is one of them mistyped.
    """
    if not isinstance(value, str) or len(value) > LONGEST_VALUE or DIGITS.search(value):
        return described(value)
    import difflib  # here: seldom needed, and the service saves its memory

    if words is not None and not difflib.get_close_matches(value, list(words), 1, ALIKE):
        return described(value)
    return f"'{printable(value)}'"


def holds_key(text: str) -> bool:
    """Whether so many hexadecimal digits follow each other that they are a hash key, or most of one."""
    return KEY.search(text) is not None


def described(value: object) -> str:
    """The type and the size, and nothing of the content of a text, a list or a dictionary."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (int, float)):
        return str(value) if abs(value) < LARGEST_NUMBER else "a large number"
    if isinstance(value, str):
        return f"a text of {len(value)} letters" if value else "an empty text"
    if isinstance(value, (list, tuple, set, frozenset)):
        return f"a list of {len(value)}" if value else "an empty list"
    return f"a dictionary of {len(value)}" if isinstance(value, dict) else f"a {type(value).__name__}"
