# Copyright (c) 2026, virtnet.rss contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to the collection: a frame up to its outer IP packet; the reference that the
# program is proven against, so it is written for reading, not for speed, and shares nothing with it.

from __future__ import annotations

from dataclasses import dataclass

from ansible_collections.virtnet.rss.plugins.module_utils._rss.ethernet import ethernet, first_tag
from ansible_collections.virtnet.rss.plugins.module_utils._rss.ip import Packet, parse_ip, version_of
from ansible_collections.virtnet.rss.plugins.module_utils._rss.numbers import ETHERNET, IPV4, IPV6, MPLS, PPPOE
from ansible_collections.virtnet.rss.plugins.module_utils._rss.tunnel_types import mask_to_tunnel_types

__all__ = ("ETHERNET", "MAX_LABELS", "Frame", "parse_frame")

MAX_LABELS = 6
PPPOE_SESSION_DATA = b"\x11\x00"  # version and type 1, code 0 (RFC 2516)
PPP_IP = (b"\x00\x21", b"\x00\x57")  # IPv4 and IPv6 in PPP


@dataclass(frozen=True)
class Frame:
    """The outer IP packet, None when there is none; the tag control information of the outermost tag; and the shim
    that was looked through, pppoe or mpls."""

    packet: Packet | None = None
    tci: int | None = None
    shim: str | None = None


def parse_frame(frame: bytes, *, l3_offset: int = ETHERNET, tunnel_types: int = 0, tci: int | None = None) -> Frame:
    """``l3_offset`` is 14 for Ethernet, 0 for a layer 3 device. ``tunnel_types`` (bit mask) says which shims are looked
    through. ``tci`` is a tag that the kernel has taken out of the frame into the packet's metadata: it comes first."""
    if not l3_offset:
        return Frame(parse_ip(frame, 4 if version_of(frame) == 4 else 6), tci)
    tci = first_tag(frame) if tci is None else tci
    ethertype, data = ethernet(frame)
    if ethertype in (IPV4, IPV6):
        return Frame(parse_ip(data, 4 if ethertype == IPV4 else 6), tci)
    enabled = mask_to_tunnel_types(tunnel_types)
    shim, length = _shim(ethertype, data)
    if shim not in enabled:
        return Frame(None, tci)
    inside = data[length:]
    version = version_of(inside)
    return Frame(parse_ip(inside, version) if version else None, tci, shim)


def _shim(ethertype: int, data: bytes) -> tuple[str | None, int]:
    """Name and length of what is between the Ethernet header and the IP packet."""
    if ethertype == PPPOE and data[:2] == PPPOE_SESSION_DATA and data[6:8] in PPP_IP:
        return "pppoe", 8
    if ethertype in MPLS:
        for label in range(min(MAX_LABELS, len(data) // 4)):
            if data[4 * label + 2] & 1:  # bottom of the stack (RFC 3032)
                return "mpls", 4 * (label + 1)
    return None, 0
