# SPDX-License-Identifier: GPL-3.0-or-later
"""When a rollout will be over."""

from __future__ import annotations

import random
import typing as t
from types import SimpleNamespace

import pytest

from ansible_collections.virtnet.rss.plugins.plugin_utils._time_left import Pace, batch_sizes

OURS: t.Final[list[int | str]] = [1, "10%", "30%", "100%"]
NUMBERS: t.Final[list[int | str]] = [1, 3, "5%", "10%", "33%", "100%", 0]


@pytest.mark.parametrize(
    ("hosts", "serial", "sizes"),
    [
        (60, OURS, [1, 6, 18, 35]),
        (1, OURS, [1]),
        (5, OURS, [1, 1, 1, 2]),
        (200, OURS, [1, 20, 60, 119]),
        (7, [3], [3, 3, 1]),
        (7, ["3"], [3, 3, 1]),
        (7, [0], [7]),
        (7, [], [7]),
        (7, [2, -1], [2, 5]),
        (7, ["1%"], [1] * 7),
    ],
)
def test_batches(hosts: int, serial: list[int | str], sizes: list[int]) -> None:
    assert batch_sizes(hosts, serial) == sizes


def test_the_batches_that_ansible_makes() -> None:
    """Asked of Ansible itself, for serials by chance."""
    executor = pytest.importorskip("ansible.executor.playbook_executor").PlaybookExecutor
    chance = random.Random(9)
    for _case in range(300):
        hosts = chance.randrange(1, 400)
        serial = chance.choices(NUMBERS, k=chance.randrange(1, 5))

        executed = executor.__new__(executor)
        executed._inventory = SimpleNamespace(get_hosts=lambda *_, hosts=hosts, **__: list(range(hosts)))
        play = t.cast("t.Any", SimpleNamespace(hosts="all", order=None, serial=serial))
        assert batch_sizes(hosts, serial) == [len(batch) for batch in executed._get_serialized_batches(play)]


@pytest.mark.parametrize(("forks", "work"), [(5, 3.0), (50, 7.0), (1, 0.5)])
def test_it_is_right_from_the_first_batch_on(forks: int, work: float) -> None:
    """Where each host takes the same, and each batch waits: what is told is what it will take."""
    pace, hosts = Pace(OURS, 50.0, forks), 200
    sizes = batch_sizes(hosts, OURS)
    takes = [50.0 + work * -(-size // forks) for size in sizes]
    for over in range(1, len(sizes)):
        left = pace.seconds_left(hosts=hosts, done=sum(sizes[:over]), seconds=sum(takes[:over]), waited=True)
        assert left == pytest.approx(sum(takes[over:]))


def test_where_nothing_changes_nobody_waits() -> None:
    assert Pace([10], 50.0, 5).seconds_left(hosts=40, done=10, seconds=4.0, waited=False) == pytest.approx(12.0)


def test_no_batch_is_over_before_it_has_begun() -> None:
    """Batches that waited for less than they were told to."""
    assert Pace([10], 50.0, 5).seconds_left(hosts=20, done=10, seconds=4.0, waited=True) == 50.0
