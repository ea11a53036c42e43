# Copyright (c) 2026, virtnet.rss contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to the collection: numbers of IEEE's ethertypes and IANA's protocols that the reference knows.

from __future__ import annotations

__all__ = (
    "AUTHENTICATION",
    "DCCP",
    "DESTINATION_OPTIONS",
    "ESP",
    "ETHERIP",
    "ETHERNET",
    "FRAGMENT",
    "GRE",
    "HOP_BY_HOP",
    "ICMP",
    "ICMPV6",
    "IPIP",
    "IPV4",
    "IPV6",
    "IPV6_IN_IP",
    "L2TPV3",
    "MOBILITY",
    "MPLS",
    "NO_PROTOCOL",
    "PPPOE",
    "ROUTING",
    "SCTP",
    "TCP",
    "TRANSPARENT_BRIDGING",
    "UDP",
    "UDPLITE",
    "VLAN_TYPES",
)

ETHERNET = 14  # length of an Ethernet header; layer 3 devices have none

IPV4, IPV6 = 0x0800, 0x86DD
VLAN_TYPES = (0x8100, 0x88A8, 0x9100)
MPLS = (0x8847, 0x8848)
PPPOE = 0x8864  # a session's packets; 0x8863 is its discovery
TRANSPARENT_BRIDGING = 0x6558  # an Ethernet frame in GRE or GENEVE

HOP_BY_HOP, ROUTING, FRAGMENT, AUTHENTICATION, DESTINATION_OPTIONS, MOBILITY = 0, 43, 44, 51, 60, 135
TCP, UDP, DCCP, ESP, L2TPV3, SCTP, UDPLITE = 6, 17, 33, 50, 115, 132, 136
ICMP, ICMPV6 = 1, 58
IPIP, IPV6_IN_IP, GRE, ETHERIP = 4, 41, 47, 97
NO_PROTOCOL = 255  # of a packet whose extension headers do not lead to a transport header; IANA keeps it free
