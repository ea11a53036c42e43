# Copyright (c) 2026, virtnet.rss contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to the collection: tunnels: what is inside of an IP packet, by the rules of virtio's
# VIRTIO_NET_F_HASH_TUNNEL and by ours; the reference that the program is proven against, so it is written for reading,
# not for speed, and shares nothing with it.

from __future__ import annotations

import typing as t

from ansible_collections.virtnet.rss.plugins.module_utils._rss import gtpu
from ansible_collections.virtnet.rss.plugins.module_utils._rss.ethernet import ethernet
from ansible_collections.virtnet.rss.plugins.module_utils._rss.ip import Packet, parse_ip, version_of
from ansible_collections.virtnet.rss.plugins.module_utils._rss.numbers import (
    ETHERIP,
    GRE,
    IPIP,
    IPV4,
    IPV6,
    IPV6_IN_IP,
    TRANSPARENT_BRIDGING,
    UDP,
)

if t.TYPE_CHECKING:
    from ansible_collections.virtnet.rss.plugins.module_utils._rss.tunnel_types import TunnelPorts

__all__ = ("Inner", "inner_packet", "tunnel_types_of")

CHECKSUM, KEY, SEQUENCE = 0x8000, 0x2000, 0x1000  # bits of GRE that add four bytes each
GRE_OTHER = 0x4C07  # routing and the other bits of RFC 1701, and the version
ETHERIP_HEADER = b"\x30\x00"  # version 3 (RFC 3378)
UDP_HEADER = 8
TUNNEL_HEADER = 8  # of every tunnel over UDP so many bytes must be there


class Inner(t.NamedTuple):
    """The tunnel, and the IP packet inside; None when what is inside is no IP, or ends within its IP header."""

    tunnel: str
    packet: Packet | None


class _Content(t.NamedTuple):
    """What is behind a tunnel's header: an ethertype, TRANSPARENT_BRIDGING for an Ethernet frame, 0 for neither."""

    ethertype: int
    data: bytes


def inner_packet(packet: Packet, enabled: t.Collection[str], ports: TunnelPorts) -> Inner | None:
    """One level into the first of the enabled tunnel types (names) that matches; None when none does.

    A fragment is never looked into: the others of its packet could not be.
    """
    transport = packet.transport
    if transport is None:
        return None
    if packet.protocol == UDP:
        return _over_udp(transport, enabled, ports)
    for tunnel, content in _over_ip(packet.version, packet.protocol, transport):
        if tunnel in enabled:
            return Inner(tunnel, _parse(content))
    return None


def tunnel_types_of(packet: Packet, ports: TunnelPorts) -> list[str]:
    """The tunnel types that a packet with this protocol and these ports may be of, whatever follows."""
    if packet.protocol == UDP:
        port = int.from_bytes((packet.transport or b"")[2:4], "big")
        return [tunnel for tunnel in UDP_TUNNELS if port in getattr(ports, tunnel)]
    return {
        IPIP: ["ipip" if packet.version == 4 else "ip6tnl"],
        IPV6_IN_IP: ["ip6tnl"],
        ETHERIP: ["etherip"],
        GRE: ["gre_2784", "gre_2890", "gre_7676", "nvgre"],
    }.get(packet.protocol, [])


def _parse(content: _Content) -> Packet | None:
    ethertype, data = content
    if ethertype == TRANSPARENT_BRIDGING:
        ethertype, data = ethernet(data)
    if ethertype not in (IPV4, IPV6):
        return None
    return parse_ip(data, 4 if ethertype == IPV4 else 6)


def _over_ip(version: int, protocol: int, data: bytes) -> t.Iterator[tuple[str, _Content]]:
    """The tunnel types that match, the more exact ones last, each with its content."""
    if protocol == IPIP:
        yield ("ipip" if version == 4 else "ip6tnl"), _Content(IPV4, data)
    elif protocol == IPV6_IN_IP:
        yield "ip6tnl", _Content(IPV6, data)
    elif protocol == ETHERIP and data[:2] == ETHERIP_HEADER:
        yield "etherip", _Content(TRANSPARENT_BRIDGING, data[2:])
    elif protocol == GRE:
        content = _gre(data)
        if content:
            for tunnel in _gre_types(version, data, content.ethertype):
                yield tunnel, content


def _gre(data: bytes) -> _Content | None:
    """RFC 2784, RFC 2890, RFC 7676; None for what is none of them: other bits, PPTP, ERSPAN."""
    flags, ethertype = int.from_bytes(data[:2], "big"), int.from_bytes(data[2:4], "big")
    if len(data) < 4 or flags & GRE_OTHER or ethertype not in (IPV4, IPV6, TRANSPARENT_BRIDGING):
        return None
    options = sum(bool(flags & bit) for bit in (CHECKSUM, KEY, SEQUENCE))
    return _Content(ethertype, data[4 + 4 * options :])


def _gre_types(version: int, data: bytes, ethertype: int) -> t.Iterator[str]:
    """virtio introduces gre_2784 as "only specified for IPv4" and gre_7676 as with IPv6 outside or inside."""
    flags = int.from_bytes(data[:2], "big")
    if version == 6 or ethertype == IPV6:
        yield "gre_7676"
    else:
        yield "gre_2890" if flags & (KEY | SEQUENCE) else "gre_2784"
    if flags & (CHECKSUM | KEY | SEQUENCE) == KEY and ethertype == TRANSPARENT_BRIDGING:
        yield "nvgre"  # RFC 7637: the same bytes on the wire


def _over_udp(transport: bytes, enabled: t.Collection[str], ports: TunnelPorts) -> Inner | None:
    port, header = int.from_bytes(transport[2:4], "big"), transport[UDP_HEADER:]
    if len(header) < TUNNEL_HEADER:
        return None
    for tunnel, find in UDP_TUNNELS.items():
        if tunnel in enabled and port in getattr(ports, tunnel):
            content = find(header)
            return Inner(tunnel, _parse(content)) if content else None
    return None


def _vxlan(header: bytes) -> _Content | None:
    """RFC 7348: the I bit says that there is a network identifier."""
    return _Content(TRANSPARENT_BRIDGING, header[8:]) if header[0] & 0x08 else None


def _vxlan_gpe(header: bytes) -> _Content | None:
    """draft-ietf-nvo3-vxlan-gpe-12: version 0, I and not O; without P it is VXLAN."""
    if header[0] & 0x39 != 0x08:
        return None
    protocol = header[3] if header[0] & 0x04 else 3
    ethertype = {1: IPV4, 2: IPV6, 3: TRANSPARENT_BRIDGING}.get(protocol)
    return _Content(ethertype, header[8:]) if ethertype else None


def _geneve(header: bytes) -> _Content | None:
    """RFC 8926: version 0, and no control packet (O)."""
    ethertype = int.from_bytes(header[2:4], "big")
    if header[0] >> 6 or header[1] & 0x80 or ethertype not in (IPV4, IPV6, TRANSPARENT_BRIDGING):
        return None
    return _Content(ethertype, header[8 + 4 * (header[0] & 0x3F) :])


def _gtpu(header: bytes) -> _Content | None:
    """It does not say what it carries: the first four bits do. They are none for Ethernet, which 5G has too."""
    length = gtpu.header_length(header) if gtpu.carries_user_data(header) else None
    if length is None:
        return None
    data = header[length:]
    return _Content({4: IPV4, 6: IPV6, None: 0}[version_of(data)], data)


UDP_TUNNELS: dict[str, t.Callable[[bytes], _Content | None]] = {
    "vxlan": _vxlan,
    "vxlan_gpe": _vxlan_gpe,
    "geneve": _geneve,
    "gre_udp": _gre,
    "gtpu": _gtpu,
}
