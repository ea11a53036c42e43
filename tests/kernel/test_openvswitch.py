# SPDX-License-Identifier: GPL-3.0-or-later
"""A guest whose TAP device is a port of Open vSwitch: steered as any other, whatever the switch does."""

from __future__ import annotations

import socket
import subprocess
import time
import typing as t
from pathlib import Path

import pytest

from ansible_collections.virtnet.rss.plugins.module_utils._rss.hashing import steer
from ansible_collections.virtnet.rss.tests.packets.workloads import WORKLOADS
from ansible_collections.virtnet.rss.tests.support.defaults import default_rss
from ansible_collections.virtnet.rss.tests.support.eventually import eventually, settled
from ansible_collections.virtnet.rss.tests.support.held_tap import HeldTap
from ansible_collections.virtnet.rss.tests.support.openvswitch import OpenVSwitch, programs
from ansible_collections.virtnet.rss.tests.support.run_module import run_module

KEY = bytes(range(40))
FRAMES = [frame for workload in WORKLOADS[:4] for frame in workload.packets[:50]]
WIRE = """
ip link add wire0 type veth peer name wire1
for name in wire0 wire1; do echo 1 > /proc/sys/net/ipv6/conf/$name/disable_ipv6; ip link set $name up; done
"""
PORTS = ["add-port", "br0", "tap0", "--", "add-port", "br0", "wire1"]


@pytest.fixture(name="root", scope="module")
def _root() -> Path:
    """Before a test is in a network namespace of its own, from which nothing can be downloaded."""
    return programs()


@pytest.fixture(name="switch")
def _switch(root: Path, tap: HeldTap, tmp_path: Path) -> t.Iterator[OpenVSwitch]:
    """A bridge with the guest, and a wire to the rest of the world."""
    assert tap.pid
    subprocess.run(["sh", "-e", "-c", WIRE], check=True)
    with OpenVSwitch(root, tmp_path) as switch:
        switch.vsctl("add-br", "br0", "--", "set", "bridge", "br0", "datapath_type=netdev", "--", *PORTS)
        yield switch
        switch.vsctl("del-br", "br0")


def through_the_switch(tap: HeldTap) -> list[tuple[int, bytes]]:
    """Sent on the wire: what arrived at the guest, and on which queue.

    All of it is sent again until all has arrived, as after a change of its ports the switch uses the flows of before,
    in which the guest is none of them, until its revalidators come round (Open vSwitch, ofproto-dpif-upcall.c).
    """
    return t.cast("list[tuple[int, bytes]]", eventually(lambda: once_through_the_switch(tap), 20))


def once_through_the_switch(tap: HeldTap) -> list[tuple[int, bytes]]:
    """The same for one time; nothing unless all arrived."""
    arrived: list[tuple[int, bytes]] = []

    def all_there() -> bool:
        arrived.extend(tap.received())
        return len(arrived) >= len(FRAMES)

    with socket.socket(socket.AF_PACKET, socket.SOCK_RAW) as wire:
        wire.bind(("wire0", 0))
        for frame in FRAMES:
            wire.send(frame)
            time.sleep(0.0005)  # the switch reads no more than it has room for
    return sorted(arrived) if settled(all_there, 2) else []


def predicted() -> list[tuple[int, bytes]]:
    return sorted((steer(frame, default_rss(KEY, 4)).queue, frame) for frame in FRAMES)


def program() -> int:
    (told,) = run_module("tap_steering_info", {"taps": ["tap0"]})["taps"]
    assert told["state"] == "steered"
    return t.cast("int", told["program"]["id"])


def test_it_is_steered_and_stays_so(tap: HeldTap, switch: OpenVSwitch) -> None:
    """While the switch is restarted, and while its port is taken away and made again."""
    assert through_the_switch(tap) != predicted()  # by automatic selection
    assert run_module("tap_steering", {"taps": ["tap0"], "hash_key": KEY.hex()})["changed"]
    attached = program()
    assert through_the_switch(tap) == predicted()

    switch.stop()
    assert program() == attached
    switch.start()
    switch.vsctl("set", "bridge", "br0", "other-config:virtnet=restarted")  # waits until it runs
    assert through_the_switch(tap) == predicted() and program() == attached

    switch.vsctl("del-port", "br0", "tap0")
    switch.vsctl("add-port", "br0", "tap0")
    assert through_the_switch(tap) == predicted() and program() == attached

    assert run_module("tap_steering", {"taps": ["tap0"], "state": "absent"})["changed"]
    assert through_the_switch(tap) != predicted()
