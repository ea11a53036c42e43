# Copyright (c) 2026, virtnet.rss contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to the collection: the frames that prove what a configuration turns on beside virtio's hash types: a packet of
# each transport, an inner packet of each tunnel, a packet for each pin.

from __future__ import annotations

import random
import struct
import typing as t
from ipaddress import ip_network

from ansible_collections.virtnet.rss.plugins.module_utils._rss.config import mask_to_hash_types, mask_to_tunnel_types
from ansible_collections.virtnet.rss.plugins.module_utils._rss.numbers import (
    AUTHENTICATION,
    DCCP,
    ESP,
    ETHERIP,
    GRE,
    ICMPV6,
    IPIP,
    IPV6_IN_IP,
    L2TPV3,
    SCTP,
    TCP,
    UDP,
    UDPLITE,
)
from ansible_collections.virtnet.rss.plugins.module_utils._rss.pins import FLOW_TYPES

if t.TYPE_CHECKING:
    from ansible_collections.virtnet.rss.plugins.module_utils._rss.config import Pin, RssConfig

__all__ = ("feature_frames",)

ANY_PORT = 40000
FIRST_FOUR = {"sctp": SCTP, "udplite": UDPLITE, "dccp": DCCP, "esp": ESP, "l2tpv3": L2TPV3}
IPV4, IPV6, VLAN, MPLS, PPPOE = b"\x08\x00", b"\x86\xdd", b"\x81\x00", b"\x88\x47", b"\x88\x64"
BRIDGED = 0x6558


class _Maker:
    """Makes packets with addresses and ports out of one sequence of random numbers, the same for the same seed."""

    def __init__(self, seed: int) -> None:
        self._source = random.Random(seed)

    def some(self, size: int) -> bytes:
        """So many bytes, none of them zero."""
        return bytes(self._source.randrange(1, 256) for _byte in range(size))

    def ip(self, protocol: int, payload: bytes, *, version: int = 4, label: int = 0) -> bytes:
        """A packet between two addresses."""
        if version == 4:
            return ip4(protocol, payload, self.some(4), self.some(4))
        return ip6(protocol, payload, self.some(16), self.some(16), label=label)

    def udp(self, port: int, payload: bytes) -> bytes:
        """From any port."""
        return self.ip(UDP, struct.pack("!HHHH", ANY_PORT, port, 8 + len(payload), 0) + payload)

    def flow(self) -> bytes:
        """A TCP packet, for the inside of a tunnel."""
        return self.ip(TCP, self.some(4) + bytes(16))


def ip4(protocol: int, payload: bytes, src: bytes, dst: bytes, *, tos: int = 0) -> bytes:
    """An IPv4 packet."""
    return struct.pack("!BBHHHBBH", 0x45, tos, 20 + len(payload), 0, 0, 64, protocol, 0) + src + dst + payload


def ip6(protocol: int, payload: bytes, src: bytes, dst: bytes, *, tos: int = 0, label: int = 0) -> bytes:
    """An IPv6 packet."""
    return struct.pack("!IHBB", 6 << 28 | tos << 20 | label, len(payload), protocol, 64) + src + dst + payload


def feature_frames(config: RssConfig, *, seed: int, l3_offset: int) -> list[bytes]:
    """Frames, or packets for a layer 3 device (``l3_offset`` 0); the same for the same seed."""
    maker = _Maker(seed)
    packets = [*_transports(config, maker), *_tunnels(config, maker)]
    if not l3_offset:
        return packets
    frames = [_framed(packet) for packet in packets]
    return [*frames, *_shims(config, maker), *(_pinned(pin, maker) for pin in config.pins)]


def _framed(packet: bytes) -> bytes:
    return bytes(12) + (IPV4 if packet[0] >> 4 == 4 else IPV6) + packet


def _transports(config: RssConfig, maker: _Maker) -> t.Iterator[bytes]:
    """Of each type of ours that is on; and of ESP in UDP what is none."""
    types = mask_to_hash_types(config.hash_types)
    for name, protocol in FIRST_FOUR.items():
        if name in types:
            for version in (4, 6):
                yield maker.ip(protocol, maker.some(4) + bytes(16), version=version)
    if "ah" in types:
        yield maker.ip(AUTHENTICATION, bytes([UDP, 4, 0, 0]) + maker.some(4) + bytes(16))
    if "esp_udp" in types:
        yield maker.udp(4500, maker.some(4) + bytes(16))
        yield maker.udp(4500, bytes(20))
    if "gtpu_teid" in types:
        yield maker.udp(config.tunnel_ports.gtpu[0], _gtpu(maker) + bytes(16))
    if "flow_label" in types:
        yield maker.ip(ICMPV6, bytes(8), version=6, label=int.from_bytes(maker.some(2), "big"))


def _gtpu(maker: _Maker) -> bytes:
    return b"\x30\xff\0\0" + maker.some(4)


def _gre(flags: int, kind: int) -> bytes:
    return struct.pack("!HH", flags, kind) + bytes(4 * bin(flags).count("1"))


def _tunnels(config: RssConfig, maker: _Maker) -> t.Iterator[bytes]:
    """A packet of each tunnel over IP that is on."""
    names, ports = mask_to_tunnel_types(config.tunnel_types), config.tunnel_ports
    for name in names:
        bridged = _framed(maker.flow())
        over_udp = {
            "gre_udp": (ports.gre_udp, _gre(0, 0x0800) + maker.flow()),
            "vxlan": (ports.vxlan, b"\x08" + bytes(7) + bridged),
            "vxlan_gpe": (ports.vxlan_gpe, b"\x0c\0\0\x01" + bytes(4) + maker.flow()),
            "geneve": (ports.geneve, b"\x01\0\x65\x58" + bytes(8) + bridged),
            "gtpu": (ports.gtpu, _gtpu(maker) + maker.flow()),
        }
        if name in over_udp:
            for port in over_udp[name][0]:
                yield maker.udp(port, over_udp[name][1])
        over_ip = {
            "gre_2784": [(4, GRE, _gre(0x8000, 0x0800) + maker.flow())],
            "gre_2890": [(4, GRE, _gre(0x3000, 0x0800) + maker.flow())],
            "gre_7676": [(6, GRE, _gre(0, 0x0800) + maker.flow())],
            "nvgre": [(4, GRE, _gre(0x2000, BRIDGED) + bridged)],
            "ipip": [(4, IPIP, maker.flow())],
            "ip6tnl": [(6, IPIP, maker.flow()), (4, IPV6_IN_IP, maker.ip(TCP, maker.some(20), version=6))],
            "etherip": [(4, ETHERIP, b"\x30\0" + bridged)],
        }
        for version, protocol, payload in over_ip.get(name, ()):
            yield maker.ip(protocol, payload, version=version)


def _shims(config: RssConfig, maker: _Maker) -> t.Iterator[bytes]:
    names = mask_to_tunnel_types(config.tunnel_types)
    if "mpls" in names:
        yield bytes(12) + MPLS + b"\0\x01\0\x40" + b"\0\x02\x01\x40" + maker.flow()
    if "pppoe" in names:
        yield bytes(12) + PPPOE + b"\x11\0\0\x01\0\x30\0\x21" + maker.flow()


def _pinned(pin: Pin, maker: _Maker) -> bytes:
    """A frame that the pin takes, unless one before it does."""
    version, protocol = FLOW_TYPES[pin.flow_type]
    protocol = protocol or pin.l4proto or TCP
    tos = (pin.dscp or 0) << 2
    ports = struct.pack("!HH", pin.src_port or ANY_PORT, pin.dst_port or ANY_PORT)
    make, size = (ip6, 16) if version == 6 else (ip4, 4)
    src, dst = (
        ip_network(text).network_address.packed if text else maker.some(size) for text in (pin.src_ip, pin.dst_ip)
    )
    frame = _framed(make(protocol, ports + bytes(16), src, dst, tos=tos))
    if pin.vlan is None and pin.vlan_pcp is None:
        return frame
    tci = (pin.vlan_pcp or 0) << 13 | (pin.vlan or 0)
    return frame[:12] + VLAN + struct.pack("!H", tci) + frame[12:]
