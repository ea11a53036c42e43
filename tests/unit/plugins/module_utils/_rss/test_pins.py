# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.virtnet.rss.plugins.module_utils._errors import InputError
from ansible_collections.virtnet.rss.plugins.module_utils._rss.config import RssConfig
from ansible_collections.virtnet.rss.plugins.module_utils._rss.hashing import steer
from ansible_collections.virtnet.rss.plugins.module_utils._rss.pins import Pin, check_pins
from ansible_collections.virtnet.rss.tests.packets.pins import PIN_ROWS, PinRow

# Words of a pin; value and mask of the 64-bit word.
WORDS: list[tuple[dict[str, t.Any], int, int]] = [
    ({}, 0, 0),
    ({"flow_type": "ip4"}, 0x0100, 0x0300),
    ({"flow_type": "ip6"}, 0x0200, 0x0300),
    ({"flow_type": "tcp4"}, 0x0106, 0x03FF),
    ({"flow_type": "udp6"}, 0x0211, 0x03FF),
    ({"flow_type": "sctp4"}, 0x0184, 0x03FF),
    ({"flow_type": "ip4", "l4proto": 112}, 0x0170, 0x03FF),
    ({"flow_type": "ip6", "dscp": 46}, 0xBA00, 0xFF00),
    ({"vlan": 100}, 0x1064_0000, 0x1FFF_0000),
    ({"vlan_pcp": 5}, 0xB000_0000, 0xF000_0000),
    ({"flow_type": "udp4", "dst_port": 53}, 0x0035_0000_0111, 0xFFFF_0000_03FF),
    ({"flow_type": "tcp4", "src_port": 0x1234}, 0x1234_0000_0000_0106, 0xFFFF_0000_0000_03FF),
]


@pytest.mark.parametrize(
    ("words", "value", "mask"), WORDS, ids=lambda item: str(item) if isinstance(item, dict) else ""
)
def test_word(words: dict[str, t.Any], value: int, mask: int) -> None:
    assert Pin(queue=1, **words).match() == (value, mask, bytes(32), bytes(32))


def test_addresses() -> None:
    match = Pin(queue=0, flow_type="ip4", src_ip="192.0.2.1", dst_ip="198.51.100.0/23").match()
    assert match.addresses_value == bytes.fromhex("c0000201 00000000 c6336400").ljust(32, b"\0")
    assert match.addresses_mask == bytes.fromhex("ffffffff 00000000 fffffe00").ljust(32, b"\0")
    match = Pin(queue=0, flow_type="udp6", dst_ip="2001:db8::/32").match()
    assert match.addresses_value == bytes(16) + bytes.fromhex("20010db8").ljust(16, b"\0")
    assert match.addresses_mask == bytes(16) + bytes.fromhex("ffffffff").ljust(16, b"\0")


@pytest.mark.parametrize(
    ("words", "option"),
    [
        ({"flow_type": "icmp4"}, "flow_type"),
        ({"queue": 256}, "queue"),
        ({"src_port": 1}, "src_port"),
        ({"flow_type": "ip4", "dst_port": 1}, "dst_port"),
        ({"flow_type": "tcp4", "dst_port": 65536}, "dst_port"),
        ({"flow_type": "tcp4", "l4proto": 6}, "l4proto"),
        ({"l4proto": 6}, "l4proto"),
        ({"flow_type": "ip4", "l4proto": 255}, "l4proto"),
        ({"dscp": 1}, "dscp"),
        ({"flow_type": "ip4", "dscp": 64}, "dscp"),
        ({"vlan": 4096}, "vlan"),
        ({"vlan_pcp": 8}, "vlan_pcp"),
        ({"src_ip": "192.0.2.1"}, "src_ip"),
        ({"flow_type": "ip4", "src_ip": "2001:db8::1"}, "src_ip"),
        ({"flow_type": "ip6", "dst_ip": "192.0.2.1"}, "dst_ip"),
        ({"flow_type": "ip4", "dst_ip": "192.0.2.1/24"}, "dst_ip"),
        ({"flow_type": "ip4", "dst_ip": "somewhere"}, "dst_ip"),
    ],
    ids=str,
)
def test_what_no_packet_can_match_is_refused(words: dict[str, t.Any], option: str) -> None:
    with pytest.raises(InputError) as caught:
        Pin(**{"queue": 1, **words})
    assert caught.value.option == option


def test_addresses_are_told_in_one_way() -> None:
    assert Pin(queue=1, flow_type="ip4", src_ip="192.0.2.1/32") == Pin(queue=1, flow_type="ip4", src_ip="192.0.2.1")
    assert Pin(queue=1, flow_type="ip6", src_ip="2001:DB8:0::/48").words() == {
        "flow_type": "ip6",
        "src_ip": "2001:db8::/48",
        "queue": 1,
    }
    assert Pin(queue=1, flow_type="ip6", src_ip="::/0") == Pin(queue=1, flow_type="ip6")  # it compares nothing


@pytest.mark.parametrize(
    ("former", "later"),
    [
        ({}, {"vlan": 3}),
        ({"vlan": 3}, {"vlan": 3}),
        ({"flow_type": "ip4"}, {"flow_type": "tcp4", "dst_port": 22}),
        ({"flow_type": "ip4", "l4proto": 6}, {"flow_type": "tcp4"}),
        ({"flow_type": "ip4", "src_ip": "192.0.2.0/24"}, {"flow_type": "udp4", "src_ip": "192.0.2.1"}),
    ],
)
def test_a_pin_that_never_decides_is_refused(former: dict[str, t.Any], later: dict[str, t.Any]) -> None:
    pins = [Pin(queue=1, **former), Pin(queue=2, **later)]
    with pytest.raises(InputError, match=r"pins\[1\].*pins\[0\] takes all"):
        check_pins(pins)
    if pins[0].match() != pins[1].match():
        check_pins(pins[::-1])


def test_there_are_sixteen() -> None:
    pins = [Pin(queue=1, vlan=number) for number in range(17)]
    check_pins(pins[:16])
    with pytest.raises(InputError, match="at most 16"):
        check_pins(pins)


@pytest.mark.parametrize("row", PIN_ROWS, ids=lambda row: row.name)
def test_table(row: PinRow) -> None:
    config = row.config(bytes(40), (0,))
    steered = steer(row.frame, config, tci=row.tci)
    assert steered.pin == row.taken_by
    if row.taken_by is not None:
        assert (steered.queue, steered.hash_type, steered.reason) == (row.pins[row.taken_by].queue, None, "pin")


def test_without_redirect_no_pin_decides() -> None:
    config = RssConfig(bytes(40), 0, (0,), default_queue=2, redirect=False, pins=(Pin(queue=1),))
    assert steer(bytes(60), config).queue == 2
