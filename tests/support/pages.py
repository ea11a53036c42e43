# SPDX-License-Identifier: GPL-3.0-or-later
"""The fenced blocks of the pages, by the language that each says it is in."""

from __future__ import annotations

import re
import textwrap
import typing as t
from pathlib import Path

__all__ = ("ROOT", "Block", "blocks", "pages", "shape")

ROOT = Path(__file__).resolve().parents[2]
FENCE = re.compile(r"^( *)```([^\n]*)\n(.*?)^\1```$", re.MULTILINE | re.DOTALL)


class Block(t.NamedTuple):
    page: str
    number: int  # on its page
    language: str
    text: str

    @property
    def name(self) -> str:
        return f"{self.page}-{self.number}"


def pages() -> list[str]:
    found = [*ROOT.glob("*.md"), *ROOT.glob("docs/*.md"), *ROOT.glob("roles/*/README.md")]
    return sorted(str(path.relative_to(ROOT)) for path in found if path.name != "CHANGELOG.md")


def blocks(*languages: str, page: str = "") -> list[Block]:
    """Of one page or of all; of these languages or of any."""
    found = []
    for name in [page] if page else pages():
        fences = FENCE.findall((ROOT / name).read_text(encoding="utf-8"))
        found += [
            Block(name, number, word, textwrap.dedent(text)) for number, (_fence, word, text) in enumerate(fences)
        ]
    return [block for block in found if not languages or block.language in languages]


def shape(text: str) -> list[str]:
    """Each line without what differs from run to run: numbers, the length of bars, the width of columns."""
    lines = (re.sub(r"0x[0-9a-f]+|[0-9]+(\.[0-9]+)?", "N", line.replace("█", "")) for line in text.splitlines())
    return [" ".join(line.split()) for line in lines if line.strip()]
