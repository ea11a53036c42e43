# SPDX-License-Identifier: GPL-3.0-or-later
"""What QEMU's program takes a frame for where it reads it wrongly; learned from its answers, by trying."""

from __future__ import annotations

import itertools
import typing as t

from ansible_collections.virtnet.rss.plugins.module_utils._rss import frame as reference
from ansible_collections.virtnet.rss.plugins.module_utils._rss.frame import Headers

__all__ = ("NO_EXTENSION_HEADERS", "readings")

# What it takes for extension headers beside those of RFC 8200: ICMPv6, and No Next Header.
NO_EXTENSION_HEADERS = (58, 59)
EXTENSION_HEADERS = (*reference.EXTENSION_HEADERS, *NO_EXTENSION_HEADERS)
MAX_EXTENSION_HEADERS = 12  # more than it walks
# Where it finds the type of a frame that begins so: a service tag always counts as two.
TYPE_PLACES = {0x8100: 16, 0x88A8: 20}


def readings(frame: bytes) -> t.Iterator[Headers]:
    """Headers that it may see; those of a tagged frame begin on the tag, and no version is looked at."""
    place = TYPE_PLACES.get(_type_at(frame, 12), 12)
    packet = frame[reference.ETHERNET :]
    if _type_at(frame, place) == reference.IPV4 and len(packet) >= 20:
        fragment = int.from_bytes(packet[6:8], "big") & 0x3FFF
        ports = (None, b"") if fragment else _ports(packet[9], packet, 4 * (packet[0] & 15))
        yield Headers(4, packet[12:16], packet[16:20], *ports)
    if _type_at(frame, place) == reference.IPV6 and len(packet) >= 40:
        yield from _chains(packet)


def _type_at(frame: bytes, place: int) -> int:
    return int.from_bytes(frame[place : place + 2], "big")


def _ports(protocol: int, packet: bytes, offset: int) -> tuple[str | None, bytes]:
    ports = packet[offset : offset + 4]
    name = {reference.TCP: "tcp", reference.UDP: "udp"}.get(protocol) if len(ports) == 4 else None
    return (name, ports) if name else (None, b"")


def _chains(packet: bytes) -> t.Iterator[Headers]:
    """It may end at any of the extension headers, with ports or without, and finds addresses in options that are cut
    or have another length."""
    protocol, offset, seen = packet[6], 40, False
    ends: list[tuple[bool, str | None, bytes]] = []
    sources: list[bytes | None] = [None]
    destinations: list[bytes | None] = [None]
    for _count in range(MAX_EXTENSION_HEADERS):
        ends += [(seen, *_ports(protocol, packet, offset)), (seen, None, b"")]
        header = packet[offset : offset + 8]
        if protocol not in EXTENSION_HEADERS or len(header) < 8:
            break
        seen = True
        if protocol == reference.DESTINATION_OPTIONS:
            options = range(offset + 2, len(packet) - 17)
            sources += [packet[at + 2 : at + 18] for at in options if packet[at] == reference.HOME_ADDRESS]
        if protocol == reference.ROUTING and len(packet) >= offset + 24:
            destinations.append(packet[offset + 8 : offset + 24])
        protocol, offset = header[0], offset + reference.extension_header_length(protocol, header)
    for (extended, l4, ports), source, destination in itertools.product(ends, sources, destinations):
        yield Headers(6, packet[8:24], packet[24:40], l4, ports, extended, source, destination)
