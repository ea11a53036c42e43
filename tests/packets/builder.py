# SPDX-License-Identifier: GPL-3.0-or-later
"""Packets put together from layers, byte by byte: each layer is a function that takes what comes behind it.

``ethernet(ipv4(tcp()))`` reads like the packet. Nothing is computed that a packet's receiver would check (checksums,
lengths): the steering program looks at none of it, and a row that needs a lying length can say so.
"""

from __future__ import annotations

import struct
import typing as t
from ipaddress import ip_address

SRC4, DST4 = ip_address("192.0.2.1").packed, ip_address("198.51.100.2").packed
SRC6, DST6 = ip_address("2001:db8:1::1").packed, ip_address("2001:db8:2::2").packed
HOME = ip_address("2001:db8:3::3").packed  # the address in a home address option
CARE = ip_address("2001:db8:4::4").packed  # the address in a type 2 routing header
SPORT, DPORT = 0x1234, 0x5678
PORTS = struct.pack("!HH", SPORT, DPORT)

# The flow of Microsoft's first vectors, inside of tunnels: its hashes are published.
INNER_SRC4, INNER_DST4 = ip_address("66.9.149.187").packed, ip_address("161.142.100.80").packed
INNER_SRC6, INNER_DST6 = ip_address("3ffe:2501:200:1fff::7").packed, ip_address("3ffe:2501:200:3::1").packed
INNER_PORTS = struct.pack("!HH", 2794, 1766)
FOUR = bytes.fromhex("12345678")  # an SPI, a session, a TEID

TCP, UDP, ICMP, ESP, ICMPV6, SCTP = 6, 17, 1, 50, 58, 132
DCCP, UDPLITE, L2TPV3, IPIP, IPV6_IN_IP, GRE, ETHERIP = 33, 136, 115, 4, 41, 47, 97
VXLAN, VXLAN_LINUX, VXLAN_GPE, GENEVE, GRE_UDP, GTPU, ESP_UDP = 4789, 8472, 4790, 6081, 4754, 2152, 4500
IPV4_TYPE, IPV6_TYPE, ETHERNET_TYPE, MPLS_TYPE, PPPOE_TYPE = 0x0800, 0x86DD, 0x6558, 0x8847, 0x8864
HOP_BY_HOP, ROUTING, FRAGMENT, AH, NO_NEXT_HEADER, DESTINATION_OPTIONS, MOBILITY = 0, 43, 44, 51, 59, 60, 135


def ethernet(payload: bytes, ethertype: int) -> bytes:
    return bytes.fromhex("020000000001 020000000002") + struct.pack("!H", ethertype) + payload


def tagged(frame: bytes, *ethertypes: int) -> bytes:
    """A frame with VLAN tags in its data, the outermost first."""
    tags = b"".join(struct.pack("!HH", ethertype, 0x2000 | 100 + number) for number, ethertype in enumerate(ethertypes))
    return frame[:12] + tags + frame[12:]


def ipv4(
    payload: bytes,
    protocol: int = TCP,
    *,
    options: bytes = b"",
    fragment: int = 0,
    version: int = 4,
    ihl: int | None = None,
    total_length: int | None = None,
    src: bytes = SRC4,
    dst: bytes = DST4,
    dscp: int = 0,
) -> bytes:
    """In an Ethernet frame. ``fragment`` as in the header: 0x4000 DF, 0x2000 MF, the offset in 8 bytes."""
    ihl = 5 + len(options) // 4 if ihl is None else ihl
    length = 20 + len(options) + len(payload) if total_length is None else total_length
    header = struct.pack("!BBHHHBBH", version << 4 | ihl, dscp << 2, length, 1, fragment, 64, protocol, 0)
    return ethernet(header + src + dst + options + payload, 0x0800)


def ipv6(
    payload: bytes,
    next_header: int,
    *,
    version: int = 6,
    src: bytes = SRC6,
    dst: bytes = DST6,
    label: int = 0x12345,
    dscp: int = 0,
) -> bytes:
    """In an Ethernet frame."""
    header = struct.pack("!IHBB", version << 28 | dscp << 22 | label, len(payload), next_header, 64)
    return ethernet(header + src + dst + payload, 0x86DD)


def chain(*headers: tuple[int, bytes], last: int, payload: bytes) -> bytes:
    """IPv6 with extension headers, each (type, the header without its first byte), then ``last`` and its payload."""
    types = [kind for kind, _body in headers] + [last]
    body = b"".join(bytes([following]) + rest for (_kind, rest), following in zip(headers, types[1:]))
    return ipv6(body + payload, types[0])


def hop_by_hop() -> tuple[int, bytes]:
    return HOP_BY_HOP, bytes([0, 1, 4, 0, 0, 0, 0])


def destination_options(options: bytes = b"\x01\x04\0\0\0\0", length: int | None = None) -> tuple[int, bytes]:
    length = (len(options) + 2) // 8 - 1 if length is None else length
    return DESTINATION_OPTIONS, bytes([length]) + options


def home_address(length: int = 16, address: bytes = HOME) -> bytes:
    return bytes([201, length]) + address


def routing(kind: int = 2, segments_left: int = 1, address: bytes = CARE, length: int = 2) -> tuple[int, bytes]:
    return ROUTING, bytes([length, kind, segments_left]) + bytes(4) + address


def authentication(words: int = 4) -> tuple[int, bytes]:
    """``words``: length of the header in 4 bytes less 2, as RFC 4302 counts; 4 gives 24 bytes."""
    return AH, bytes([words]) + bytes((words + 2) * 4 - 2)


def mobility() -> tuple[int, bytes]:
    return MOBILITY, bytes([0, 0, 0, 0, 0, 0, 0])


def fragment(offset: int = 0, more: bool = False, reserved: int = 0) -> tuple[int, bytes]:
    """``offset`` in 8 bytes."""
    return FRAGMENT, b"\0" + struct.pack("!HI", offset << 3 | reserved << 1 | more, 7)


def tcp(ports: bytes = PORTS) -> bytes:
    return ports + bytes.fromhex("00000001 00000000 5010 ffff 0000 0000")


def udp(ports: bytes = PORTS) -> bytes:
    return ports + bytes.fromhex("000c 0000 64617461")


def inside(frame: bytes) -> bytes:
    """What an Ethernet frame without tags carries."""
    return frame[14:]


def inner4(payload: bytes | None = None, protocol: int = TCP, **header: t.Any) -> bytes:
    """An Ethernet frame of Microsoft's flow over IPv4; TCP by itself."""
    return ipv4(tcp(INNER_PORTS) if payload is None else payload, protocol, src=INNER_SRC4, dst=INNER_DST4, **header)


def inner6(payload: bytes | None = None, protocol: int = TCP) -> bytes:
    """The same over IPv6."""
    return ipv6(tcp(INNER_PORTS) if payload is None else payload, protocol, src=INNER_SRC6, dst=INNER_DST6)


def over_udp(payload: bytes, port: int, *, sport: int = 40000) -> bytes:
    """A UDP header in front of it."""
    return struct.pack("!HHHH", sport, port, 8 + len(payload), 0) + payload


def vxlan(frame: bytes, *, flags: int = 0x08, reserved: bytes = bytes(3)) -> bytes:
    """VXLAN, and VXLAN-GPE with P (0x04) and the protocol as the last of ``reserved``."""
    return bytes([flags]) + reserved + b"\0\0\x2a\0" + frame


def geneve(
    payload: bytes, ethertype: int = ETHERNET_TYPE, *, options: bytes = b"", first: int = 0, control: int = 0
) -> bytes:
    """``first`` is the version in the upper two bits, ``control`` the byte with O (0x80)."""
    return struct.pack("!BBH", first | len(options) // 4, control, ethertype) + b"\0\0\x2a\0" + options + payload


def gre(payload: bytes, ethertype: int, *, flags: int = 0) -> bytes:
    """With the fields that the flags C 0x8000, K 0x2000 and S 0x1000 announce."""
    fields = sum(bool(flags & bit) for bit in (0x8000, 0x2000, 0x1000))
    return struct.pack("!HH", flags, ethertype) + b"\0\0\0\x2a" * fields + payload


def gtpu(payload: bytes, *, options: bytes = b"", flags: int = 0x30, kind: int = 255, teid: bytes = FOUR) -> bytes:
    """``options`` are what flags E 4, S 2 and PN 1 announce: sequence number, N-PDU, next type, extensions."""
    return struct.pack("!BBH", flags, kind, len(options) + len(payload)) + teid + options + payload


def etherip(frame: bytes, header: bytes = b"\x30\0") -> bytes:
    return header + frame


def mpls(payload: bytes, labels: int = 1) -> bytes:
    """In an Ethernet frame; the last label has the bottom bit."""
    stack = [(1000 + number) << 12 | (number == labels - 1) << 8 | 64 for number in range(labels)]
    return ethernet(struct.pack(f"!{labels}I", *stack) + payload, MPLS_TYPE)


def pppoe(payload: bytes, protocol: int = 0x0021, *, header: bytes = b"\x11\0") -> bytes:
    """A session's packet, in an Ethernet frame."""
    return ethernet(header + struct.pack("!HHH", 7, len(payload) + 2, protocol) + payload, PPPOE_TYPE)
