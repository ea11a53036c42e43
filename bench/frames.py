# SPDX-License-Identifier: GPL-3.0-or-later
"""The frames that programs are timed with."""

from __future__ import annotations

from ansible_collections.virtnet.rss.tests.packets.builder import (
    TCP,
    UDP,
    chain,
    destination_options,
    ethernet,
    fragment,
    hop_by_hop,
    ipv4,
    ipv6,
    tagged,
    tcp,
    udp,
)
from ansible_collections.virtnet.rss.tests.packets.vectors import VECTOR_ROWS

__all__ = ("FRAMES", "PROTOCOLS")


def _long(frame: bytes, length: int) -> bytes:
    return frame.ljust(length, b"\0")


_BARE = {
    "TCP/IPv4": ipv4(tcp(), TCP),
    "UDP/IPv4": ipv4(udp(), UDP),
    "TCP/IPv6": ipv6(tcp(), TCP),
    "UDP/IPv6": ipv6(udp(), UDP),
    "TCP/IPv4, VLAN": tagged(ipv4(tcp(), TCP), 0x8100),
    "TCP/IPv4, QinQ": tagged(ipv4(tcp(), TCP), 0x88A8, 0x8100),
    "TCP/IPv4, options": ipv4(tcp(), TCP, options=bytes(12)),
    "TCP/IPv4, fragment": ipv4(tcp(), TCP, fragment=0x2000),
    "TCP/IPv6, fragment": chain(fragment(8, more=True), last=TCP, payload=tcp()),
    "TCP/IPv6, two extension headers": chain(hop_by_hop(), destination_options(), last=TCP, payload=tcp()),
    "ARP": ethernet(bytes(28), 0x0806),
    "unknown ethertype": ethernet(bytes(46), 0x88CC),
}
FRAMES: dict[str, bytes] = {name: _long(frame, 64 if "IPv6" not in name else 78) for name, frame in _BARE.items()}
FRAMES.update({f"TCP/IPv4, {size} bytes": _long(_BARE["TCP/IPv4"], size) for size in (128, 512, 1500)})

# Packets with an inner TCP/IPv4 (6in4: TCP/IPv6), and of transports: rows of the packet table by their names there.
_NAMES = {
    "VXLAN": "vxlan 4 in 4",
    "VXLAN over IPv6": "vxlan over IPv6",
    "VXLAN, inner tag": "vxlan, inner VLAN tag",
    "VXLAN-GPE": "gpe, IPv4",
    "GENEVE": "geneve",
    "GRE": "gre 2784",
    "NVGRE": "nvgre",
    "GRE in UDP": "gre in udp",
    "IPIP": "ipip",
    "6in4": "6in4",
    "GTP-U": "gtp-u",
    "GTP-U, extension header": "gtp-u, extension header",
    "EtherIP": "etherip",
    "MPLS": "mpls, two labels",
    "PPPoE": "pppoe",
    "SCTP": "sctp",
    "ESP": "esp",
    "AH": "ah over IPv4",
    "ESP in UDP": "esp in udp",
}
_ROWS = {row.name: row.frame for row in VECTOR_ROWS}
PROTOCOLS = {name: _long(_ROWS[f"prototype: {row}"], 64) for name, row in _NAMES.items()}
