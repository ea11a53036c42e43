# Copyright (c) 2026, virtnet.rss contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to the collection: an Ethernet frame up to its payload; the reference that the
# program is proven against, so it is written for reading, not for speed, and shares nothing with it.

from __future__ import annotations

from ansible_collections.virtnet.rss.plugins.module_utils._rss.numbers import VLAN_TYPES

__all__ = ("MAX_VLAN_TAGS", "ethernet", "first_tag")

MAX_VLAN_TAGS = 3


def ethernet(frame: bytes) -> tuple[int, bytes]:
    """The type behind at most three VLAN tags, and what follows; type 0 for a frame that ends before."""
    for tags in range(MAX_VLAN_TAGS + 1):
        place = 12 + 4 * tags
        if len(frame) < place + 2:
            return 0, b""
        ethertype = int.from_bytes(frame[place : place + 2], "big")
        if ethertype not in VLAN_TYPES:
            return ethertype, frame[place + 2 :]
    return 0, b""


def first_tag(frame: bytes) -> int | None:
    """Tag control information of the outermost tag in the data; None for none, or one that is cut."""
    if len(frame) < 16 or int.from_bytes(frame[12:14], "big") not in VLAN_TYPES:
        return None
    return int.from_bytes(frame[14:16], "big")
