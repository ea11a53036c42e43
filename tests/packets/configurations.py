# SPDX-License-Identifier: GPL-3.0-or-later
"""Configurations that between them turn on everything that the program can compute, alone and together."""

from __future__ import annotations

import typing as t

from ansible_collections.virtnet.rss.plugins.module_utils._rss.config import (
    HASH_TYPES,
    TUNNEL_TYPES,
    VIRTIO_HASH_TYPES,
    Pin,
    RssConfig,
    TunnelPorts,
    hash_types_to_mask,
    tunnel_types_to_mask,
)

__all__ = ("CONFIGURATIONS", "PINS", "configuration")

SIX = VIRTIO_HASH_TYPES[:6]
EX = VIRTIO_HASH_TYPES[6:]
OWN = HASH_TYPES[9:]
# The options' defaults: as much as automatic selection looks at.
DEFAULT = (*SIX, "sctp", "udplite", "dccp", "esp", "ah")
SEEN_THROUGH = ("gre_2784", "gre_2890", "gre_7676", "nvgre", "ipip", "ip6tnl", "pppoe", "mpls")
VIRTIOS = tuple(name for name, bit in TUNNEL_TYPES.items() if bit < 16)
# Of each flow type, with each kind of word; addresses and ports are those of the packet table's packets.
PINS = (
    Pin(11, "tcp4", dst_port=80),
    Pin(12, "udp4", src_ip="192.0.2.0/24", dst_port=4789),
    Pin(13, "sctp4"),
    Pin(14, "ip4", l4proto=50, dst_ip="198.51.100.2"),
    Pin(15, "ip4", dscp=46),
    Pin(16, "tcp6", src_ip="2001:db8:1::/48", src_port=0x1234),
    Pin(17, "udp6", dst_ip="2001:db8:2::2"),
    Pin(18, "sctp6"),
    Pin(19, "ip6", l4proto=58),
    Pin(20, "ip6", dscp=10),
    Pin(21, "ether", vlan=100, vlan_pcp=1),
    Pin(22, "ether", vlan=7),
    Pin(23, "ip4", l4proto=47),
    Pin(24, "ip6", l4proto=255 - 1),
    Pin(25, "tcp4", src_ip="66.9.149.187", dst_ip="161.142.100.80", src_port=2794, dst_port=1766),
    Pin(26, "ether", vlan_pcp=5),
)
ONE_PROTOCOL = (Pin(31, "tcp4", dst_port=22), Pin(32, "tcp4", dst_port=0x5678, src_ip="192.0.2.1"))

CONFIGURATIONS: dict[str, dict[str, t.Any]] = {
    "six types": {"types": SIX},
    "virtio's nine types": {"types": VIRTIO_HASH_TYPES},
    "addresses alone": {"types": ("ipv4", "ipv6")},
    "TCP and UDP alone": {"types": ("tcpv4", "udpv4", "tcpv6", "udpv6")},
    "extension headers alone": {"types": EX},
    "none": {"types": ()},
    "no redirect": {"types": SIX, "redirect": False},
    "the defaults": {"types": DEFAULT, "tunnels": SEEN_THROUGH},
    "the defaults, symmetric": {"types": DEFAULT, "tunnels": SEEN_THROUGH, "symmetric": True},
    "all transports": {"types": (*SIX, *OWN)},
    "all transports, symmetric": {"types": (*SIX, *OWN), "symmetric": True},
    "transports without ports": {"types": ("ipv4", "ipv6", *OWN)},
    "flow label and extension headers": {"types": (*EX, "flow_label")},
    "virtio's tunnels": {"types": SIX, "tunnels": VIRTIOS},
    "virtio's tunnels and extension headers": {"types": VIRTIO_HASH_TYPES, "tunnels": VIRTIOS},
    "one tunnel over UDP": {"types": SIX, "tunnels": ("geneve",)},
    "NVGRE and old GRE": {"types": SIX, "tunnels": ("nvgre", "gre_2784")},
    "our tunnels": {"types": SIX, "tunnels": ("gtpu", "ip6tnl", "etherip", "mpls", "pppoe")},
    "other ports": {
        "types": (*SIX, *OWN),
        "tunnels": ("vxlan", "geneve", "gtpu"),
        "ports": TunnelPorts(vxlan=(4790, 6081), geneve=(4789, 8472), gtpu=(4500,)),
    },
    "pins": {"types": SIX, "pins": PINS},
    "pins of one protocol": {"types": SIX, "pins": ONE_PROTOCOL},
    "pins and the defaults": {"types": DEFAULT, "tunnels": SEEN_THROUGH, "pins": PINS},
    "everything": {"types": HASH_TYPES, "tunnels": tuple(TUNNEL_TYPES), "pins": PINS[:4]},
    "everything, symmetric": {
        "types": HASH_TYPES,
        "tunnels": tuple(TUNNEL_TYPES),
        "pins": ONE_PROTOCOL,
        "symmetric": True,
    },
}


def configuration(name: str, key: bytes, indirection: tuple[int, ...], default_queue: int) -> RssConfig:
    """One of CONFIGURATIONS with this key and this table."""
    words = CONFIGURATIONS[name]
    return RssConfig(
        hash_key=key,
        hash_types=hash_types_to_mask(words["types"]),
        indirection=indirection,
        default_queue=default_queue,
        redirect=words.get("redirect", True),
        tunnel_types=tunnel_types_to_mask(words.get("tunnels", ())),
        tunnel_ports=words.get("ports", TunnelPorts()),
        symmetric=words.get("symmetric", False),
        pins=words.get("pins", ()),
    )
