# Copyright (c) 2026, virtnet.rss contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to the collection: the four bytes of a transport header that are hashed beside the addresses; the reference
# that the program is proven against, so it is written for reading, not for speed, and shares nothing with it.

from __future__ import annotations

import typing as t

from ansible_collections.virtnet.rss.plugins.module_utils._rss import gtpu
from ansible_collections.virtnet.rss.plugins.module_utils._rss.numbers import (
    AUTHENTICATION,
    DCCP,
    ESP,
    L2TPV3,
    SCTP,
    TCP,
    UDP,
    UDPLITE,
)

if t.TYPE_CHECKING:
    from ansible_collections.virtnet.rss.plugins.module_utils._rss.ip import Packet

__all__ = ("ESP_UDP_PORT", "WITH_PORTS", "four_bytes")

WITH_PORTS = {TCP: "tcp", UDP: "udp", SCTP: "sctp", UDPLITE: "udplite", DCCP: "dccp"}
FIRST_FOUR = {**WITH_PORTS, ESP: "esp", L2TPV3: "l2tpv3"}  # ports, SPI, session id
ESP_UDP_PORT = 4500  # RFC 3948
UDP_HEADER = 8


def four_bytes(packet: Packet, gtpu_ports: t.Collection[int]) -> dict[str, bytes]:
    """What the packet has to offer, the most telling first: tcp and udp, or one of the hash types of ours.

    Nothing for a fragment, and for what cannot be read to its end.
    """
    transport = packet.transport or b""
    if packet.protocol == AUTHENTICATION:  # in IPv4; in IPv6 it is an extension header, and what is behind it counts
        found = {"ah": transport[4:8]}
    elif packet.protocol == UDP:
        found = {**_refined(transport, gtpu_ports), "udp": transport[:4]}
    else:
        found = {name: transport[:4] for protocol, name in FIRST_FOUR.items() if protocol == packet.protocol}
    return {name: four for name, four in found.items() if len(four) == 4}


def _refined(transport: bytes, gtpu_ports: t.Collection[int]) -> dict[str, bytes]:
    """Of what is in UDP: the TEID of GTP-U (sent to one of its ports), the SPI of ESP (from its port, or to it)."""
    ports = [int.from_bytes(transport[place : place + 2], "big") for place in (0, 2)]
    inside = transport[UDP_HEADER:]
    found = {}
    if ports[1] in gtpu_ports and len(inside) >= 8 and gtpu.carries_user_data(inside):
        found["gtpu_teid"] = gtpu.tunnel_endpoint(inside)
    if ESP_UDP_PORT in ports and inside[:4] != bytes(4):  # four zeros: IKE's marker of what is no ESP
        found["esp_udp"] = inside[:4]
    return found
