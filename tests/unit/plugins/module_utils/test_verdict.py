# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.virtnet.rss.plugins.module_utils._errors import InputError
from ansible_collections.virtnet.rss.plugins.module_utils._verdict import rollout_verdict


def look(
    arrived: int = 0, dropped: int = 0, queues: list[int] | None = None, program: int = 1, ifindex: int = 7
) -> dict[str, t.Any]:
    """One result with one device."""
    tap = {
        "name": "vnet0",
        "netns_inode": 1,
        "ifindex": ifindex,
        "queues": len(queues) if queues else 4,
        "traffic": {"to_guest": arrived, "dropped": dropped, "from_guest": 0},
        "counters": {"queues": queues} if queues else None,
        "program": {"id": program} if queues else None,
    }
    return {"taps": [tap]}


QUIET = [look(), look()]
EVEN = [look(queues=[0] * 4), look(queues=[500] * 4)]
ONE_QUEUE = [look(queues=[0] * 4), look(queues=[4000, 0, 0, 0])]


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (QUIET, QUIET),
        (QUIET, EVEN),
        (ONE_QUEUE, EVEN),
        (ONE_QUEUE, ONE_QUEUE),  # one big flow, before and after
        (QUIET, [look(queues=[0] * 4), look(queues=[900, 0, 0, 0])]),  # too few to say
        (QUIET, [look(queues=[0]), look(queues=[4000])]),  # a guest with one queue
        ([look(0, 0), look(1000, 10)], [look(1000, 10), look(2000, 20)]),  # as bad as before
        ([look(0), look(999)], [look(999), look(999)]),  # quiet before, and now too
        ([look(), {"taps": []}], [look(), look(ifindex=8)]),  # came or went meanwhile
    ],
)
def test_go_on(before: list[dict[str, t.Any]], after: list[dict[str, t.Any]]) -> None:
    assert rollout_verdict(after, before) == []


def test_one_queue_gets_everything() -> None:
    assert rollout_verdict(ONE_QUEUE, EVEN) == ["vnet0: one of 4 queues gets 100 % of the packets, before 25 %"]
    assert rollout_verdict(ONE_QUEUE, QUIET) == ["vnet0: one of 4 queues gets 100 % of the packets"]


def test_one_queue_gets_much_more() -> None:
    most = [look(queues=[0] * 8), look(queues=[8900, 300, 300, 300, 100, 100, 0, 0])]
    even = [look(queues=[0] * 8), look(queues=[500] * 8)]
    assert rollout_verdict(most, even) == ["vnet0: one of 8 queues gets 89 % of the packets, before 12 %"]
    assert rollout_verdict(most, even, max_growth=0.8) == []


def test_nothing_arrives_any_more() -> None:
    before, after = [look(0), look(5000)], [look(5000), look(5000)]
    sentence = "vnet0: no packet reaches the guest any more, before it were 5000 in the same time"
    assert rollout_verdict(after, before) == [sentence]
    assert rollout_verdict(after, before, min_packets=6000) == []


def test_the_counters_of_another_program_are_not_subtracted() -> None:
    after = [look(queues=[9000] * 4, program=1), look(queues=[3000, 10, 10, 10], program=2)]
    assert rollout_verdict(after, QUIET) == ["vnet0: one of 4 queues gets 99 % of the packets"]


def test_more_drops() -> None:
    after = [look(1000, 0), look(1900, 100)]
    assert rollout_verdict(after, QUIET) == ["vnet0: 10.00 % of the packets for the guest are dropped, before 0.00 %"]
    assert rollout_verdict(after, QUIET, max_drops=0.2) == []


def test_no_window() -> None:
    with pytest.raises(InputError, match="before: it has 1 results of tap_steering_info, not two"):
        rollout_verdict(QUIET, QUIET[:1])
