# Copyright (c) 2026, virtnet.rss contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to the collection: what a receive queue is computed from, in the words of virtio 1.x section 5.1.6.5.7.

from __future__ import annotations

import functools
import typing as t
from dataclasses import dataclass, field

from ansible_collections.virtnet.rss.plugins.module_utils._errors import InputError, PlaceError
from ansible_collections.virtnet.rss.plugins.module_utils._rss.limits import (
    HASH_KEY_SIZE,
    INDIRECTION_MAX,
    check_queue,
)
from ansible_collections.virtnet.rss.plugins.module_utils._rss.pins import Pin, check_pins
from ansible_collections.virtnet.rss.plugins.module_utils._rss.tunnel_types import (
    TUNNEL_TYPES,
    TunnelPorts,
    mask_to_tunnel_types,
    tunnel_types_to_mask,
)

__all__ = (
    "DEFAULT_HASH_TYPES",
    "DEFAULT_TUNNEL_PORTS",
    "DEFAULT_TUNNEL_TYPES",
    "HASH_TYPES",
    "REASONS",
    "TUNNEL_TYPES",
    "VIRTIO_HASH_TYPES",
    "Pin",
    "RssConfig",
    "TunnelPorts",
    "hash_types_to_mask",
    "mask_to_hash_types",
    "mask_to_tunnel_types",
    "tunnel_types_to_mask",
)

# In the order of their bits: ipv4 is 1, udpv6_ex is 256. Number n of enum hash_type (bpf/abi.h) is bit n - 1.
VIRTIO_HASH_TYPES = ("ipv4", "tcpv4", "udpv4", "ipv6", "tcpv6", "udpv6", "ipv6_ex", "tcpv6_ex", "udpv6_ex")
# Ours, for both families: four bytes of the transport header (or the flow label) in the place of the ports.
HASH_TYPES = (
    *VIRTIO_HASH_TYPES,
    "sctp",
    "udplite",
    "dccp",
    "esp",
    "ah",
    "l2tpv3",
    "esp_udp",
    "gtpu_teid",
    "flow_label",
)
# By default nothing is spread less than by automatic selection (docs/protocols.md; tests/kernel/test_protocols.py).
DEFAULT_HASH_TYPES = (*VIRTIO_HASH_TYPES[:6], "sctp", "udplite", "dccp", "esp", "ah")
DEFAULT_TUNNEL_TYPES = ("gre_2784", "gre_2890", "gre_7676", "nvgre", "ipip", "ip6tnl", "pppoe", "mpls")
DEFAULT_TUNNEL_PORTS = TunnelPorts()
# What a packet is counted under, by number; the plain object has the first ten.
REASONS = ("none", *HASH_TYPES, "pin")


def hash_types_to_mask(names: t.Iterable[str]) -> int:
    """The bit mask of hash types given by name."""
    mask = 0
    for name in names:
        if name not in HASH_TYPES:
            raise InputError("hash_types", name, f"choose of {', '.join(HASH_TYPES)}", words=HASH_TYPES)
        mask |= 1 << HASH_TYPES.index(name)
    return mask


def mask_to_hash_types(mask: int) -> tuple[str, ...]:
    """The names of the hash types in a bit mask, in bit order."""
    return tuple(name for bit, name in enumerate(HASH_TYPES) if mask >> bit & 1)


@functools.lru_cache(maxsize=64)  # many devices have the same table: one of it is kept for all
def _checked_table(indirection: tuple[int, ...]) -> tuple[int, ...]:
    size = len(indirection)
    if not 1 <= size <= INDIRECTION_MAX or size & (size - 1):
        raise PlaceError(
            "indirection",
            f"a table of {size} entries is not allowed; its length is a power of two up to {INDIRECTION_MAX}",
        )
    for queue in indirection:
        check_queue("indirection", queue)
    return indirection


@dataclass(frozen=True)
class RssConfig:
    """Hash key (40 bytes), hash types (bit mask), indirection table (a power of two of queues) and the rest of RSS.

    ``tunnel_types`` is a bit mask; ``symmetric`` sorts the ends of a flow; the first of ``pins`` that matches decides
    before anything is hashed. InputError for a value out of range.
    """

    hash_key: bytes = field(repr=False)
    hash_types: int
    indirection: tuple[int, ...]
    default_queue: int = 0
    redirect: bool = True
    tunnel_types: int = 0
    tunnel_ports: TunnelPorts = DEFAULT_TUNNEL_PORTS
    symmetric: bool = False
    pins: tuple[Pin, ...] = ()

    def __post_init__(self) -> None:
        if len(self.hash_key) != HASH_KEY_SIZE:
            raise PlaceError("hash_key", f"it has {len(self.hash_key)} bytes; a hash key has {HASH_KEY_SIZE}")
        if not 0 <= self.hash_types < 1 << len(HASH_TYPES):
            raise InputError("hash_types", self.hash_types, f"it is a mask of {len(HASH_TYPES)} bits")
        if self.tunnel_types & ~tunnel_types_to_mask(TUNNEL_TYPES):
            raise InputError("tunnel_types", self.tunnel_types, f"it is a mask of {len(TUNNEL_TYPES)} tunnels")
        object.__setattr__(self, "indirection", _checked_table(self.indirection))
        check_queue("default_queue", self.default_queue)
        self.tunnel_ports.check(mask_to_tunnel_types(self.tunnel_types))
        check_pins(self.pins)

    @property
    def is_plain(self) -> bool:
        """It needs nothing but virtio's nine hash types, so the small program does."""
        own_types = self.hash_types >> len(VIRTIO_HASH_TYPES)
        return not (own_types or self.tunnel_types or self.symmetric or self.pins)
