# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.virtnet.rss.plugins.module_utils._look.counters import REASONS, Counters
from ansible_collections.virtnet.rss.plugins.module_utils._look.hints import hints, unspread_share
from ansible_collections.virtnet.rss.plugins.module_utils._look.implementation import Implementation
from ansible_collections.virtnet.rss.plugins.module_utils._look.look import Sighting
from ansible_collections.virtnet.rss.plugins.module_utils._look.measure import Measurement
from ansible_collections.virtnet.rss.plugins.module_utils._program.model import AttachedProgram, Configuration
from ansible_collections.virtnet.rss.plugins.module_utils._rss.config import (
    HASH_TYPES,
    TUNNEL_TYPES,
    RssConfig,
    hash_types_to_mask,
    tunnel_types_to_mask,
)
from ansible_collections.virtnet.rss.plugins.module_utils._steering.model import Device
from ansible_collections.virtnet.rss.plugins.module_utils._tun.device_id import DeviceId

TABLE = tuple(entry % 4 for entry in range(128))
PLAIN = RssConfig(bytes(40), 0x3F, TABLE)
EVERYTHING = RssConfig(
    bytes(40), hash_types_to_mask(HASH_TYPES), TABLE, tunnel_types=tunnel_types_to_mask(TUNNEL_TYPES)
)


def sighting(
    by_queue: list[dict[str, int]], rss: RssConfig = PLAIN, *, queues: int = 4, measurement: Measurement | None = None
) -> Sighting:
    """``by_queue``: packets of each reason for each queue."""
    program = AttachedProgram(1, "virtnet_rss", "t", configuration=Configuration(rss))
    device = Device("tap0", DeviceId(1, 7), 0x1102, queues, state="steered", program=program)
    counters = Counters(tuple(tuple(reasons.get(name, 0) for name in REASONS) for reasons in by_queue))
    return Sighting(t.cast("t.Any", None), device, Implementation("ebpf"), counters=counters, measurement=measurement)


def test_packets_with_nothing_but_addresses() -> None:
    (hint,) = hints(sighting([{"ipv4": 8000, "tcpv4": 500}, {"tcpv4": 500}, {"tcpv4": 500}, {"tcpv4": 500}]))
    assert hint.startswith("the busiest queue has 3.4 times its part: 80 % are hashed by their addresses alone (ipv4);")
    assert "it may lack hash_types sctp, udplite, dccp, esp, ah, l2tpv3 or tunnel_types gre_2784" in hint
    assert "tcpv4" not in hint and hint.endswith("virtnet-rss advise tap0 names the protocols")


def test_packets_that_are_not_hashed() -> None:
    (hint,) = hints(sighting([{"none": 9000}, {"udpv6": 1000}, {}, {}]))
    assert "90 % are not hashed; it may lack tunnel_types pppoe, mpls;" in hint


def test_no_word_cures_it() -> None:
    (hint,) = hints(sighting([{"ipv6": 9000}, {}, {}, {}], EVERYTHING))
    assert "no word of tap_steering tells more of them apart" in hint


@pytest.mark.parametrize(
    "told",
    [
        sighting([{"ipv4": 100}, {}, {}, {}]),  # too few
        sighting([{"ipv4": 2500}] * 4),  # even
        sighting([{"tcpv4": 9000}, {"ipv4": 1000}, {}, {}]),  # another cause: few flows
        sighting([{"ipv4": 9000}], queues=1),  # nothing to choose
        sighting(
            [{"ipv4": 9000}, {}, {}, {}], RssConfig(bytes(40), 0x3F, TABLE, redirect=False)
        ),  # as it was asked for
        sighting([{}, {}, {}, {}]),
    ],
)
def test_nothing_is_said(told: Sighting) -> None:
    assert hints(told) == []


def test_share() -> None:
    assert unspread_share(sighting([{"ipv6_ex": 1, "none": 1, "tcpv4": 2}])) == 0.5
    assert unspread_share(sighting([{}])) is None


@pytest.mark.parametrize(
    ("packets", "arrived", "said"),
    [(0, 5000, True), (4400, 5000, True), (4600, 5000, False), (0, 40, False), (0, None, False), (5000, 4000, False)],
)
def test_packets_past_the_program(packets: int, arrived: int | None, said: bool) -> None:
    found = hints(sighting([{}] * 4, measurement=Measurement(2.0, packets, 1, arrived)))
    assert bool(found) is said
    if found:
        assert found[0].startswith(
            f"{arrived - packets if arrived else 0} of {arrived} packets in 2 s reached the guest"
        )
    assert hints(sighting([{}], queues=1, measurement=Measurement(2.0, packets, 1, arrived))) == []
