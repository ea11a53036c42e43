# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether the relative links of Markdown pages lead to a file, and their anchors to a heading of it."""

from __future__ import annotations

import re
import typing as t
from pathlib import Path

FENCE = re.compile(r"^( *)```.*?^\1```", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\]\(([^)\s]+)\)|(?:src|srcset|href)=\"([^\"]+)\"")
HEADING = re.compile(r"^#+ +(.+)$", re.MULTILINE)


def broken_links(pages: t.Iterable[Path], generated: t.Container[Path] = ()) -> list[str]:
    """One sentence for each; ``generated`` are pages that only the site has."""
    return [sentence for page in pages for sentence in _of_page(page, generated)]


def anchors(text: str) -> set[str]:
    """The names that GitHub and MyST give to headings."""
    plain = (re.sub(r"[^\w\- ]", "", heading.lower()) for heading in HEADING.findall(FENCE.sub("", text)))
    return {heading.strip().replace(" ", "-") for heading in plain}


def _of_page(page: Path, generated: t.Container[Path]) -> t.Iterator[str]:
    text = FENCE.sub("", page.read_text(encoding="utf-8"))
    for first, second in LINK.findall(text):
        name, _hash, anchor = (first or second).partition("#")
        target = (page.parent / name).resolve() if name else page
        if ":" in name or target in generated:
            continue
        if not target.exists():
            yield f"{page}: there is no {name}"
        elif anchor and anchor not in anchors(target.read_text(encoding="utf-8")):
            yield f"{page}: {target.name} has no heading #{anchor}"
