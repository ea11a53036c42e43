# SPDX-License-Identifier: GPL-3.0-or-later
"""What docs/operators.md says of when to steer is what happens here: the busiest queue's share, and what to do."""

from __future__ import annotations

import functools
import re
from pathlib import Path

import pytest

from ansible_collections.virtnet.rss.tests.packets.workloads import WORKLOADS, Workload
from ansible_collections.virtnet.rss.tests.support.measured import HEAD, measure, row

PAGE = Path(__file__).parents[2] / "docs" / "operators.md"
NEAR = 8  # percentage points: automatic selection has another random number at each boot


@functools.lru_cache(maxsize=None)
def table() -> dict[str, list[str]]:
    """The cells of each row of the page's table, by the first."""
    text = PAGE.read_text(encoding="utf-8").split(f"| {' | '.join(HEAD)} |\n", 1)[1]
    lines = text.split("\n\n", 1)[0].splitlines()[1:]
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    return {cells[0]: cells for cells in rows}


def numbers(cell: str) -> list[int]:
    return [int(number) for number in re.findall(r"\d+", cell)]


@pytest.mark.parametrize("workload", WORKLOADS, ids=[each.name for each in WORKLOADS])
def test_the_page_says_what_happens(workload: Workload) -> None:
    measured = measure(workload)
    assert measured.predicted == measured.steered
    found = [cell.strip() for cell in row(workload, measured).strip("|").split("|")]
    told = table()[workload.name]
    assert found[3] == told[3]
    for here, there in zip(found[1:3], told[1:3]):
        assert len(numbers(here)) == len(numbers(there))
        assert all(abs(one - other) <= NEAR for one, other in zip(numbers(here), numbers(there))), (here, there)


def test_the_page_has_no_other_rows() -> None:
    assert set(table()) == {each.name for each in WORKLOADS}
