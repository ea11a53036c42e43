# Copyright (c) 2026, virtnet.rss contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to the collection: from a frame to its hash and queue (virtio 1.x sections 5.1.6.4.3 and 5.1.6.5.7).

from __future__ import annotations

import typing as t
from dataclasses import dataclass, replace

from ansible_collections.virtnet.rss.plugins.module_utils._rss.config import (
    HASH_TYPES,
    VIRTIO_HASH_TYPES,
    RssConfig,
    mask_to_hash_types,
    mask_to_tunnel_types,
)
from ansible_collections.virtnet.rss.plugins.module_utils._rss.frame import ETHERNET, parse_frame
from ansible_collections.virtnet.rss.plugins.module_utils._rss.numbers import NO_PROTOCOL
from ansible_collections.virtnet.rss.plugins.module_utils._rss.pins import matching_pin
from ansible_collections.virtnet.rss.plugins.module_utils._rss.toeplitz import toeplitz_hash
from ansible_collections.virtnet.rss.plugins.module_utils._rss.transports import four_bytes
from ansible_collections.virtnet.rss.plugins.module_utils._rss.tunnels import inner_packet

if t.TYPE_CHECKING:
    from ansible_collections.virtnet.rss.plugins.module_utils._rss.ip import Packet

__all__ = ("ADDRESSES_ONLY", "ONE_WAY", "Steered", "decide", "hash_input", "steer")

OUTER = "outer"
ADDRESSES_ONLY = ("ipv4", "ipv6", "ipv6_ex")
# Their four bytes are chosen by each side for itself, so they differ by direction.
ONE_WAY = ("esp", "ah", "l2tpv3", "esp_udp", "gtpu_teid", "flow_label")


@dataclass(frozen=True)
class Steered:
    """Why a packet lands on a queue. A packet that a pin takes has its number; one that goes to the default queue has
    neither that nor a hash."""

    queue: int
    hash_type: str | None = None
    hash: int | None = None
    header: str | None = None  # whose addresses are hashed: outer, or inner and the tunnel's name
    pin: int | None = None
    data: bytes = b""  # what is hashed

    @property
    def reason(self) -> str:
        """What the packet is counted under, one of REASONS."""
        return "none" if self.pin is None and self.hash_type is None else self.hash_type or "pin"


def steer(frame: bytes, config: RssConfig, *, l3_offset: int = ETHERNET, tci: int | None = None) -> Steered:
    """The queue of a frame; ``tci`` is a tag that the kernel keeps beside it."""
    found = parse_frame(frame, l3_offset=l3_offset, tunnel_types=config.tunnel_types, tci=tci)
    return decide(found.packet, config, tci=found.tci, shim=found.shim)


def decide(packet: Packet | None, config: RssConfig, *, tci: int | None = None, shim: str | None = None) -> Steered:
    """The queue of an outer IP packet (None: no IP) behind a tag and a shim: the default queue without redirect; else
    the first pin's that matches; else ``indirection[hash % len(indirection)]``; else the default queue."""
    if not config.redirect:
        return Steered(config.default_queue)
    pin = matching_pin(config.pins, packet, tci)
    if pin is not None:
        return Steered(config.pins[pin].queue, pin=pin)
    if packet is None:
        return Steered(config.default_queue)
    hashed, header = _hashed_packet(packet, config, f"inner {shim}" if shim else OUTER)
    chosen, data = hash_input(hashed, config)
    if chosen is None:
        return Steered(config.default_queue)
    value = toeplitz_hash(key=config.hash_key, data=data)
    return Steered(config.indirection[value % len(config.indirection)], chosen, value, header, data=data)


def _hashed_packet(packet: Packet, config: RssConfig, header: str) -> tuple[Packet, str]:
    """The packet inside of an enabled tunnel, or else this one; of a tunnel without an IP packet in it the addresses
    outside are all that can be hashed."""
    inner = inner_packet(packet, mask_to_tunnel_types(config.tunnel_types), config.tunnel_ports)
    if inner is None:
        return packet, header
    if inner.packet is None:
        return replace(packet, protocol=NO_PROTOCOL, transport=None), header
    return inner.packet, f"inner {inner.tunnel}"


def hash_input(packet: Packet, config: RssConfig) -> tuple[str | None, bytes]:
    """The hash type that applies and the bytes that are hashed: addresses, then four bytes; (None, b"") for none."""
    four = four_bytes(packet, config.tunnel_ports.gtpu)
    chosen = _choose(packet, four, config)
    if chosen is None:
        return None, b""
    ends = [packet.src, packet.dst]
    if chosen.endswith("_ex"):
        ends = [packet.ex_src or packet.src, packet.ex_dst or packet.dst]
    if chosen in ADDRESSES_ONLY:
        return chosen, b"".join(sorted(ends) if config.symmetric else ends)
    if chosen == "flow_label":
        return chosen, b"".join(ends) + packet.flow_label.to_bytes(4, "big")
    value = four[chosen] if chosen in four else four[chosen[:3]]  # tcpv4, udpv6_ex: tcp, udp
    if config.symmetric:  # the end with the smaller address first, of equal addresses that with the smaller port
        (src, sport), (dst, dport) = sorted(zip(ends, (value[:2], value[2:])))
        return chosen, src + dst + sport + dport
    return chosen, b"".join(ends) + value


def _choose(packet: Packet, four: t.Mapping[str, bytes], config: RssConfig) -> str | None:
    """The first of these that is enabled: ours with four bytes, virtio's with ports, the flow label, addresses."""
    enabled = mask_to_hash_types(config.hash_types)
    ours = [name for name in four if name in HASH_TYPES]
    virtio = _virtio_types(packet, next((name for name in ("tcp", "udp") if name in four), None))
    chosen = next((name for name in (*ours, *virtio) if name in enabled), None)
    if chosen in (None, *ADDRESSES_ONLY) and packet.flow_label and "flow_label" in enabled:
        chosen = "flow_label"
    if config.symmetric and chosen in ONE_WAY:
        chosen = next((name for name in _virtio_types(packet, None) if name in enabled), None)
    return chosen


def _virtio_types(packet: Packet, l4: str | None) -> list[str]:
    """The types that virtio's text asks for one after the other, by protocol (tcp, udp)."""
    names = [f"{prefix}v{packet.version}" for prefix in (l4, "ip") if prefix]
    extended = [f"{name}_ex" for name in names] if packet.extension_headers else []
    return [name for name in (*extended, *names) if name in VIRTIO_HASH_TYPES]
