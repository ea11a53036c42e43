# SPDX-License-Identifier: GPL-3.0-or-later
"""Rows of the packet table about pins: which of them takes a packet."""

from __future__ import annotations

from dataclasses import dataclass

from ansible_collections.virtnet.rss.plugins.module_utils._rss.config import (
    Pin,
    RssConfig,
    hash_types_to_mask,
    tunnel_types_to_mask,
)
from ansible_collections.virtnet.rss.tests.packets.builder import (
    DPORT,
    ESP,
    FOUR,
    ICMP,
    IPIP,
    PORTS,
    SCTP,
    SPORT,
    TCP,
    UDP,
    UDPLITE,
    chain,
    ethernet,
    fragment,
    hop_by_hop,
    inner4,
    inside,
    ipv4,
    ipv6,
    mobility,
    mpls,
    pppoe,
    tagged,
    tcp,
    udp,
)
from ansible_collections.virtnet.rss.tests.packets.table import DEFAULT, MAX_CHAIN

__all__ = ("PIN_ROWS", "PinRow")

ARP = ethernet(bytes(28), 0x0806)
TAGGED4 = tagged(ipv4(tcp()), 0x8100)  # VLAN 100, priority 1


@dataclass(frozen=True)
class PinRow:
    """Pins, a packet, a tag beside it that the kernel took out, and the number of the pin that takes it."""

    name: str
    pins: tuple[Pin, ...]
    frame: bytes
    taken_by: int | None
    tci: int | None = None
    tunnels: tuple[str, ...] = ()

    def config(self, key: bytes, indirection: tuple[int, ...], default_queue: int = 0) -> RssConfig:
        """What the row is about, with this key and this table."""
        return RssConfig(
            hash_key=key,
            hash_types=hash_types_to_mask(DEFAULT),
            indirection=indirection,
            default_queue=default_queue,
            tunnel_types=tunnel_types_to_mask(self.tunnels),
            pins=self.pins,
        )


def one(
    name: str, frame: bytes, matches: bool, *, tci: int | None = None, tunnels: tuple[str, ...] = (), **words: object
) -> PinRow:
    """A single pin."""
    return PinRow(name, (Pin(queue=9, **words),), frame, 0 if matches else None, tci, tunnels)  # type: ignore[arg-type]


SSH = PORTS[:2] + (22).to_bytes(2, "big")
PIN_ROWS = [
    one("anything", ARP, True),
    one("anything short", ARP[:14], True),
    one("ip4", ipv4(tcp()), True, flow_type="ip4"),
    one("ip4 is not ip6", ipv6(tcp(), TCP), False, flow_type="ip4"),
    one("ip4 is not arp", ARP, False, flow_type="ip4"),
    one("ip4 cut", ipv4(tcp())[:33], False, flow_type="ip4"),
    one("ip4 of version 6", ipv4(tcp(), version=6), False, flow_type="ip4"),
    one("ip6", ipv6(udp(), UDP), True, flow_type="ip6"),
    one("tcp4", ipv4(tcp()), True, flow_type="tcp4"),
    one("tcp4 is not udp", ipv4(udp(), UDP), False, flow_type="tcp4"),
    one("udp6", ipv6(udp(), UDP), True, flow_type="udp6"),
    one("udp6 is not udp4", ipv4(udp(), UDP), False, flow_type="udp6"),
    one("sctp4", ipv4(PORTS, SCTP), True, flow_type="sctp4", src_port=SPORT),
    one("sctp6", ipv6(PORTS, SCTP), True, flow_type="sctp6", dst_port=DPORT),
    one("port", ipv4(tcp(SSH)), True, flow_type="tcp4", dst_port=22),
    one("other port", ipv4(tcp()), False, flow_type="tcp4", dst_port=22),
    one("port of the other end", ipv4(tcp(SSH[2:] + SSH[:2])), False, flow_type="tcp4", dst_port=22),
    one("both ports", ipv4(udp(), UDP), True, flow_type="udp4", src_port=SPORT, dst_port=DPORT),
    one("port behind options", ipv4(tcp(SSH), options=bytes(40)), True, flow_type="tcp4", dst_port=22),
    one("port behind headers", chain(hop_by_hop(), last=TCP, payload=tcp(SSH)), True, flow_type="tcp6", dst_port=22),
    one("port in a fragment", ipv4(tcp(SSH), fragment=0x2000), False, flow_type="tcp4", dst_port=22),
    one("protocol of a fragment", ipv4(tcp(SSH), fragment=0x0010), True, flow_type="tcp4"),
    one("protocol of a fragment 6", chain(fragment(more=True), last=TCP, payload=tcp()), False, flow_type="tcp6"),
    one("fragment 6", chain(fragment(more=True), last=TCP, payload=tcp()), True, flow_type="ip6"),
    one("eight headers", chain(*MAX_CHAIN, last=TCP, payload=tcp()), True, flow_type="tcp6"),
    one("nine headers", chain(*MAX_CHAIN, mobility(), last=TCP, payload=tcp()), False, flow_type="tcp6"),
    one("port cut", ipv4(tcp(SSH)[:3]), False, flow_type="tcp4", dst_port=22),
    one("port 0 of none", ipv4(tcp(SSH)[:3]), True, flow_type="tcp4", dst_port=0),
    one("protocol", ipv4(FOUR, ESP), True, flow_type="ip4", l4proto=ESP),
    one("protocol 0", ARP, False, flow_type="ip4", l4proto=0),
    one("no ports of others", ipv4(PORTS, UDPLITE), True, flow_type="ip4", l4proto=UDPLITE),
    one("address", ipv4(tcp()), True, flow_type="ip4", src_ip="192.0.2.1"),
    one("address of the other end", ipv4(tcp()), False, flow_type="ip4", dst_ip="192.0.2.1"),
    one("prefix", ipv4(bytes(8), ICMP), True, flow_type="ip4", src_ip="192.0.2.0/24", dst_ip="198.51.100.0/29"),
    one("other prefix", ipv4(tcp()), False, flow_type="ip4", dst_ip="198.51.100.4/30"),
    one("address 6", ipv6(tcp(), TCP), True, flow_type="tcp6", src_ip="2001:db8:1::/48", dst_ip="2001:db8:2::2"),
    one("other address 6", ipv6(tcp(), TCP), False, flow_type="tcp6", dst_ip="2001:db8:2::3"),
    one("dscp", ipv4(tcp(), dscp=46), True, flow_type="ip4", dscp=46),
    one("other dscp", ipv4(tcp(), dscp=47), False, flow_type="ip4", dscp=46),
    one("dscp 6", ipv6(tcp(), TCP, dscp=46), True, flow_type="ip6", dscp=46),
    one("dscp 0", ipv6(tcp(), TCP), True, flow_type="ip6", dscp=0),
    one("vlan in the data", TAGGED4, True, vlan=100),
    one("other vlan", TAGGED4, False, vlan=101),
    one("no vlan", ipv4(tcp()), False, vlan=0),
    one("priority", TAGGED4, True, vlan_pcp=1),
    one("other priority", TAGGED4, False, vlan_pcp=0),
    one("outermost vlan", tagged(ipv4(tcp()), 0x88A8, 0x8100), True, vlan=100),
    one("inner vlan", tagged(ipv4(tcp()), 0x88A8, 0x8100), False, vlan=101),
    one("vlan beside", ipv4(tcp()), True, tci=7, vlan=7),
    one("vlan beside and in the data", TAGGED4, False, tci=7, vlan=100),
    one("vlan beside with DEI", ipv4(tcp()), True, tci=0x1007, vlan=7),
    one("vlan of arp", tagged(ARP, 0x8100), True, vlan=100),
    one("15 bytes: no tag", TAGGED4[:15], False, vlan=100),
    one("16 bytes: a tag", TAGGED4[:16], True, vlan=100),
    one("vlan and port", tagged(ipv4(tcp(SSH)), 0x8100), True, vlan=100, flow_type="tcp4", dst_port=22),
    one(
        "outside of a tunnel",
        ipv4(inside(inner4()), IPIP),
        True,
        tunnels=("ipip",),
        flow_type="ip4",
        src_ip="192.0.2.1",
    ),
    one("not inside", ipv4(inside(inner4()), IPIP), False, tunnels=("ipip",), flow_type="tcp4"),
    one("behind pppoe", pppoe(inside(ipv4(tcp()))), True, tunnels=("pppoe",), flow_type="tcp4", src_ip="192.0.2.1"),
    one("pppoe off", pppoe(inside(ipv4(tcp()))), False, flow_type="ip4"),
    one("behind mpls", mpls(inside(ipv6(udp(), UDP)), 2), True, tunnels=("mpls",), flow_type="udp6"),
    PinRow(
        "the first that matches",
        (
            Pin(queue=1, flow_type="tcp4", dst_port=22),
            Pin(queue=2, flow_type="tcp4", src_ip="192.0.2.1"),
            Pin(queue=3, flow_type="ip4"),
        ),
        ipv4(tcp()),
        1,
    ),
    PinRow("the last of sixteen", (*(Pin(queue=4, vlan=number + 86) for number in range(15)), Pin(queue=5)), ARP, 15),
    PinRow("the last of sixteen vlans", tuple(Pin(queue=4, vlan=number + 85) for number in range(16)), TAGGED4, 15),
]
