# SPDX-License-Identifier: GPL-3.0-or-later
"""What QEMU's program takes a frame for where it reads it wrongly; learned from its answers, by trying."""

from __future__ import annotations

import itertools
import typing as t

from ansible_collections.virtnet.rss.plugins.module_utils._rss import extension_headers, numbers
from ansible_collections.virtnet.rss.plugins.module_utils._rss.ip import Packet

__all__ = ("NO_EXTENSION_HEADERS", "readings")

# What it takes for extension headers beside those of RFC 8200: ICMPv6, and No Next Header.
NO_EXTENSION_HEADERS = (58, 59)
ESP = 50  # and ESP, reading on where its SPI and sequence number are
EXTENSION_HEADERS = (*extension_headers.EXTENSION_HEADERS, *NO_EXTENSION_HEADERS, ESP)
MAX_EXTENSION_HEADERS = 12  # more than it walks
# Where it finds the type of a frame that begins so: a service tag always counts as two.
TYPE_PLACES = {0x8100: 16, 0x88A8: 20}


def readings(frame: bytes) -> t.Iterator[Packet]:
    """Headers that it may see; those of a tagged frame begin on the tag, and no version is looked at."""
    place = TYPE_PLACES.get(_type_at(frame, 12), 12)
    packet = frame[numbers.ETHERNET :]
    if _type_at(frame, place) == numbers.IPV4 and len(packet) >= 20:
        fragment = int.from_bytes(packet[6:8], "big") & 0x3FFF
        ports = None if fragment else _ports(packet[9], packet, 4 * (packet[0] & 15))
        yield Packet(4, packet[12:16], packet[16:20], packet[9], ports)
    if _type_at(frame, place) == numbers.IPV6 and len(packet) >= 40:
        yield from _chains(packet)


def _type_at(frame: bytes, place: int) -> int:
    return int.from_bytes(frame[place : place + 2], "big")


def _ports(protocol: int, packet: bytes, offset: int) -> bytes | None:
    return packet[offset : offset + 4] if protocol in (numbers.TCP, numbers.UDP) else None


def _chains(packet: bytes) -> t.Iterator[Packet]:
    """It may end at any of the extension headers, with ports or without, and finds addresses in options that are cut
    or have another length."""
    protocol, offset, seen = packet[6], 40, False
    ends: list[tuple[bool, int, bytes | None]] = []
    sources: list[bytes | None] = [None]
    destinations: list[bytes | None] = [None]
    for _count in range(MAX_EXTENSION_HEADERS):
        ends += [(seen, protocol, _ports(protocol, packet, offset)), (seen, protocol, None)]
        header = packet[offset : offset + 8]
        if protocol not in EXTENSION_HEADERS or len(header) < 8:
            break
        seen = True
        if protocol == numbers.DESTINATION_OPTIONS:
            options = range(offset + 2, len(packet) - 17)
            sources += [packet[at + 2 : at + 18] for at in options if packet[at] == extension_headers.HOME_ADDRESS]
        if protocol == numbers.ROUTING and len(packet) >= offset + 24:
            destinations.append(packet[offset + 8 : offset + 24])
        protocol, offset = header[0], offset + extension_headers.extension_header_length(protocol, header)
    for (extended, l4_proto, ports), source, destination in itertools.product(ends, sources, destinations):
        yield Packet(
            version=6,
            src=packet[8:24],
            dst=packet[24:40],
            protocol=l4_proto,
            transport=ports,
            extension_headers=extended,
            ex_src=source,
            ex_dst=destination,
        )
