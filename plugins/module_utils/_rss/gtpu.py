# Copyright (c) 2026, virtnet.rss contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to the collection: the header of GTP-U (3GPP TS 29.281 section 5), which is a tunnel, or a place
# of four bytes that tell its tunnels apart.

from __future__ import annotations

__all__ = ("carries_user_data", "header_length", "tunnel_endpoint")

VERSION_AND_PROTOCOL = 0x30  # version 1, GTP (not GTP')
G_PDU = 255
EXTENSION, ANY_OPTION = 4, 7  # bits E; E, S or PN
MAX_EXTENSIONS = 4


def carries_user_data(header: bytes) -> bool:
    """Whether a packet of a user is inside: version 1, message type 255."""
    return header[0] & 0xF0 == VERSION_AND_PROTOCOL and header[1] == G_PDU


def tunnel_endpoint(header: bytes) -> bytes:
    """The TEID, four bytes."""
    return header[4:8]


def header_length(header: bytes) -> int | None:
    """With its options; None when an extension is cut, has length 0, or is the fifth."""
    length = 8
    if not header[0] & ANY_OPTION:
        return length
    length += 4
    if len(header) < length:
        return None
    following = header[length - 1] if header[0] & EXTENSION else 0
    for _count in range(MAX_EXTENSIONS):
        if not following:
            break
        size = 4 * header[length] if length < len(header) else 0
        if not size or length + size > len(header):
            return None
        length += size
        following = header[length - 1]
    return None if following else length
