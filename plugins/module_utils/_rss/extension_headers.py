# Copyright (c) 2026, virtnet.rss contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to the collection: the walk over the extension headers of IPv6; the reference that the
# program is proven against, so it is written for reading, not for speed, and shares nothing with it.

from __future__ import annotations

from dataclasses import dataclass

from ansible_collections.virtnet.rss.plugins.module_utils._rss.numbers import (
    AUTHENTICATION,
    DESTINATION_OPTIONS,
    FRAGMENT,
    HOP_BY_HOP,
    MOBILITY,
    NO_PROTOCOL,
    ROUTING,
)

__all__ = (
    "EXTENSION_HEADERS",
    "HOME_ADDRESS",
    "MAX_EXTENSION_HEADERS",
    "MAX_OPTIONS",
    "Chain",
    "extension_header_length",
    "walk",
)

EXTENSION_HEADERS = (HOP_BY_HOP, ROUTING, FRAGMENT, AUTHENTICATION, DESTINATION_OPTIONS, MOBILITY)
HOME_ADDRESS = 201  # RFC 6275 section 6.3
MAX_EXTENSION_HEADERS = 8  # RFC 8200 section 4.1 lists seven; one to spare
MAX_OPTIONS = 8


@dataclass
class Chain:
    """What a walk over the extension headers has found."""

    protocol: int  # behind them; NO_PROTOCOL when no transport header can be told
    offset: int = 40  # where it starts
    seen: bool = False  # there is an extension header
    ex_src: bytes | None = None  # of a home address option
    ex_dst: bytes | None = None  # of a type 2 routing header


def walk(packet: bytes) -> Chain:
    """Over the headers behind the 40 bytes of an IPv6 header."""
    chain = Chain(packet[6])
    for _count in range(MAX_EXTENSION_HEADERS):
        if chain.protocol not in EXTENSION_HEADERS:
            break
        header = packet[chain.offset : chain.offset + 8]
        if len(header) < 8:
            break
        chain.seen = True
        if chain.protocol == FRAGMENT and int.from_bytes(header[2:4], "big") & 0xFFF9:  # an offset, or more fragments
            break
        length = extension_header_length(chain.protocol, header)
        if chain.protocol == DESTINATION_OPTIONS and chain.ex_src is None:
            chain.ex_src = _home_address(packet, chain.offset + 2, chain.offset + length)
        if chain.protocol == ROUTING and chain.ex_dst is None:
            chain.ex_dst = _routing_address(packet, chain.offset)
        chain.protocol, chain.offset = header[0], chain.offset + length
    if chain.protocol in EXTENSION_HEADERS:
        chain.protocol = NO_PROTOCOL
    return chain


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
