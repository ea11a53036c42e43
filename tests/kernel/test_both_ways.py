# SPDX-License-Identifier: GPL-3.0-or-later
"""Connections of which both directions come to a guest: how many of its packets are of such, and what is said of it."""

from __future__ import annotations

import random
import typing as t

import pytest

from ansible_collections.virtnet.rss.plugins.module_utils._look.advice import advise
from ansible_collections.virtnet.rss.plugins.module_utils._look.look import look
from ansible_collections.virtnet.rss.plugins.module_utils._look.observation import (
    Observation,
    observe,
    wanted_configuration,
)
from ansible_collections.virtnet.rss.plugins.module_utils._steering.desired import desired_from
from ansible_collections.virtnet.rss.plugins.module_utils._tun.netns import current_namespace
from ansible_collections.virtnet.rss.tests.packets.builder import (
    ESP,
    ICMP,
    TCP,
    UDP,
    VXLAN,
    ipv4,
    over_udp,
    tagged,
    vxlan,
)
from ansible_collections.virtnet.rss.tests.packets.workloads import answer, tcp4, udp6
from ansible_collections.virtnet.rss.tests.support.held_tap import HeldTap
from ansible_collections.virtnet.rss.tests.support.measured import guest
from ansible_collections.virtnet.rss.tests.support.run_module import run_module

KEY = bytes(range(40)).hex()
EACH = 3  # packets of a flow in one direction
Frames = t.List[bytes]


def flows(build: t.Callable[[random.Random], bytes] = tcp4, count: int = 100, seed: int = 1) -> Frames:
    source = random.Random(seed)
    return [build(source).ljust(64, b"\0") for _number in range(count)]


def back(frames: Frames) -> Frames:
    return [answer(frame) for frame in frames]


def watched(tap: HeldTap, frames: Frames, **options: t.Any) -> Observation:
    desired = desired_from({"hash_key": KEY, **options})
    (observation,) = observe(
        look([tap.name], [current_namespace()]).sightings,
        lambda each: wanted_configuration(each.device, desired),
        1,
        sleep=lambda _seconds: tap.send(frames),
    )
    assert not observation.reason and sum(observation.now) == len(frames)
    return observation


def icmp(source: random.Random) -> bytes:
    return ipv4(source.randbytes(8), ICMP, src=source.randbytes(4))


def in_vlan(source: random.Random) -> bytes:
    return tagged(tcp4(source), 0x8100)


@pytest.mark.parametrize("build", [tcp4, udp6, icmp, in_vlan])
def test_all_none_and_some(tap: HeldTap, build: t.Callable[[random.Random], bytes]) -> None:
    one_way, both = flows(build), flows(build, 30, seed=2)
    assert watched(tap, one_way * EACH).both_ways == 0
    assert watched(tap, (both + back(both)) * EACH).both_ways == 60 * EACH
    # The other direction comes last, once.
    assert watched(tap, (one_way + both) * EACH + back(both)).both_ways == 30 * (EACH + 1)


def test_answers_of_another_protocol_and_of_another_port_are_other_flows(tap: HeldTap) -> None:
    one_way = [ipv4(bytes([0, 9, 0, port]) + bytes(60), TCP) for port in range(50)]
    others = [answer(ipv4(bytes([0, 9, 0, port]) + bytes(60), UDP)) for port in range(50)]
    others += [answer(ipv4(bytes([0, 9, 1, port]) + bytes(60), TCP)) for port in range(50)]
    assert watched(tap, one_way + others).both_ways == 0


def test_both_ends_the_same(tap: HeldTap) -> None:
    land = ipv4(bytes([0, 9, 0, 9]) + bytes(60), TCP, dst=bytes([192, 0, 2, 1]))
    assert watched(tap, [land] * 9).both_ways == 0


def test_inside_a_tunnel(tap: HeldTap) -> None:
    """As far as the configuration, or one with every word, looks into it; the outer header is always the same."""
    inner = flows()
    frames = [ipv4(over_udp(vxlan(frame), VXLAN), UDP) for frame in inner + back(inner)]
    observation = watched(tap, frames)
    assert (observation.both_ways, observation.both_ways_with_every_word) == (0, len(frames))
    assert watched(tap, frames, tunnel_types=["vxlan"]).both_ways == len(frames)


def test_a_number_that_each_direction_has_of_its_own(tap: HeldTap) -> None:
    """An SPI: the two directions cannot be put together by it."""
    frames = flows(lambda source: ipv4(source.randbytes(16), ESP))
    assert watched(tap, frames + back(frames)).both_ways == 0


def test_more_flows_than_are_followed(tap: HeldTap) -> None:
    """The first 4096 stand for the others: all of them, and half of them."""
    frames = flows(count=6000)
    pairs = [frame for flow in frames for frame in (flow, answer(flow))]
    assert watched(tap, pairs).both_ways == len(pairs)
    half = [frame for flow in frames for frame in (flow, flow if flow[29] & 1 else answer(flow))]
    expected = 2 * sum(not flow[29] & 1 for flow in frames)
    assert abs(watched(tap, half).both_ways - expected) < 0.05 * expected


def test_what_symmetric_is_for(tap: HeldTap) -> None:
    """Automatic selection has both directions on one queue, a program only with the word that is advised."""
    there = flows()
    frames = there + back(there)

    def together() -> int:
        where = {frame: queue for queue, frame in tap.send(frames)}
        return sum(where[frame] == where[answer(frame)] for frame in there)

    assert together() == len(there)
    with guest(tap) as send:
        for number, frame in enumerate(there):
            send(number % 4, answer(frame))  # learns: what comes back of it is for that queue
    assert together() == len(there)
    assert run_module("tap_steering", {"taps": ["tap0"], "hash_key": KEY})["changed"]
    assert together() < len(there) / 2
    advice = advise(look(["tap0"], [current_namespace()]).sightings[0].device, watched(tap, frames))
    assert (advice.verdict, advice.words) == ("keep", {"symmetric": True})
    assert run_module("tap_steering", {"taps": ["tap0"], "hash_key": KEY, "symmetric": True})["changed"]
    assert together() == len(there)
    observation = watched(tap, frames, symmetric=True)
    assert observation.both_ways == observation.agreed == len(frames)
    assert advise(look(["tap0"], [current_namespace()]).sightings[0].device, observation).words == {}
