# Copyright (c) 2026, virtnet.rss contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to the collection: names of the protocols that an observer sees, and the words of tap_steering that look into
# them. Pure.

from __future__ import annotations

import typing as t

if t.TYPE_CHECKING:
    from ansible_collections.virtnet.rss.plugins.module_utils._bpf.observe_program import Protocol

__all__ = ("WORDS", "name_of", "named")

IPV4, IPV6, UDP = 0x0800, 0x86DD, 17
# IEEE's and IANA's registers, as far as a guest may have them
ETHERNET = {0x0806: "arp", 0x8847: "mpls", 0x8848: "mpls", 0x8863: "pppoe discovery", 0x8864: "pppoe", 0x88CC: "lldp"}
IP = {
    1: "icmp",
    2: "igmp",
    4: "ipip",
    6: "tcp",
    17: "udp",
    33: "dccp",
    41: "ip6tnl",
    47: "gre",
    50: "esp",
    51: "ah",
    58: "icmpv6",
    59: "no next header",
    89: "ospf",
    97: "etherip",
    112: "vrrp",
    115: "l2tpv3",
    132: "sctp",
    136: "udplite",
    137: "mpls in ip",
}
UDP_PORTS = {
    2152: "gtpu",
    4500: "esp in udp",
    4754: "gre in udp",
    4789: "vxlan",
    4790: "vxlan_gpe",
    6081: "geneve",
    8472: "vxlan",
}
# For each name the option and its words that hash such packets by what is inside, or by more than their addresses.
WORDS: dict[str, tuple[str, tuple[str, ...]]] = {
    "vxlan": ("tunnel_types", ("vxlan",)),
    "vxlan_gpe": ("tunnel_types", ("vxlan_gpe",)),
    "geneve": ("tunnel_types", ("geneve",)),
    "gre in udp": ("tunnel_types", ("gre_udp",)),
    "gtpu": ("tunnel_types", ("gtpu",)),
    "gre": ("tunnel_types", ("gre_2784", "gre_2890", "gre_7676", "nvgre")),
    "ipip": ("tunnel_types", ("ipip",)),
    "ip6tnl": ("tunnel_types", ("ip6tnl",)),
    "etherip": ("tunnel_types", ("etherip",)),
    "pppoe": ("tunnel_types", ("pppoe",)),
    "mpls": ("tunnel_types", ("mpls",)),
    "sctp": ("hash_types", ("sctp",)),
    "udplite": ("hash_types", ("udplite",)),
    "dccp": ("hash_types", ("dccp",)),
    "esp": ("hash_types", ("esp",)),
    "ah": ("hash_types", ("ah",)),
    "l2tpv3": ("hash_types", ("l2tpv3",)),
    "esp in udp": ("hash_types", ("esp_udp",)),
    "icmpv6": ("hash_types", ("flow_label",)),
    "no next header": ("hash_types", ("flow_label",)),
    "udp fragment": ("hash_types", ("flow_label",)),
    "tcp fragment": ("hash_types", ("flow_label",)),
    "tcp/ipv4": ("hash_types", ("ipv4", "tcpv4")),
    "udp/ipv4": ("hash_types", ("ipv4", "udpv4")),
    "tcp/ipv6": ("hash_types", ("ipv6", "tcpv6")),
    "udp/ipv6": ("hash_types", ("ipv6", "udpv6")),
}


def name_of(protocol: Protocol) -> str:
    """In a few letters: arp, tcp/ipv4, vxlan/ipv6, ..."""
    if protocol.eth_type not in (IPV4, IPV6):
        if not protocol.eth_type:
            return "others"
        return ETHERNET.get(protocol.eth_type, f"ethernet type {protocol.eth_type:04x}")
    what = IP.get(protocol.ip_proto, f"ip protocol {protocol.ip_proto}")
    if protocol.ip_proto == UDP:
        what = UDP_PORTS.get(protocol.port, what)
    if protocol.fragment:
        what += " fragment"
    return f"{what}/{'ipv4' if protocol.eth_type == IPV4 else 'ipv6'}"


def named(protocols: t.Mapping[Protocol, int]) -> dict[str, int]:
    """Packets by name, the most first."""
    found: dict[str, int] = {}
    for protocol, packets in protocols.items():
        name = name_of(protocol)
        found[name] = found.get(name, 0) + packets
    return dict(sorted(found.items(), key=lambda item: -item[1]))
