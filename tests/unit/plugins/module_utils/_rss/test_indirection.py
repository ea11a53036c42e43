# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.virtnet.rss.plugins.module_utils._errors import InputError
from ansible_collections.virtnet.rss.plugins.module_utils._rss.indirection import describe_table, indirection_table

TABLES = [
    ({"equal": 4, "size": 8}, (0, 1, 2, 3, 0, 1, 2, 3)),
    ({"equal": 3, "size": 4}, (0, 1, 2, 0)),
    ({"equal": 2, "start": 2, "size": 4}, (2, 3, 2, 3)),
    ({"equal": 1, "size": 1}, (0,)),
    ({"equal": 1, "start": 255, "size": 2}, (255, 255)),
    ({"weight": [3, 3, 1, 1], "size": 8}, (0, 0, 0, 1, 1, 1, 2, 3)),
    ({"weight": [1, 0, 1], "size": 4}, (0, 0, 2, 2)),
    ({"weight": [1, 1, 1], "size": 4}, (0, 1, 2, 2)),
    ({"weight": [5], "start": 3, "size": 2}, (3, 3)),
    ({"weight": [1, 1000, 1000, 1000], "size": 8}, (0, 1, 1, 2, 2, 3, 3, 3)),
    ({"weight": [1, 99, 1, 0, 1], "size": 4}, (0, 1, 2, 4)),
    ({"table": [3, 1, 1, 0]}, (3, 1, 1, 0)),
    ({"table": [7]}, (7,)),
]
REFUSED: list[dict[str, t.Any]] = [
    {},
    {"equal": 1, "table": [0]},
    {"equal": 1, "weight": [1]},
    {"equal": 0},
    {"equal": -1},
    {"equal": 257},
    {"equal": 256, "start": 1},
    {"equal": 129, "size": 128},
    {"weight": [1] * 5, "size": 4},
    {"equal": 1, "start": -1},
    {"equal": 1, "start": 256},
    {"equal": 1, "size": 0},
    {"equal": 1, "size": 100},
    {"equal": 1, "size": 1024},
    {"equal": 1, "size": -128},
    {"weight": []},
    {"weight": [0, 0]},
    {"weight": [2, -1]},
    {"weight": [1] * 257},
    {"weight": [1, 1], "start": 255},
    {"table": []},
    {"table": [0, 1, 2]},
    {"table": [0] * 1024},
    {"table": [256]},
    {"table": [-1]},
]


@pytest.mark.parametrize(("words", "table"), TABLES)
def test_tables(words: dict[str, t.Any], table: tuple[int, ...]) -> None:
    assert indirection_table(**words) == table


@pytest.mark.parametrize("words", REFUSED, ids=str)
def test_refused(words: dict[str, t.Any]) -> None:
    with pytest.raises(InputError, match=r"^indirection"):
        indirection_table(**words)


@pytest.mark.parametrize(("words", "table"), TABLES)
def test_described_tables_come_back(words: dict[str, t.Any], table: tuple[int, ...]) -> None:
    assert indirection_table(**describe_table(table)) == table
    if "equal" in words:
        assert "equal" in describe_table(table)


@pytest.mark.parametrize("queues", range(1, 257))
def test_every_queue_has_an_entry(queues: int) -> None:
    """FINDINGS: of 200 queues, 72 never had a packet."""
    table = indirection_table(equal=queues)
    counts = [table.count(queue) for queue in range(queues)]
    assert min(counts) >= min(4, 512 // queues) and max(counts) - min(counts) <= 1
    assert len(table) in (128, 256, 512)
    assert set(indirection_table(weight=[1, *[1000] * (queues - 1)])) == set(range(queues))


def test_weights_are_described_as_weights() -> None:
    assert describe_table(indirection_table(weight=[6, 2], size=64)) == {"weight": [3, 1], "start": 0, "size": 64}
    assert describe_table(indirection_table(weight=[2, 0, 2], start=1)) == {
        "weight": [1, 0, 1],
        "start": 1,
        "size": 128,
    }
