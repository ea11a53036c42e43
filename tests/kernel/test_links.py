# SPDX-License-Identifier: GPL-3.0-or-later
"""What the kernel tells of real devices, beside what `ip` made of them."""

from __future__ import annotations

import fcntl
import os
import struct
import subprocess
import typing as t

import pytest

from ansible_collections.virtnet.rss.plugins.module_utils._errors import DeviceError
from ansible_collections.virtnet.rss.plugins.module_utils._tun.ioctls import TUNSETIFF, open_control
from ansible_collections.virtnet.rss.plugins.module_utils._tun.links import Link, Traffic, find_link, list_links

LONG_NAME = "the-interface-of-a-guest-with-a-name-longer-than-fifteen-bytes"


def ip(*words: str) -> None:
    subprocess.run(["ip", *words], check=True)


@pytest.fixture
def tap() -> Link:
    """One with all that a link can have, and its bridge."""
    ip("link", "add", "br0", "type", "bridge")
    ip("tuntap", "add", "tap0", "mode", "tap", "multi_queue", "vnet_hdr", "user", "0", "group", "7")
    ip("link", "set", "tap0", "up", "mtu", "1400", "master", "br0", "address", "02:00:00:00:00:07", "alias", "web 1")
    ip("link", "property", "add", "dev", "tap0", "altname", LONG_NAME, "altname", "short")
    return next(link for link in list_links() if link.name == "tap0")


def test_all_that_a_link_has(tap: Link) -> None:
    bridge = find_link("br0")
    assert bridge and bridge.kind == "bridge"
    assert tap == Link(
        "tap0",
        tap.ifindex,
        "tun",
        0x5902,
        queues=0,
        owner=0,
        group=7,
        traffic=Traffic(0, 0, 0),
        mtu=1400,
        up=True,
        master=bridge.ifindex,
        address="02:00:00:00:00:07",
        ifalias="web 1",
        altnames=(LONG_NAME, "short"),
    )


def test_found_by_index_name_and_alternative_name(tap: Link) -> None:
    for which in (tap.ifindex, "tap0", "short", LONG_NAME):
        found = find_link(which)
        assert found and found.name == "tap0" and found.mtu == 1400, which
    assert find_link("tap1") is None
    assert find_link(tap.ifindex + 1000) is None


def test_a_name_that_is_no_utf_8() -> None:
    descriptor = open_control()
    try:
        fcntl.ioctl(descriptor, TUNSETIFF, bytearray(struct.pack("=16sH", b"tap\xff", 0x1002).ljust(40, b"\0")))
        found = find_link("tap\udcff")
        assert found in list_links()
        assert found and os.fsencode(found.name) == b"tap\xff"
    finally:
        os.close(descriptor)


@pytest.mark.parametrize("name", ["x" * 128, "x" * 4000])
def test_a_name_that_no_device_can_have(name: str) -> None:
    with pytest.raises(DeviceError, match="the kernel refused to tell of network devices"):
        find_link(name)


def test_no_descriptor_is_left(tap: Link) -> None:
    def descriptors() -> t.Sequence[str]:
        return os.listdir("/proc/self/fd")

    before = len(descriptors())
    find_link(tap.ifindex)
    find_link("none")
    assert len(descriptors()) == before
