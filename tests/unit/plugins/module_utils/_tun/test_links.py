# SPDX-License-Identifier: GPL-3.0-or-later
"""What the kernel's messages say, laid out by hand; tests/kernel has real ones."""

from __future__ import annotations

import struct

import pytest

from ansible_collections.virtnet.rss.plugins.module_utils._tun.links import Link, Traffic, _link

NESTED = 0x8000


def attribute(number: int, *values: bytes) -> bytes:
    data = b"".join(values)
    return (struct.pack("=HH", 4 + len(data), number) + data).ljust((4 + len(data) + 3) & ~3, b"\0")


def u32(value: int) -> bytes:
    return struct.pack("=I", value)


def message(index: int, name: bytes, *attributes: bytes, flags: int = 0) -> memoryview:
    header = struct.pack("=BxHiII", 0, 1, index, flags, 0)
    return memoryview(
        b"".join((header, attribute(3, name + b"\0"), attribute(4, u32(1500)), *attributes)),
    )


def info(kind: bytes, *data: bytes) -> bytes:
    return attribute(18 | NESTED, attribute(1, kind + b"\0"), *([attribute(2 | NESTED, *data)] if data else []))


TUN = (
    attribute(1, u32(0)),  # owner
    attribute(3, b"\2"),
    attribute(4, b"\0"),
    attribute(5, b"\1"),
    attribute(6, b"\1"),
    attribute(7, b"\1"),
    attribute(8, u32(3)),
    attribute(9, u32(1)),
    attribute(99, u32(1)),  # what a newer kernel may tell
)
STATISTICS = attribute(23, struct.pack("=24Q", *range(24)))
ALTNAMES = attribute(52 | NESTED, attribute(53, b"a long alternative name\0"), attribute(53, b"second\0"))
TAP = Link(
    "tap0",
    7,
    "tun",
    0x5902,
    queues=3,
    disabled_queues=1,
    owner=0,
    group=None,
    mtu=1500,
    up=True,
    carrier=True,
    master=3,
    address="02:00:00:00:00:ff",
    ifalias="guest \udcff",
    altnames=("a long alternative name", "second"),
    traffic=Traffic(to_guest=1, from_guest=0, dropped=7),
)


def test_a_tap_device() -> None:
    raw = message(
        7,
        b"tap0",
        attribute(1, bytes.fromhex("0200000000ff")),
        attribute(10, u32(3)),
        attribute(20, b"guest \xff\0"),
        attribute(33, b"\1"),
        ALTNAMES,
        STATISTICS,
        info(b"tun", *TUN),
        flags=0x1043,
    )
    assert _link(raw) == TAP
    assert TAP.is_tap and not TAP.is_tun and TAP.description == "a TAP device"


def test_a_single_queue_tun_device_with_packet_information() -> None:
    found = _link(message(7, b"tun0", info(b"tun", attribute(3, b"\1"), attribute(4, b"\1"))))
    assert found == Link("tun0", 7, "tun", tun_flags=1)
    assert found.is_tun and found.queues is None
    assert found.description == "a layer 3 device of the tun driver (IFF_TUN)"


@pytest.mark.parametrize(
    ("raw", "expected", "description"),
    [
        (message(1, b"eth0"), Link("eth0", 1, ""), "a hardware or loopback device"),
        (message(1, b"eth0", attribute(10, u32(0)), STATISTICS), Link("eth0", 1, ""), "a hardware or loopback device"),
        (
            message(2, b"br0", info(b"bridge", attribute(1, u32(9)))),
            Link("br0", 2, "bridge"),
            "a device of kind bridge",
        ),
        # a port of a bridge has a LINKINFO without a kind of its own
        (message(3, b"eth1", attribute(18, attribute(4, b"bridge\0"))), Link("eth1", 3, ""), "a hardware or loopback"),
        (message(4, b"tap\xff", info(b"tun")), Link("tap\udcff", 4, "tun"), "a device of kind tun"),
        # the walk ends where a length cannot be true
        (message(5, b"eth0", struct.pack("=HH", 2, 10)), Link("eth0", 5, ""), "a hardware or loopback device"),
    ],
)
def test_other_devices(raw: memoryview, expected: Link, description: str) -> None:
    assert _link(raw) == expected
    assert not expected.is_tap and expected.description.startswith(description)
