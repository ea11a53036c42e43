# SPDX-License-Identifier: GPL-3.0-or-later
"""What guests do all day: packets to a guest, and what it answers from which CPU, for the page that says when to steer.

A guest's driver sends on the queue of the CPU that sends, and automatic selection learns from that.
"""

from __future__ import annotations

import random
import struct
import typing as t
from dataclasses import dataclass, field

from ansible_collections.virtnet.rss.tests.packets.builder import (
    ESP,
    ESP_UDP,
    GRE,
    GTPU,
    IPIP,
    IPV4_TYPE,
    IPV6_IN_IP,
    SCTP,
    TCP,
    UDP,
    VXLAN,
    gre,
    gtpu,
    inside,
    ipv4,
    ipv6,
    over_udp,
    pppoe,
    tcp,
    udp,
    vxlan,
)

__all__ = ("QUEUES", "WORKLOADS", "Workload", "answer", "tcp4", "udp6")

QUEUES, FLOWS, PACKETS_EACH = 4, 512, 2
ONE_CPU, OWN_CPU, SILENT = "one CPU", "own CPU", "silent"
Build = t.Callable[[random.Random], bytes]


@dataclass(frozen=True)
class Workload:
    """``answers`` are the guest's frames, each with the queue that it leaves on, before the packets arrive."""

    name: str
    packets: t.Sequence[bytes]
    answers: t.Sequence[tuple[int, bytes]] = ()
    options: t.Mapping[str, t.Any] = field(default_factory=dict)  # of tap_steering, beside its defaults


def _ports(source: random.Random) -> bytes:
    return struct.pack("!HH", source.randrange(1024, 65536), source.choice((53, 80, 443)))


def tcp4(source: random.Random) -> bytes:
    return ipv4(tcp(_ports(source)), TCP, src=source.randbytes(4))


def _udp4(source: random.Random) -> bytes:
    return ipv4(udp(_ports(source)), UDP, src=source.randbytes(4))


def _tcp6(source: random.Random) -> bytes:
    return ipv6(tcp(_ports(source)), TCP, src=source.randbytes(16), label=0)


def udp6(source: random.Random) -> bytes:
    return ipv6(udp(_ports(source)), UDP, src=source.randbytes(16), label=0)


def _between(frame: bytes, protocol: int) -> bytes:
    """Between two routers: the outer header is the same for all."""
    return ipv4(frame, protocol)


def answer(frame: bytes) -> bytes:
    """The frame with its ends exchanged; it may have a tag."""
    tag = 4 if frame[12:14] == b"\x81\0" else 0
    width, start = (4, 26 + tag) if frame[12 + tag : 14 + tag] == b"\x08\0" else (16, 22 + tag)
    src, dst = frame[start : start + width], frame[start + width : start + 2 * width]
    ports = frame[start + 2 * width : start + 2 * width + 4]
    return (
        frame[6:12] + frame[:6] + frame[12:start] + dst + src + ports[2:] + ports[:2] + frame[start + 2 * width + 4 :]
    )


def _workload(name: str, build: Build, answers: str = SILENT, **options: t.Any) -> Workload:
    source = random.Random(name)
    flows = [build(source).ljust(64, b"\0") for _number in range(FLOWS)]
    cpus = [0 if answers == ONE_CPU else source.randrange(QUEUES) for _flow in flows]
    said = [] if answers == SILENT else [(cpu, answer(flow)) for cpu, flow in zip(cpus, flows)]
    return Workload(name, flows * PACKETS_EACH, said, {**BY_DEFAULT, **options})


def _forwarded(name: str, build: Build, sent_from: str) -> Workload:
    """Both directions of each connection come to the guest, which sends on what it gets."""
    source = random.Random(name)
    flows = [build(source).ljust(64, b"\0") for _number in range(FLOWS // 2)]
    cpus = [0 if sent_from == ONE_CPU else source.randrange(QUEUES) for _flow in flows]
    packets = [*flows, *map(answer, flows)]
    return Workload(name, packets * PACKETS_EACH, list(zip(cpus * 2, packets)), BY_DEFAULT)


# What is on by default, said here, for the page tells of the defaults
BY_DEFAULT: dict[str, t.Any] = {
    "hash_types": ["ipv4", "tcpv4", "udpv4", "ipv6", "tcpv6", "udpv6", "sctp", "udplite", "dccp", "esp", "ah"],
    "tunnel_types": ["gre_2784", "gre_2890", "gre_7676", "nvgre", "ipip", "ip6tnl", "pppoe", "mpls"],
}
WORKLOADS = (
    _workload("UDP over IPv4, one way", _udp4),
    _workload("UDP over IPv6, one way", udp6),
    _workload("TCP over IPv4, each flow answered from a CPU of its own", tcp4, OWN_CPU),
    _workload("TCP over IPv6, each flow answered from a CPU of its own", _tcp6, OWN_CPU),
    _workload("TCP over IPv4, answered from one CPU", tcp4, ONE_CPU),
    _workload("TCP over IPv6, answered from one CPU", _tcp6, ONE_CPU),
    _workload("UDP over IPv4, answered from one CPU", _udp4, ONE_CPU),
    _forwarded("TCP over IPv4 through a guest, both directions, sent on from a CPU for each flow", tcp4, OWN_CPU),
    _forwarded("TCP over IPv4 through a guest, both directions, sent on from one CPU", tcp4, ONE_CPU),
    _forwarded("UDP over IPv6 through a guest, both directions, sent on from one CPU", udp6, ONE_CPU),
    _workload("GRE between two routers", lambda source: _between(gre(inside(tcp4(source)), IPV4_TYPE), GRE)),
    _workload("IPIP between two routers", lambda source: _between(inside(tcp4(source)), IPIP)),
    _workload("6in4 between two routers", lambda source: _between(inside(_tcp6(source)), IPV6_IN_IP)),
    _workload("PPPoE sessions", lambda source: pppoe(inside(tcp4(source)))),
    _workload("SCTP of many hosts", lambda source: ipv4(tcp(_ports(source)), SCTP, src=source.randbytes(4))),
    _workload("ESP between two gateways, many SPIs", lambda source: _between(source.randbytes(16), ESP)),
    _workload(
        "ESP in UDP between two gateways, many SPIs",
        lambda source: _between(over_udp(source.randbytes(16), ESP_UDP, sport=ESP_UDP), UDP),
    ),
    _workload(
        "VXLAN between two hosts, the outer port always the same",
        lambda source: _between(over_udp(vxlan(tcp4(source)), VXLAN), UDP),
    ),
    _workload(
        "GTP-U between two gateways, many users",
        lambda source: _between(over_udp(gtpu(inside(tcp4(source))), GTPU, sport=GTPU), UDP),
    ),
    _workload("one flow with everything", lambda source: ipv4(udp(), UDP)),
)
