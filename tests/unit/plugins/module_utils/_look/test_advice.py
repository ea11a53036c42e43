# Copyright (c) 2026, virtnet.rss contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is said of a device, from the packets that were seen."""

from __future__ import annotations

import typing as t
from dataclasses import replace

import pytest

from ansible_collections.virtnet.rss.plugins.module_utils._bpf.observe_program import Passed, Protocol, Taken
from ansible_collections.virtnet.rss.plugins.module_utils._look.advice import advise
from ansible_collections.virtnet.rss.plugins.module_utils._look.counters import Counters
from ansible_collections.virtnet.rss.plugins.module_utils._look.observation import Observation
from ansible_collections.virtnet.rss.plugins.module_utils._program.model import Configuration
from ansible_collections.virtnet.rss.plugins.module_utils._rss.config import REASONS, RssConfig
from ansible_collections.virtnet.rss.plugins.module_utils._steering.model import Device
from ansible_collections.virtnet.rss.plugins.module_utils._tun.device_id import DeviceId

EVEN = [250, 250, 250, 250]
ONE_CPU = [897, 106, 98, 80]
TCP, UDP, ARP = Protocol(0x0800, 6, 0, False), Protocol(0x0800, 17, 0, False), Protocol(0x0806, 0, 0, False)


def device(state: str, queues: int = 4) -> Device:
    return Device("vnet0", DeviceId(1, 7), 0x102, queues, state=state)


def counters(packets: list[int], reason: str = "tcpv4") -> Counters:
    place = REASONS.index(reason)
    return Counters(tuple(tuple(count if n == place else 0 for n in range(len(REASONS))) for count in packets))


def seen(
    now: list[int],
    would_be: list[int],
    *,
    agreed: float = 1,
    reason: str = "tcpv4",
    wider: list[int] | None = None,
    protocols: dict[Protocol, int] | None = None,
    hash_types: int = 63,
    table: tuple[int, ...] = (0, 1, 2, 3),
    unseen: int = 0,
    both: int = 0,
    wider_both: int = 0,
    symmetric: bool = False,
) -> Observation:
    return Observation(
        5,
        Configuration(RssConfig(bytes(40), hash_types, table, symmetric=symmetric)),
        tuple(Taken(count, int(agreed * count)) for count in now),
        counters(would_be, reason),
        counters(wider) if wider else None,
        Passed(sum(now), both),
        Passed(sum(now), wider_both),
        protocols or {TCP: sum(now)},
        unseen,
    )


def said(state: str, observation: Observation) -> tuple[str, str]:
    advice = advise(device(state, len(observation.now)), observation)
    return advice.verdict, advice.text


ROWS: list[tuple[str, Observation, str, str]] = [
    (
        "automatic",
        seen(ONE_CPU, [278, 278, 300, 325]),
        "steer",
        "steer it: the busiest queue takes 76 % of the packets, steered 28 %",
    ),
    (
        "automatic",
        seen(EVEN, EVEN),
        "leave",
        "leave it automatic: automatic selection spreads it well, the busiest queue takes 25 %",
    ),
    (
        "automatic",
        seen(ONE_CPU, ONE_CPU),
        "leave",
        "leave it automatic: the busiest queue takes 76 %, steered 76 %; a few flows have most of the packets, and a "
        "flow stays on one queue",
    ),
    (
        "automatic",
        seen(ONE_CPU, [1181, 0, 0, 0], reason="ipv4", protocols={ARP: 100, UDP: 1081}),
        "leave",
        "leave it automatic: the busiest queue takes 76 %, steered 100 %; 100 % of them have nothing but addresses to "
        "be told apart by (udp/ipv4)",
    ),
    (
        "automatic",
        seen([3, 2, 1, 0], EVEN),
        "unknown",
        "6 packets in 5 s are too few to tell: watch longer, or while it works",
    ),
    ("automatic", seen([900], [900]), "unknown", "one queue is enabled: there is nothing to choose"),
    ("automatic", Observation(5, reason="it went away"), "unknown", "it went away"),
    (
        "foreign",
        seen(ONE_CPU, EVEN),
        "steer",
        "steer it with foreign: replace: the busiest queue takes 76 % of the packets, steered 25 %",
    ),
    (
        "foreign",
        seen(EVEN, EVEN),
        "leave",
        "leave it as it is: a foreign program spreads it well, the busiest queue takes 25 %",
    ),
    (
        "steered",
        seen(EVEN, EVEN),
        "keep",
        "steered: 100 % of the packets took the queue that its program names, the busiest 25 %",
    ),
    (
        "steered",
        seen(EVEN, EVEN, agreed=0.4),
        "look",
        "only 40 % of the packets took the queue that its program names",
    ),
    (  # as the weights of its table want it
        "steered",
        seen([750, 250], [750, 250], table=(0, 0, 0, 1)),
        "keep",
        "steered: 100 % of the packets took the queue that its program names, the busiest 75 %",
    ),
    (
        "steered",
        seen(EVEN, EVEN, unseen=9000),
        "keep",
        "steered: 100 % of the packets took the queue that its program names, the busiest 25 %; 9000 more packets "
        "reached it past the selection (XDP), or had waited in its queues",
    ),
]


@pytest.mark.parametrize(("state", "observation", "verdict", "text"), ROWS)
def test_advice(state: str, observation: Observation, verdict: str, text: str) -> None:
    assert said(state, observation) == (verdict, text)


@pytest.mark.parametrize(
    ("state", "text"),
    [
        ("automatic", "steer it with hash_types: udpv4: the busiest queue takes 76 % of the packets, steered 25 %"),
        (
            "steered",
            "add hash_types: udpv4: the busiest queue takes 76 %, then 25 %; 100 % of the packets took the queue",
        ),
    ],
)
def test_words_that_help(state: str, text: str) -> None:
    """Those of the protocols that were seen, and that the configuration lacks."""
    few_types: dict[str, t.Any] = {"reason": "ipv4", "wider": EVEN, "hash_types": 3}
    observation = seen(ONE_CPU, ONE_CPU, protocols={UDP: 1100, ARP: 81}, **few_types)
    advice = advise(device(state), observation)
    assert advice.text.startswith(text) and advice.words == {"hash_types": ["udpv4"]}
    assert advice.verdict == ("steer" if state == "automatic" else "change")


def test_words_that_do_not_help_are_not_said() -> None:
    observation = seen(ONE_CPU, ONE_CPU, protocols={UDP: 1181}, wider=ONE_CPU, hash_types=3)
    assert advise(device("automatic"), observation).words == {}


COME = "of the packets are of connections that come to it in both directions: symmetric: true"
FOR_WHOM = "for a guest that keeps state for each CPU (firewall, load balancer, DPDK); the spread is no better for it"
BOTH_WAYS: list[tuple[str, Observation, str, str]] = [
    (
        "steered",
        seen(EVEN, EVEN, both=400),
        "keep",
        "steered: 100 % of the packets took the queue that its program names, the busiest 25 %; "
        f"40 % {COME} puts the two on one queue, {FOR_WHOM}",
    ),
    (
        "automatic",
        seen(ONE_CPU, EVEN, both=1181),
        "steer",
        "steer it: the busiest queue takes 76 % of the packets, steered 25 %; "
        f"100 % {COME} keeps the two on one queue, as they are now, {FOR_WHOM}",
    ),
]


@pytest.mark.parametrize(("state", "observation", "verdict", "text"), BOTH_WAYS)
def test_connections_that_come_in_both_directions(
    state: str, observation: Observation, verdict: str, text: str
) -> None:
    """The verdict stays what it is."""
    advice = advise(device(state), observation)
    assert (advice.verdict, advice.text, advice.words) == (verdict, text, {"symmetric": True})


@pytest.mark.parametrize(
    ("state", "observation"),
    [
        ("steered", seen(EVEN, EVEN, both=99)),  # less than a tenth
        ("steered", seen(EVEN, EVEN, both=1000, symmetric=True)),  # it is so already
        ("automatic", seen(EVEN, EVEN, both=1000)),  # as automatic selection has it
        ("steered", seen(EVEN, EVEN, both=1000, agreed=0.4)),  # something else is wrong
        ("steered", seen([3, 2, 1, 0], EVEN, both=6)),  # too few to tell
        # Its SPIs spread it, and each direction has its own: by addresses alone it would be one queue.
        ("steered", seen(EVEN, EVEN, reason="esp", hash_types=1 << 12, both=1000)),
    ],
)
def test_nothing_is_said_of_symmetric(state: str, observation: Observation) -> None:
    advice = advise(device(state), observation)
    assert "symmetric" not in advice.text and advice.words == {}


def test_both_directions_as_the_advised_words_tell_connections_apart() -> None:
    """Inside a tunnel, of which the outer headers go one way."""
    few_types: dict[str, t.Any] = {"reason": "ipv4", "wider": EVEN, "hash_types": 3, "protocols": {UDP: 1181}}
    observation = seen(ONE_CPU, ONE_CPU, wider_both=1181, **few_types)
    assert advise(device("automatic"), observation).words == {"hash_types": ["udpv4"], "symmetric": True}
    observation = seen(ONE_CPU, ONE_CPU, both=1181, **few_types)
    assert advise(device("automatic"), observation).words == {"hash_types": ["udpv4"]}


def test_flows_that_found_no_room_are_as_those_that_did() -> None:
    observation = replace(seen(EVEN, EVEN), passed=Passed(followed=200, both=50))
    assert observation.both_ways == 250
    assert replace(observation, passed=Passed(0, 0)).both_ways == 0
