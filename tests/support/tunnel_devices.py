# SPDX-License-Identifier: GPL-3.0-or-later
"""Packets that the kernel itself puts into tunnels: its devices, routes, sockets and transforms, all out of ``tap0``.

What is sent goes from an address of this host's to one behind tap0, over IPv4 and over IPv6; a Sender says how it gets
there, what it must be hashed as, and which four bytes must then stand in the place of the ports.
"""

from __future__ import annotations

import contextlib
import itertools
import random
import socket
import struct
import subprocess
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path

__all__ = ("FLOWS", "SENDERS", "Sender")

UDP = socket.IPPROTO_UDP
SCTP, UDPLITE, DCCP, SOCK_DCCP, SOL_DCCP, DCCP_SERVICE = 132, 136, 33, 6, 269, 2
# Source and destination port of each flow, the same ones each time.
SOURCE = random.Random(17)
PORTS = SOURCE.sample(range(1024, 1 << 16), 16)
FLOWS = [(sport, PORTS[number % 16]) for number, sport in enumerate(SOURCE.sample(range(1024, 1 << 16), 64))]
# Each destination port has a security association, where there are any.
SPIS = dict(zip(PORTS, SOURCE.sample(range(1 << 8, 1 << 32), 16)))
HERE = {4: "10.9.0.1", 6: "fd00:9::1"}
THERE = {4: "10.9.0.2", 6: "fd00:9::2"}
ENDS = {4: ("192.0.2.1", "192.0.2.2"), 6: ("2001:db8:1::1", "2001:db8:1::2")}
# tap0 with a neighbour that never has to be asked for, and what is sent from.
GROUND = (
    "link set lo up",
    f"address add {HERE[4]}/32 dev lo",
    f"address add {HERE[6]}/128 dev lo nodad",
    f"address add {ENDS[4][0]}/24 dev tap0",
    f"address add {ENDS[6][0]}/64 dev tap0 nodad",
    *(f"neighbour add {ENDS[family][1]} lladdr 02:00:00:00:00:02 dev tap0" for family in (4, 6)),
)
OVER4, OVER6 = "local 192.0.2.1 remote 192.0.2.2", "local 2001:db8:1::1 remote 2001:db8:1::2"


@dataclass(frozen=True)
class Sender:
    """One way that packets go, of a kernel that knows it."""

    name: str
    lines: tuple[str, ...]  # of `ip -batch`
    header: str  # whose addresses are hashed, as the reference says
    families: tuple[int, ...] = (4, 6)  # of the packets that are sent
    protocol: int = UDP
    hash_type: str = ""  # none: that of UDP
    security: bool = False  # the four bytes are an SPI
    modules: tuple[str, ...] = ()  # that the kernel does not load by itself

    def make(self) -> str:
        """Bring it about in this network namespace; tells why the kernel will not."""
        Path("/proc/sys/net/ipv6/conf/tap0/disable_ipv6").write_text("0")
        if self.modules:
            subprocess.run(["modprobe", "--all", "--quiet", *self.modules], check=False)
        lines = "\n".join((*GROUND, *self.lines))
        made = subprocess.run(["ip", "-batch", "-"], input=lines, text=True, check=False, capture_output=True)
        if made.returncode:
            return made.stderr.strip()
        try:
            for family in self.families:
                self._socket(family).close()
        except OSError as exc:
            return str(exc)
        return ""

    def send(self) -> None:
        """A packet of each flow, or what begins one."""
        for family, (sport, dport) in itertools.product(self.families, FLOWS):
            with self._socket(family) as sender:
                sender.bind((HERE[family], sport))
                with contextlib.suppress(BlockingIOError):
                    sender.connect((THERE[family], dport))
                    sender.send(b"data")

    def expected(self) -> dict[str, set[bytes]]:
        """What is hashed, by hash type."""
        found: dict[str, set[bytes]] = {}
        for family, (sport, dport) in itertools.product(self.families, FLOWS):
            four = struct.pack("!I", SPIS[dport]) if self.security else struct.pack("!HH", sport, dport)
            ends = ip_address(HERE[family]).packed + ip_address(THERE[family]).packed
            found.setdefault(self.hash_type or f"udpv{family}", set()).add(ends + four)
        return found

    def _socket(self, family: int) -> socket.socket:
        """It waits for nobody's answer."""
        kind = {UDP: socket.SOCK_DGRAM, UDPLITE: socket.SOCK_DGRAM, SCTP: socket.SOCK_STREAM, DCCP: SOCK_DCCP}
        made = socket.socket(socket.AF_INET if family == 4 else socket.AF_INET6, kind[self.protocol], self.protocol)
        if self.protocol == DCCP:
            made.setsockopt(SOL_DCCP, DCCP_SERVICE, struct.pack("!I", 42))
        made.setblocking(False)
        return made


def _route(family: int, way: str) -> str:
    return f"route add {THERE[family]} {way} src {HERE[family]}"


def _device(
    name: str, made: str, tunnel: str, families: tuple[int, ...] = (4, 6), *, layer2: bool = False, modules: str = ""
) -> Sender:
    lines = [f"link add t0 type {made}", "link set t0 up"]
    for family in families:
        lines.append(_route(family, "dev t0"))
        if layer2:
            lines.append(f"neighbour add {THERE[family]} lladdr 02:00:00:00:00:03 dev t0")
    return Sender(name, tuple(lines), f"inner {tunnel}", families, modules=tuple(modules.split()))


def _straight(name: str, protocol: int, hash_type: str, *modules: str) -> Sender:
    lines = tuple(_route(family, f"via {ENDS[family][1]} dev tap0") for family in (4, 6))
    return Sender(name, lines, "outer", protocol=protocol, hash_type=hash_type, modules=modules)


def _transform(name: str, words: str, hash_type: str, families: tuple[int, ...]) -> Sender:
    """Packets to each of the ports have a security association of their own."""
    lines = []
    for family in families:
        lines.append(_route(family, f"via {ENDS[family][1]} dev tap0"))
        ends = f"src {HERE[family]} dst {THERE[family]}"
        for dport, spi in SPIS.items():
            proto = f"proto {'ah' if hash_type == 'ah' else 'esp'} spi {spi}"
            lines.append(f"xfrm state add {ends} {proto} mode transport {words}")
            lines.append(f"xfrm policy add {ends} proto udp dport {dport} dir out tmpl {ends} {proto} mode transport")
    return Sender(name, tuple(lines), "outer", families, hash_type=hash_type, security=True)


AUTHENTICATED = f'auth "hmac(sha256)" 0x{"42" * 32}'
ENCRYPTED = f'{AUTHENTICATED} enc "ecb(cipher_null)" ""'
GPE = "encap ip id 42 src 192.0.2.1 dst 192.0.2.2 dev t0"
SENDERS = (
    _device("vxlan", f"vxlan id 42 dstport 4789 {OVER4}", "vxlan", layer2=True),
    _device("vxlan over IPv6", f"vxlan id 42 dstport 4789 {OVER6}", "vxlan", layer2=True),
    Sender(
        "vxlan, gpe",
        ("link add t0 type vxlan dstport 4790 external gpe", "link set t0 up", _route(4, GPE), _route(6, GPE)),
        "inner vxlan_gpe",
    ),
    _device("geneve", "geneve id 42 remote 192.0.2.2", "geneve", layer2=True),
    _device("geneve over IPv6", "geneve id 42 remote 2001:db8:1::2", "geneve", layer2=True),
    _device("gre", f"gre {OVER4}", "gre_2784", (4,)),
    _device("gre of IPv6", f"gre {OVER4}", "gre_7676", (6,)),
    _device("gre with a checksum", f"gre {OVER4} csum", "gre_2784", (4,)),
    _device("gre with a key", f"gre {OVER4} key 42", "gre_2890", (4,)),
    _device("gre with all", f"gre {OVER4} key 42 seq csum", "gre_2890", (4,)),
    _device("gretap", f"gretap {OVER4}", "gre_2784", layer2=True),
    _device("gretap with a key", f"gretap {OVER4} key 42", "gre_2890", layer2=True),
    _device("ip6gre", f"ip6gre {OVER6}", "gre_7676"),
    _device("ip6gre without encapsulation limit", f"ip6gre {OVER6} encaplimit none", "gre_7676"),
    _device("ip6gretap", f"ip6gretap {OVER6}", "gre_7676", layer2=True),
    _device("ipip", f"ipip {OVER4}", "ipip", (4,)),
    _device("sit", f"sit {OVER4}", "ip6tnl", (6,)),
    _device("ip6tnl", f"ip6tnl mode any {OVER6}", "ip6tnl"),
    _device("ip6tnl without encapsulation limit", f"ip6tnl mode any {OVER6} encaplimit none", "ip6tnl"),
    _device("fou", f"gre {OVER4} encap fou encap-sport auto encap-dport 4754", "gre_udp", (4,), modules="fou"),
    Sender("seg6", (_route(6, f"encap seg6 mode encap segs {ENDS[6][1]} dev tap0"),), "inner ip6tnl", (6,)),
    Sender("mpls", tuple(_route(n, f"encap mpls 100/200 via {ENDS[n][1]} dev tap0") for n in (4, 6)), "inner mpls"),
    _straight("SCTP sockets", SCTP, "sctp"),
    _straight("UDP-Lite sockets", UDPLITE, "udplite"),
    _straight("DCCP sockets", DCCP, "dccp", "dccp_ipv4", "dccp_ipv6"),
    _transform("ESP", ENCRYPTED, "esp", (4, 6)),
    _transform("AH", AUTHENTICATED, "ah", (4,)),
    _transform("ESP in UDP", f"{ENCRYPTED} encap espinudp 4500 4500 0.0.0.0", "esp_udp", (4,)),
)
