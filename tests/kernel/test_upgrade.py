# SPDX-License-Identifier: GPL-3.0-or-later
"""A device that release 0.1.0 steers: its program is ours, is read, and makes way without losing a packet."""

from __future__ import annotations

import socket
import threading
import typing as t

import pytest

from ansible_collections.virtnet.rss.plugins.module_utils._bpf.libbpf import load_libbpf
from ansible_collections.virtnet.rss.plugins.module_utils._bpf.steering_builds import DIRECT, HELPER, PLAIN, TAGS_0_1_0
from ansible_collections.virtnet.rss.plugins.module_utils._bpf.steering_program import SteeringProgram
from ansible_collections.virtnet.rss.plugins.module_utils._host.devices import give_back
from ansible_collections.virtnet.rss.plugins.module_utils._policy.rules import Policy
from ansible_collections.virtnet.rss.plugins.module_utils._program.model import Configuration
from ansible_collections.virtnet.rss.plugins.module_utils._program.rodata import Identity, encode
from ansible_collections.virtnet.rss.plugins.module_utils._rss.config import RssConfig
from ansible_collections.virtnet.rss.plugins.module_utils._rss.hashing import steer
from ansible_collections.virtnet.rss.plugins.module_utils._steering.model import AUTOMATIC, FOREIGN, STEERED
from ansible_collections.virtnet.rss.plugins.module_utils._steering.observe import Observer
from ansible_collections.virtnet.rss.plugins.module_utils._tun.device_id import DeviceId
from ansible_collections.virtnet.rss.plugins.module_utils._tun.netns import current_namespace
from ansible_collections.virtnet.rss.tests.packets.generate import random_flows
from ansible_collections.virtnet.rss.tests.support import foreign
from ansible_collections.virtnet.rss.tests.support.held_tap import HeldTap
from ansible_collections.virtnet.rss.tests.support.run_module import run_module
from ansible_collections.virtnet.rss.tests.support.steered import attach_foreign

KEY = bytes(range(40))
SIX = ["ipv4", "tcpv4", "udpv4", "ipv6", "tcpv6", "udpv6"]
# What 0.1.0 attached by default, and the same in the words of a task of today.
FORMER = Configuration(RssConfig(KEY, 0x3F, tuple(entry % 4 for entry in range(128))))
SAME = {"hash_types": SIX, "tunnel_types": [], "hash_key": KEY.hex(), "indirection": {"equal": 4, "size": 128}}
FRAMES = random_flows(seed=6, count=400)


@pytest.fixture
def steered_by_the_former_release(tap: HeldTap) -> HeldTap:
    """Its layout of .rodata, and its very instructions."""
    index = socket.if_nametoindex(tap.name)
    rodata = encode(Identity(tap.name, DeviceId(current_namespace().inode, index)), FORMER)
    assert rodata[4:8] == (1).to_bytes(4, "little" if rodata[:4] == b"VSRS" else "big")
    with SteeringProgram(load_libbpf(), rodata, queues=4, elf=PLAIN.elf(HELPER)) as program:
        assert program.describe().tag in {tag for tags in TAGS_0_1_0.values() for tag in tags}
    foreign.attach(tap, rodata, PLAIN.elf(HELPER))
    return tap


def look() -> dict[str, t.Any]:
    (told,) = run_module("tap_steering_info", {"taps": ["tap0"]})["taps"]
    return dict(told)


@pytest.mark.usefixtures("steered_by_the_former_release")
def test_it_is_ours_and_is_read() -> None:
    told = look()
    assert (told["state"], told["program"]["owner"], told["program"]["reads"]) == ("steered", "virtnet.rss", HELPER)
    assert told["config"]["hash_types"] == SIX and told["config"]["indirection"]["equal"] == 4


@pytest.mark.usefixtures("steered_by_the_former_release")
def test_what_is_wanted_already_is_left() -> None:
    (done,) = run_module("tap_steering", {"taps": ["tap0"], **SAME})["taps"]
    assert (done["action"], done["changed"]) == ("none", False)


def test_it_is_replaced_when_anything_differs_and_no_packet_is_lost(steered_by_the_former_release: HeldTap) -> None:
    tap, words = steered_by_the_former_release, {**SAME, "hash_types": [*SIX, "esp"], "tunnel_types": ["ipip"]}
    done: list[dict[str, t.Any]] = []
    work = threading.Thread(target=lambda: done.append(run_module("tap_steering", {"taps": ["tap0"], **words})))
    work.start()
    arrived = []
    while work.is_alive():
        arrived.append(sorted(frame for _queue, frame in tap.send(FRAMES)))
    work.join()
    assert all(frames == sorted(FRAMES) for frames in arrived) and len(arrived) > 1
    report = done[0]["taps"][0]
    assert (report["action"], report["before"]["program"]["owner"]) == ("replace", "virtnet.rss")
    assert report["program"]["reads"] in (DIRECT, HELPER)
    expected = sorted((steer(frame, FORMER.rss).queue, frame) for frame in FRAMES)
    assert sorted(tap.send(FRAMES)) == expected  # the key is kept, and these packets are hashed as before


def test_a_rollback_takes_off_only_what_is_ours(tap: HeldTap) -> None:
    """A former release takes a program of this one for foreign as it does QEMU's: only the first one is handed over."""
    with HeldTap("tap1") as guest_of_qemu:
        attach_foreign(guest_of_qemu)
        run_module("tap_steering", {"taps": ["tap0"]})
        with Observer() as observer:
            before = {device.name: device for device in observer.devices()}
            assert {name: device.state for name, device in before.items()} == {"tap0": STEERED, "tap1": FOREIGN}
            strange = {device.id for device in before.values()}
            give_back(observer, Policy(), only=strange, spared=(), check=False)
            after = {device.name: device for device in observer.devices()}
        assert after["tap0"].state == AUTOMATIC and tap.pid
        assert after["tap1"] == before["tap1"]
