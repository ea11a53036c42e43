# Copyright (c) 2026, virtnet.rss contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to the collection: an IP packet up to its transport header; the reference that the
# program is proven against, so it is written for reading, not for speed, and shares nothing with it.

from __future__ import annotations

from dataclasses import dataclass

from ansible_collections.virtnet.rss.plugins.module_utils._rss.extension_headers import walk
from ansible_collections.virtnet.rss.plugins.module_utils._rss.numbers import NO_PROTOCOL

__all__ = ("Packet", "parse_ip", "version_of")


@dataclass(frozen=True)
class Packet:
    """What matters of an IP packet. Addresses are in network byte order, four bytes or sixteen."""

    version: int  # 4 or 6
    src: bytes
    dst: bytes
    protocol: int = NO_PROTOCOL  # of IPv6 the one behind the extension headers
    transport: bytes | None = None  # from the transport header on; None where there is none: fragments, a cut chain
    dscp: int = 0
    flow_label: int = 0
    extension_headers: bool = False
    ex_src: bytes | None = None  # of a home address option
    ex_dst: bytes | None = None  # of a type 2 routing header


def parse_ip(data: bytes, version: int) -> Packet | None:
    """The packet that starts with the data; None when it is not of this version, or ends within its IP header."""
    return _ipv4(data) if version == 4 else _ipv6(data)


def version_of(data: bytes) -> int | None:
    """4 or 6, as the first four bits tell it; None for neither."""
    return {4: 4, 6: 6}.get(data[0] >> 4) if data else None


def _ipv4(data: bytes) -> Packet | None:
    if len(data) < 20 or data[0] >> 4 != 4 or data[0] & 15 < 5:
        return None
    fragment = int.from_bytes(data[6:8], "big") & 0x3FFF  # more fragments, or an offset
    transport = None if fragment else data[4 * (data[0] & 15) :]
    return Packet(4, data[12:16], data[16:20], data[9], transport, dscp=data[1] >> 2)


def _ipv6(data: bytes) -> Packet | None:
    if len(data) < 40 or data[0] >> 4 != 6:
        return None
    first, chain = int.from_bytes(data[:4], "big"), walk(data)
    return Packet(
        version=6,
        src=data[8:24],
        dst=data[24:40],
        protocol=chain.protocol,
        transport=None if chain.protocol == NO_PROTOCOL else data[chain.offset :],
        dscp=first >> 22 & 0x3F,
        flow_label=first & 0xFFFFF,
        extension_headers=chain.seen,
        ex_src=chain.ex_src,
        ex_dst=chain.ex_dst,
    )
