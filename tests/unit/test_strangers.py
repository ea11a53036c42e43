# Copyright (c) 2026, virtnet.rss contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Every row of docs/strangers.md and docs/new-users.md has a test, and every test that the pages name is there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGES = [ROOT / "docs" / name for name in ("strangers.md", "new-users.md")]
ROWS = {"K1": 10, "K2": 6, "K3": 8, "K4": 2, "K5": 3, "K6": 8, "K8": 17}
NAMED = re.compile(r"`(tests/[^`:]+\.py)::(test_\w+)`")


def rows() -> dict[tuple[str, int], list[tuple[str, str]]]:
    """The tests of each row, by its section and number."""
    found = {}
    text = "".join(page.read_text(encoding="utf-8") for page in PAGES)
    for section in re.split(r"^## ", text, flags=re.MULTILINE):
        for number, cells in re.findall(r"^\| (\d+) \|(.*)$", section, re.MULTILINE):
            found[section[:2], int(number)] = NAMED.findall(cells)
    return found


def test_every_row_is_there() -> None:
    assert list(rows()) == [(section, number + 1) for section, count in ROWS.items() for number in range(count)]


@pytest.mark.parametrize(("section", "number"), list(rows()))
def test_every_row_has_tests_that_exist(section: str, number: int) -> None:
    named = rows()[section, number]
    assert named
    for path, name in named:
        assert re.search(rf"^ *def {name}\(", (ROOT / path).read_text(encoding="utf-8"), re.MULTILINE), (path, name)
