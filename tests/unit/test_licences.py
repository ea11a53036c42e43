# Copyright (c) 2026, virtnet.rss contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The programs that are loaded come with their source, under both its licences."""

from __future__ import annotations

from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SOURCES = sorted((ROOT / "bpf").glob("*.[ch]"))


@pytest.mark.parametrize("source", SOURCES, ids=lambda path: path.name)
def test_a_program_is_under_both_licences(source: Path) -> None:
    first = source.read_text(encoding="utf-8").splitlines()[0]
    assert " GPL-2.0-only OR BSD-2-Clause" in first


@pytest.mark.parametrize("name", ["GPL-2.0-only", "BSD-2-Clause"])
def test_their_texts_are_there(name: str) -> None:
    assert (ROOT / "LICENSES" / f"{name}.txt").is_file()
