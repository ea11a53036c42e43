# SPDX-License-Identifier: GPL-3.0-or-later
"""Protocols, each as 256 flows between one pair of outer addresses: what a queue selection can tell apart, it spreads.

tests/kernel/test_protocols.py sends them through a real TAP device, and docs/protocols.md shows what came of it.
"""

from __future__ import annotations

import random
import struct
import typing as t
from dataclasses import dataclass, field

from ansible_collections.virtnet.rss.tests.packets.builder import (
    AH,
    DCCP,
    ESP,
    ESP_UDP,
    ETHERIP,
    ETHERNET_TYPE,
    GENEVE,
    GRE,
    GRE_UDP,
    GTPU,
    ICMP,
    ICMPV6,
    IPIP,
    IPV4_TYPE,
    IPV6_IN_IP,
    IPV6_TYPE,
    L2TPV3,
    SCTP,
    TCP,
    UDP,
    UDPLITE,
    VXLAN,
    VXLAN_GPE,
    chain,
    destination_options,
    etherip,
    ethernet,
    fragment,
    geneve,
    gre,
    gtpu,
    inner4,
    inner6,
    inside,
    ipv4,
    ipv6,
    mpls,
    over_udp,
    pppoe,
    routing,
    tagged,
    tcp,
    udp,
    vxlan,
)

__all__ = ("FLOWS", "PROTOCOLS", "Protocol", "frames_of")

FLOWS = 256
Words = t.Dict[str, t.List[str]]


@dataclass(frozen=True)
class Protocol:
    """``flow`` makes a frame of four bytes that belong to one flow; ``words`` of tap_steering spread it beside the
    defaults, or nothing does (None)."""

    name: str
    flow: t.Callable[[bytes], bytes]
    words: Words | None = field(default_factory=dict)
    note: str = ""


def _tcp4(four: bytes) -> bytes:
    """An inner packet over IPv4 without an Ethernet header, the four bytes as its ports."""
    return inside(inner4(tcp(four)))


def _tcp6(four: bytes) -> bytes:
    return inside(inner6(tcp(four)))


def _eth(four: bytes) -> bytes:
    return inner4(tcp(four))


def _ah(four: bytes, following: int = TCP) -> bytes:
    return bytes([following, 4, 0, 0]) + four + bytes(16)


def _echo(four: bytes) -> bytes:
    return b"\x08\0\0\0" + four + bytes(8)


def _label(four: bytes) -> int:
    return (int.from_bytes(four, "big") & 0xFFFFF) or 1


NONE = None  # no word spreads it
PROTOCOLS = [
    Protocol("TCP over IPv4", lambda four: ipv4(tcp(four))),
    Protocol("UDP over IPv4", lambda four: ipv4(udp(four), UDP)),
    Protocol("TCP over IPv6", lambda four: ipv6(tcp(four), TCP)),
    Protocol("UDP over IPv6", lambda four: ipv6(udp(four), UDP)),
    Protocol("TCP in a VLAN", lambda four: tagged(ipv4(tcp(four)), 0x8100)),
    Protocol("TCP in QinQ", lambda four: tagged(ipv4(tcp(four)), 0x88A8, 0x8100)),
    Protocol(
        "TCP behind IPv6 extension headers", lambda four: chain(destination_options(), last=TCP, payload=tcp(four))
    ),
    Protocol("SCTP over IPv4", lambda four: ipv4(four + bytes(8), SCTP)),
    Protocol("SCTP over IPv6", lambda four: ipv6(four + bytes(8), SCTP)),
    Protocol("DCCP over IPv4", lambda four: ipv4(four + bytes(12), DCCP)),
    Protocol("DCCP over IPv6", lambda four: ipv6(four + bytes(12), DCCP)),
    Protocol("UDP-Lite over IPv4", lambda four: ipv4(four + bytes(8), UDPLITE)),
    Protocol("UDP-Lite over IPv6", lambda four: ipv6(four + bytes(8), UDPLITE)),
    Protocol("ESP over IPv4", lambda four: ipv4(four + bytes(12), ESP)),
    Protocol("ESP over IPv6", lambda four: ipv6(four + bytes(12), ESP)),
    Protocol("AH over IPv4", lambda four: ipv4(_ah(four) + tcp(), AH)),
    Protocol("AH over IPv6", lambda four: ipv6(_ah(four) + tcp(four), AH)),
    Protocol("ESP in UDP", lambda four: ipv4(over_udp(four + bytes(12), ESP_UDP), UDP), {"hash_types": ["esp_udp"]}),
    Protocol("L2TPv3", lambda four: ipv4(four + bytes(12), L2TPV3), {"hash_types": ["l2tpv3"]}),
    Protocol("GRE", lambda four: ipv4(gre(_tcp4(four), IPV4_TYPE), GRE)),
    Protocol("GRE with a key", lambda four: ipv4(gre(_tcp4(four), IPV4_TYPE, flags=0x2000), GRE)),
    Protocol("GRE with a sequence number", lambda four: ipv4(gre(_tcp4(four), IPV4_TYPE, flags=0x1000), GRE)),
    Protocol("GRE of IPv6", lambda four: ipv4(gre(_tcp6(four), IPV6_TYPE), GRE)),
    Protocol("GRE over IPv6", lambda four: ipv6(gre(_tcp4(four), IPV4_TYPE), GRE)),
    Protocol("GRE of Ethernet", lambda four: ipv4(gre(_eth(four), ETHERNET_TYPE), GRE)),
    Protocol("NVGRE", lambda four: ipv4(gre(_eth(four), ETHERNET_TYPE, flags=0x2000), GRE)),
    Protocol("IPIP", lambda four: ipv4(_tcp4(four), IPIP)),
    Protocol("6in4", lambda four: ipv4(_tcp6(four), IPV6_IN_IP)),
    Protocol("4in6", lambda four: ipv6(_tcp4(four), IPIP)),
    Protocol("IPv6 in IPv6", lambda four: ipv6(_tcp6(four), IPV6_IN_IP)),
    Protocol("SRv6", lambda four: chain(routing(4, 1), last=IPV6_IN_IP, payload=_tcp6(four))),
    Protocol("PPPoE", lambda four: pppoe(_tcp4(four))),
    Protocol("PPPoE of IPv6", lambda four: pppoe(_tcp6(four), 0x0057)),
    Protocol("PPPoE in a VLAN", lambda four: tagged(pppoe(_tcp4(four)), 0x8100)),
    Protocol("MPLS", lambda four: mpls(_tcp4(four), 2)),
    Protocol("MPLS of IPv6", lambda four: mpls(_tcp6(four))),
    Protocol("VXLAN", lambda four: ipv4(over_udp(vxlan(_eth(four)), VXLAN), UDP), {"tunnel_types": ["vxlan"]}),
    Protocol(
        "VXLAN-GPE",
        lambda four: ipv4(over_udp(vxlan(_tcp4(four), flags=12, reserved=b"\0\0\1"), VXLAN_GPE), UDP),
        {"tunnel_types": ["vxlan_gpe"]},
    ),
    Protocol("GENEVE", lambda four: ipv4(over_udp(geneve(_eth(four)), GENEVE), UDP), {"tunnel_types": ["geneve"]}),
    Protocol(
        "GRE in UDP",
        lambda four: ipv4(over_udp(gre(_tcp4(four), IPV4_TYPE), GRE_UDP), UDP),
        {"tunnel_types": ["gre_udp"]},
    ),
    Protocol("GTP-U", lambda four: ipv4(over_udp(gtpu(_tcp4(four)), GTPU), UDP), {"tunnel_types": ["gtpu"]}),
    Protocol(
        "GTP-U tunnels",
        lambda four: ipv4(over_udp(gtpu(inside(inner4()), teid=four), GTPU), UDP),
        {"hash_types": ["gtpu_teid"]},
        "a tunnel for each flow",
    ),
    Protocol("EtherIP", lambda four: ipv4(etherip(_eth(four)), ETHERIP), {"tunnel_types": ["etherip"]}),
    Protocol(
        "flow labels",
        lambda four: ipv6(bytes(16), ICMPV6, label=_label(four)),
        {"hash_types": ["flow_label"]},
        "packets without ports",
    ),
    Protocol("ICMP echo", lambda four: ipv4(_echo(four), ICMP), NONE),
    Protocol("IPv4 fragments", lambda four: ipv4(tcp(four), fragment=0x2000), NONE),
    Protocol("IPv6 fragments", lambda four: chain(fragment(more=True), last=TCP, payload=tcp(four)), NONE),
    Protocol("ARP", lambda four: ethernet(struct.pack("!HHBBH", 1, 0x0800, 6, 4, 1) + four + bytes(16), 0x0806), NONE),
]
# What automatic selection looks into further than a steering program does.
DEEPER = [
    Protocol("PPTP", lambda four: ipv4(_pptp(_tcp4(four)), GRE), NONE, "GRE's version 1, PPP not encrypted"),
    Protocol(
        "IPIP in GRE", lambda four: ipv4(gre(inside(ipv4(_tcp4(four), IPIP)), IPV4_TYPE), GRE), NONE, "two levels"
    ),
    Protocol(
        "VLAN in GRE in 6in4",
        lambda four: ipv4(inside(ipv6(gre(tagged(_eth(four), 0x8100), ETHERNET_TYPE), GRE)), IPV6_IN_IP),
        NONE,
        "two levels",
    ),
]


def _pptp(packet: bytes) -> bytes:
    """RFC 2637: key (length and call) and sequence number, then PPP."""
    return struct.pack("!HHHHI", 0x3001, 0x880B, len(packet) + 4, 7, 1) + b"\xff\x03\0\x21" + packet


def frames_of(protocol: Protocol, seed: int) -> list[bytes]:
    """FLOWS flows, each of four bytes that no other has; the same for the same seed."""
    source = random.Random(seed)
    return [protocol.flow(four.to_bytes(4, "big")) for four in source.sample(range(1 << 24, 1 << 32), FLOWS)]
