# Copyright (c) 2026, virtnet.rss contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to the collection: the tunnels whose inner packet can be hashed, and the UDP ports of those
# that run over UDP. Bits 0 to 8 are virtio's (VIRTIO_NET_F_HASH_TUNNEL, virtio-spec git 15f488c), bits from 16 on ours.

from __future__ import annotations

import typing as t
from dataclasses import dataclass, fields

from ansible_collections.virtnet.rss.plugins.module_utils._errors import InputError
from ansible_collections.virtnet.rss.plugins.module_utils._rss.limits import PORT_MAX

__all__ = ("TUNNEL_TYPES", "TunnelPorts", "mask_to_tunnel_types", "tunnel_types_to_mask")

# Name: number of the bit.
TUNNEL_TYPES = {
    "gre_2784": 0,
    "gre_2890": 1,
    "gre_7676": 2,
    "gre_udp": 3,
    "vxlan": 4,
    "vxlan_gpe": 5,
    "geneve": 6,
    "ipip": 7,
    "nvgre": 8,
    "gtpu": 16,
    "ip6tnl": 17,
    "etherip": 18,
    "mpls": 19,
    "pppoe": 20,
}
PORTS_OF_A_TUNNEL = 2


def tunnel_types_to_mask(names: t.Iterable[str]) -> int:
    """The bit mask of tunnel types given by name; InputError for another name."""
    mask = 0
    for name in names:
        if name not in TUNNEL_TYPES:
            raise InputError("tunnel_types", name, f"choose of {', '.join(TUNNEL_TYPES)}")
        mask |= 1 << TUNNEL_TYPES[name]
    return mask


def mask_to_tunnel_types(mask: int) -> tuple[str, ...]:
    """The names of the tunnel types in a bit mask, in bit order."""
    return tuple(name for name, bit in TUNNEL_TYPES.items() if mask >> bit & 1)


@dataclass(frozen=True)
class TunnelPorts:
    """The UDP destination ports of each tunnel that runs over UDP: one or two, as numbers, in ascending order.

    InputError for another number of ports, and for numbers that are no ports.
    """

    vxlan: tuple[int, ...] = (4789, 8472)  # RFC 7348; what Linux used before
    vxlan_gpe: tuple[int, ...] = (4790,)
    geneve: tuple[int, ...] = (6081,)  # RFC 8926
    gre_udp: tuple[int, ...] = (4754,)  # RFC 8086; 4755 is GRE in DTLS, which nobody can look into
    gtpu: tuple[int, ...] = (2152,)  # 3GPP TS 29.281; of the hash type gtpu_teid too

    def __post_init__(self) -> None:
        for kind in fields(self):
            option, ports = f"tunnel_ports.{kind.name}", getattr(self, kind.name)
            if not 1 <= len(ports) <= PORTS_OF_A_TUNNEL:
                raise InputError(option, list(ports), f"a tunnel has one or {PORTS_OF_A_TUNNEL} ports")
            if not all(1 <= port <= PORT_MAX for port in ports):
                raise InputError(option, list(ports), f"ports are numbers from 1 to {PORT_MAX}")
            object.__setattr__(self, kind.name, tuple(sorted(set(ports))))

    def check(self, tunnels: t.Container[str]) -> None:
        """InputError for a port that two of these tunnels share: nobody could tell what its packets carry."""
        owners: dict[int, str] = {}
        for kind in (item.name for item in fields(self) if item.name in tunnels):
            for port in getattr(self, kind):
                if owners.setdefault(port, kind) != kind:
                    raise InputError(f"tunnel_ports.{kind}", port, f"it is a port of {owners[port]}")

    def used(self, tunnels: t.Container[str]) -> TunnelPorts:
        """The ports of these tunnels; the others' are the default ones, for they change nothing."""
        return TunnelPorts(**{item.name: getattr(self, item.name) for item in fields(self) if item.name in tunnels})
