# Copyright (c) 2026, virtnet.rss contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to the collection: reads a frame the way the steering program does (bpf/packet.h). This is the reference that
# the program is proven against, so it is written for reading, not for speed, and shares nothing with it.

from __future__ import annotations

from dataclasses import dataclass

__all__ = (
    "ETHERNET",
    "MAX_EXTENSION_HEADERS",
    "MAX_OPTIONS",
    "MAX_VLAN_TAGS",
    "Headers",
    "extension_header_length",
    "parse_frame",
)

ETHERNET = 14  # length of an Ethernet header; layer 3 devices have none
MAX_VLAN_TAGS = 3
MAX_EXTENSION_HEADERS = 8  # RFC 8200 section 4.1 lists seven; a chain of more has no transport header for us
MAX_OPTIONS = 8

VLAN_TYPES = (0x8100, 0x88A8, 0x9100)
IPV4, IPV6 = 0x0800, 0x86DD
TCP, UDP = 6, 17
HOP_BY_HOP, ROUTING, FRAGMENT, AUTHENTICATION, DESTINATION_OPTIONS, MOBILITY = 0, 43, 44, 51, 60, 135
EXTENSION_HEADERS = (HOP_BY_HOP, ROUTING, FRAGMENT, AUTHENTICATION, DESTINATION_OPTIONS, MOBILITY)
HOME_ADDRESS = 201  # RFC 6275 section 6.3


@dataclass(frozen=True)
class Headers:
    """What matters of a frame. Addresses and ports are in network byte order."""

    ip_version: int = 0  # 4, 6, or 0: neither
    src: bytes = b""
    dst: bytes = b""
    l4: str | None = None  # tcp or udp, when its ports can be read
    ports: bytes = b""  # source and destination port
    extension_headers: bool = False
    ex_src: bytes | None = None  # of a home address option
    ex_dst: bytes | None = None  # of a type 2 routing header


def parse_frame(frame: bytes, *, l3_offset: int = ETHERNET) -> Headers:
    """The headers of a frame; ``l3_offset`` is 14 for Ethernet, 0 for a layer 3 device."""
    if l3_offset:
        ethertype, packet = _ethernet(frame)
    else:
        ethertype, packet = (IPV4 if frame[:1] and frame[0] >> 4 == 4 else IPV6), frame
    if ethertype == IPV4:
        return _ipv4(packet)
    if ethertype == IPV6:
        return _ipv6(packet)
    return Headers()


def _ethernet(frame: bytes) -> tuple[int, bytes]:
    """The type behind at most three VLAN tags, and what follows; type 0 for a frame that ends before."""
    for tags in range(MAX_VLAN_TAGS + 1):
        place = 12 + 4 * tags
        if len(frame) < place + 2:
            return 0, b""
        ethertype = int.from_bytes(frame[place : place + 2], "big")
        if ethertype not in VLAN_TYPES:
            return ethertype, frame[place + 2 :]
    return 0, b""


def _transport(protocol: int, packet: bytes, offset: int) -> tuple[str | None, bytes]:
    """TCP or UDP and its ports; nothing when the four bytes are not there."""
    ports = packet[offset : offset + 4]
    if protocol not in (TCP, UDP) or len(ports) < 4:
        return None, b""
    return ("tcp" if protocol == TCP else "udp"), ports


def _ipv4(packet: bytes) -> Headers:
    if len(packet) < 20 or packet[0] >> 4 != 4 or packet[0] & 15 < 5:
        return Headers()
    fragment = int.from_bytes(packet[6:8], "big") & 0x3FFF  # more fragments, or an offset
    l4, ports = (None, b"") if fragment else _transport(packet[9], packet, 4 * (packet[0] & 15))
    return Headers(4, packet[12:16], packet[16:20], l4, ports)


@dataclass
class _Chain:
    """What a walk over the extension headers has found so far."""

    seen: bool = False
    ex_src: bytes | None = None
    ex_dst: bytes | None = None


def _ipv6(packet: bytes) -> Headers:
    if len(packet) < 40 or packet[0] >> 4 != 6:
        return Headers()
    chain = _Chain()
    protocol, offset = _walk(packet, chain)
    l4, ports = _transport(protocol, packet, offset)
    return Headers(6, packet[8:24], packet[24:40], l4, ports, chain.seen, chain.ex_src, chain.ex_dst)


def _walk(packet: bytes, chain: _Chain) -> tuple[int, int]:
    """The protocol behind the extension headers and where it starts; -1 when no transport header can be told."""
    protocol, offset = packet[6], 40
    for _count in range(MAX_EXTENSION_HEADERS):
        if protocol not in EXTENSION_HEADERS:
            break
        header = packet[offset : offset + 8]
        if len(header) < 8:
            return -1, offset
        chain.seen = True
        if protocol == FRAGMENT and int.from_bytes(header[2:4], "big") & 0xFFF9:  # an offset, or more fragments
            return -1, offset
        length = extension_header_length(protocol, header)
        if protocol == DESTINATION_OPTIONS and chain.ex_src is None:
            chain.ex_src = _home_address(packet, offset + 2, offset + length)
        if protocol == ROUTING and chain.ex_dst is None:
            chain.ex_dst = _routing_address(packet, offset)
        protocol, offset = header[0], offset + length
    return protocol, offset


def extension_header_length(protocol: int, header: bytes) -> int:
    """In bytes, as the first eight of the header tell it (RFC 8200 section 4, RFC 4302 section 2.2)."""
    if protocol == FRAGMENT:
        return 8
    if protocol == AUTHENTICATION:
        return (header[1] + 2) * 4
    return (header[1] + 1) * 8


def _address(packet: bytes, offset: int) -> bytes | None:
    address = packet[offset : offset + 16]
    return address if len(address) == 16 else None


def _home_address(packet: bytes, offset: int, end: int) -> bytes | None:
    for _count in range(MAX_OPTIONS):
        if offset + 2 > min(end, len(packet)):
            return None
        kind, length = packet[offset], packet[offset + 1]
        if kind == HOME_ADDRESS and length == 16:
            return _address(packet, offset + 2) if offset + 18 <= end else None
        offset += 1 if kind == 0 else 2 + length
    return None


def _routing_address(packet: bytes, offset: int) -> bytes | None:
    _next, length, kind, segments_left = packet[offset : offset + 4]
    if (length, kind, segments_left) != (2, 2, 1):
        return None
    return _address(packet, offset + 8)
