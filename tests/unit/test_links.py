# Copyright (c) 2026, virtnet.rss contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The relative links of Markdown pages lead to a file, and their anchors to a heading of it."""

from __future__ import annotations

import re
import typing as t
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted(
    {*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md"), *ROOT.glob("roles/*/README.md")} - {ROOT / "CHANGELOG.md"}
)
# `make docs` makes it. CHANGELOG.md has anchors of its own.
GENERATED = {ROOT / "docs" / "kernels.md"}
FENCE = re.compile(r"^( *)```.*?^\1```", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\]\(([^)\s]+)\)|(?:src|srcset|href)=\"([^\"]+)\"")
HEADING = re.compile(r"^#+ +(.+)$", re.MULTILINE)


def anchors(text: str) -> set[str]:
    """The names that GitHub and MyST give to headings."""
    plain = (re.sub(r"[^\w\- ]", "", heading.lower()) for heading in HEADING.findall(FENCE.sub("", text)))
    return {heading.strip().replace(" ", "-") for heading in plain}


def broken_links(page: Path) -> t.Iterator[str]:
    text = FENCE.sub("", page.read_text(encoding="utf-8"))
    for first, second in LINK.findall(text):
        name, _hash, anchor = (first or second).partition("#")
        target = (page.parent / name).resolve() if name else page
        if ":" in name or target in GENERATED:
            continue
        if not target.exists():
            yield f"there is no {name}"
        elif anchor and anchor not in anchors(target.read_text(encoding="utf-8")):
            yield f"{target.name} has no heading #{anchor}"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    assert list(broken_links(page)) == []


def test_broken_links_are_found(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("# One\n[a](#one) [b](#two) [c](no.md)\n```\n[d](no.md)\n```\n", encoding="utf-8")
    assert list(broken_links(page)) == ["page.md has no heading #two", "there is no no.md"]
