# SPDX-License-Identifier: GPL-3.0-or-later
"""The packet table: what the steering program must make of a packet, one row a rule, with a sentence.

It has three users: the Python reference (tests/unit), the program in BPF_PROG_TEST_RUN, and real packets through a
real TAP device (tests/kernel). ``data`` is the hash input, put together here by hand from addresses and ports.
"""

from __future__ import annotations

import json
import typing as t
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path

from ansible_collections.virtnet.rss.plugins.module_utils._rss.config import (
    RssConfig,
    hash_types_to_mask,
    tunnel_types_to_mask,
)
from ansible_collections.virtnet.rss.tests.packets.builder import (
    AH,
    CARE,
    DESTINATION_OPTIONS,
    DST4,
    DST6,
    ESP,
    FRAGMENT,
    HOME,
    HOP_BY_HOP,
    ICMP,
    ICMPV6,
    NO_NEXT_HEADER,
    PORTS,
    ROUTING,
    SCTP,
    SRC4,
    SRC6,
    TCP,
    UDP,
    authentication,
    chain,
    destination_options,
    ethernet,
    fragment,
    home_address,
    hop_by_hop,
    ipv4,
    ipv6,
    mobility,
    routing,
    tagged,
    tcp,
    udp,
)

DEFAULT = ("ipv4", "tcpv4", "udpv4", "ipv6", "tcpv6", "udpv6")
EX = ("ipv6_ex", "tcpv6_ex", "udpv6_ex")
ALL = (*DEFAULT, *EX)
V4, V6 = SRC4 + DST4, SRC6 + DST6
V4_PORTS, V6_PORTS = V4 + PORTS, V6 + PORTS


@dataclass(frozen=True)
class Row:
    """One packet: its hash type and hash input, or (None, b"") for the default queue.

    The hash types, the tunnel types and what else it needs of a configuration; ``config`` makes one of that.
    """

    name: str
    sentence: str
    frame: bytes
    hash_type: str | None
    data: bytes
    enabled: tuple[str, ...] = DEFAULT
    tunnels: tuple[str, ...] = ()
    symmetric: bool = False

    def config(self, key: bytes, indirection: tuple[int, ...], default_queue: int = 0) -> RssConfig:
        """What the row is about, with this key and this table."""
        return RssConfig(
            hash_key=key,
            hash_types=hash_types_to_mask(self.enabled),
            indirection=indirection,
            default_queue=default_queue,
            tunnel_types=tunnel_types_to_mask(self.tunnels),
            symmetric=self.symmetric,
        )

    @property
    def needs(self) -> tuple[tuple[str, ...], tuple[str, ...], bool]:
        """Rows with the same needs share a program."""
        return self.enabled, self.tunnels, self.symmetric


VECTORS = json.loads((Path(__file__).parent / "rss_vectors.json").read_text(encoding="utf-8"))


def _vector_rows() -> t.Iterator[Row]:
    for number, vector in enumerate(VECTORS["vectors"]):
        src, dst = ip_address(vector["src"]).packed, ip_address(vector["dst"]).packed
        ports = vector["sport"].to_bytes(2, "big") + vector["dport"].to_bytes(2, "big")
        family = "v4" if len(src) == 4 else "v6"
        for name, protocol, payload in (("tcp", TCP, tcp(ports)), ("udp", UDP, udp(ports))):
            frame = (ipv4 if family == "v4" else ipv6)(payload, protocol, src=src, dst=dst)
            sentence = f"Microsoft's vector {number} over {name.upper()}: {vector['ports']} with Microsoft's key."
            yield Row(f"vector-{number}-{name}", sentence, frame, name + family, src + dst + ports)
            yield Row(
                f"vector-{number}-{name}-addresses",
                f"The same vector, addresses only: {vector['addresses']}.",
                frame,
                f"ip{family}",
                src + dst,
                ("ipv4", "ipv6"),
            )


def none(name: str, sentence: str, frame: bytes, enabled: tuple[str, ...] = ALL) -> Row:
    return Row(name, sentence, frame, None, b"", enabled)


IPV4_ROWS = [
    Row("tcp4", "TCP over IPv4 is hashed over addresses and ports.", ipv4(tcp()), "tcpv4", V4_PORTS),
    Row("udp4", "UDP over IPv4 is hashed over addresses and ports.", ipv4(udp(), UDP), "udpv4", V4_PORTS),
    Row("icmp4", "Another protocol is hashed over its addresses.", ipv4(bytes(16), ICMP), "ipv4", V4),
    Row("sctp4-plain", "SCTP has ports too, but virtio does not hash them.", ipv4(PORTS + bytes(8), SCTP), "ipv4", V4),
    Row("tcp4-off", "Without tcpv4, TCP is hashed over its addresses.", ipv4(tcp()), "ipv4", V4, ("ipv4", "udpv4")),
    Row(
        "udp4-off", "Without udpv4, UDP is hashed over its addresses.", ipv4(udp(), UDP), "ipv4", V4, ("ipv4", "tcpv4")
    ),
    none("ipv4-off", "Without ipv4, what is neither TCP nor UDP is not hashed.", ipv4(bytes(16), ICMP), ("tcpv4",)),
    none("all4-off", "A TCP packet with only udpv4 enabled is not hashed.", ipv4(tcp()), ("udpv4", *DEFAULT[3:])),
    none("ip6-types", "The types of IPv6 do not apply to IPv4.", ipv4(tcp()), (*DEFAULT[3:], *EX)),
    Row("options4", "Options are skipped.", ipv4(tcp(), options=bytes(4)), "tcpv4", V4_PORTS),
    Row("options40", "As many options as fit.", ipv4(udp(), UDP, options=bytes(40)), "udpv4", V4_PORTS),
    Row("options-ports", "An option is not mistaken for ports.", ipv4(tcp(), options=b"\1\1\1\1"), "tcpv4", V4_PORTS),
    Row("df", "DF is no fragment.", ipv4(tcp(), fragment=0x4000), "tcpv4", V4_PORTS),
    Row("reserved-flag", "The reserved flag is no fragment.", ipv4(tcp(), fragment=0x8000), "tcpv4", V4_PORTS),
    Row("first4", "A first fragment counts as having no ports.", ipv4(tcp(), fragment=0x2000), "ipv4", V4),
    Row("middle4", "A middle fragment has none.", ipv4(tcp(), fragment=0x2010), "ipv4", V4),
    Row("last4", "A last fragment has none.", ipv4(udp(), UDP, fragment=0x0010), "ipv4", V4),
    Row("offset-high", "The highest bit of the offset counts.", ipv4(tcp(), fragment=0x1000), "ipv4", V4),
    none("fragment-no-ipv4", "A fragment without ipv4 is not hashed.", ipv4(tcp(), fragment=0x2000), ("tcpv4",)),
    none("version4", "Version 6 in an IPv4 frame is not hashed.", ipv4(tcp(), version=6)),
    none("ihl4", "A header length below 20 bytes is not hashed.", ipv4(tcp(), ihl=4)),
    none("ihl0", "A header length of 0 is not hashed.", ipv4(tcp(), ihl=0)),
    Row("ihl-lies", "A header longer than the packet has no ports.", ipv4(tcp()[:16], ihl=15), "ipv4", V4),
    Row("length-lies", "The total length is not looked at.", ipv4(tcp(), total_length=20), "tcpv4", V4_PORTS),
    Row("ports-only4", "Four readable bytes of ports are enough.", ipv4(PORTS), "tcpv4", V4_PORTS),
    Row("no-ports4", "Ports that cannot be read: addresses.", ipv4(PORTS[:3]), "ipv4", V4),
    Row("no-payload4", "A packet that ends behind its addresses.", ipv4(b""), "ipv4", V4),
    none("cut4", "A cut IPv4 header is not hashed.", ipv4(tcp())[:33]),
    none("cut4-ethernet", "An IPv4 frame without any IPv4.", ipv4(tcp())[:14]),
    Row("cut-options", "Cut options: addresses.", ipv4(b"", options=bytes(8), ihl=8), "ipv4", V4),
]

IPV6_ROWS = [
    Row("tcp6", "TCP over IPv6 is hashed over addresses and ports.", ipv6(tcp(), TCP), "tcpv6", V6_PORTS),
    Row("udp6", "UDP over IPv6 is hashed over addresses and ports.", ipv6(udp(), UDP), "udpv6", V6_PORTS),
    Row("icmp6", "ICMPv6 is no extension header.", ipv6(bytes(16), ICMPV6), "ipv6", V6, ALL),
    Row("no-next", "No Next Header is no extension header.", ipv6(bytes(16), NO_NEXT_HEADER), "ipv6", V6, ALL),
    Row("esp", "ESP ends the walk and is no extension header here.", ipv6(bytes(16), ESP), "ipv6", V6, ALL),
    Row("tcp6-off", "Without tcpv6, TCP is hashed over its addresses.", ipv6(tcp(), TCP), "ipv6", V6, ("ipv6",)),
    none("ipv6-off", "Without ipv6, ICMPv6 is not hashed.", ipv6(bytes(16), ICMPV6), ("tcpv6", "udpv6", *EX)),
    none("ip4-types", "The types of IPv4 do not apply to IPv6.", ipv6(tcp(), TCP), DEFAULT[:3]),
    none("version6", "Version 4 in an IPv6 frame is not hashed.", ipv6(tcp(), TCP, version=4)),
    Row("ports-only6", "Four readable bytes of ports are enough.", ipv6(PORTS, TCP), "tcpv6", V6_PORTS),
    Row("no-ports6", "Ports that cannot be read: addresses.", ipv6(PORTS[:3], UDP), "ipv6", V6),
    none("cut6", "A cut IPv6 header is not hashed.", ipv6(tcp(), TCP)[:53]),
    none("cut6-ethernet", "An IPv6 frame without any IPv6.", ipv6(tcp(), TCP)[:14]),
    Row("ex-only-plain", "EX types are for extension headers only.", ipv6(tcp(), TCP), "ipv6", V6, ("ipv6", *EX)),
    none("ex-only", "Without plain types, a packet without extension headers is not hashed.", ipv6(tcp(), TCP), EX),
]


def over_tcp(*headers: tuple[int, bytes]) -> bytes:
    """TCP behind these extension headers."""
    return chain(*headers, last=TCP, payload=tcp())


MAX_CHAIN = [hop_by_hop(), *[destination_options()] * 7]
EXTENSION_ROWS = [
    Row("hop", "Hop-by-hop options are walked.", over_tcp(hop_by_hop()), "tcpv6", V6_PORTS),
    Row("destination", "Destination options are walked.", over_tcp(destination_options()), "tcpv6", V6_PORTS),
    Row("routing", "Routing headers are walked.", over_tcp(routing(0, 0)), "tcpv6", V6_PORTS),
    Row("ah", "AH counts its length in 4 bytes.", over_tcp(authentication()), "tcpv6", V6_PORTS),
    Row("ah-16", "A short AH.", chain(authentication(2), last=UDP, payload=udp()), "udpv6", V6_PORTS),
    Row("mobility", "Mobility headers are walked.", over_tcp(mobility()), "tcpv6", V6_PORTS),
    Row("atomic", "An atomic fragment is no fragment.", over_tcp(fragment()), "tcpv6", V6_PORTS),
    Row("atomic-reserved", "Reserved bits do not make one.", over_tcp(fragment(reserved=3)), "tcpv6", V6_PORTS),
    Row("first6", "A first fragment has no ports.", over_tcp(fragment(more=True)), "ipv6", V6),
    Row("last6", "A last fragment has no ports.", over_tcp(fragment(offset=1)), "ipv6", V6),
    Row("offset6-high", "The highest bit of the offset.", over_tcp(fragment(offset=4096)), "ipv6", V6),
    Row(
        "behind-fragment",
        "Nothing behind a fragment's header is parsed: not even a home address.",
        over_tcp(fragment(more=True), destination_options(b"\1\2\0\0" + home_address())),
        "ipv6_ex",
        V6,
        ALL,
    ),
    Row(
        "long",
        "A long header is skipped whole.",
        over_tcp((HOP_BY_HOP, bytes([3]) + bytes(30))),
        "tcpv6",
        V6_PORTS,
    ),
    Row("two", "Several headers.", over_tcp(hop_by_hop(), authentication()), "tcpv6", V6_PORTS),
    Row("eight", "Eight headers, the most that are walked.", over_tcp(*MAX_CHAIN), "tcpv6", V6_PORTS),
    Row("nine", "Nine: no transport header is found.", over_tcp(*MAX_CHAIN, mobility()), "ipv6", V6),
    Row("nine-ex", "Nine, with EX types.", over_tcp(*MAX_CHAIN, mobility()), "ipv6_ex", V6, ALL),
    Row("ext-icmp", "ICMPv6 behind a header.", chain(hop_by_hop(), last=ICMPV6, payload=bytes(8)), "ipv6", V6),
    Row("ext-esp", "ESP behind a header.", chain(hop_by_hop(), last=ESP, payload=bytes(8)), "ipv6_ex", V6, ALL),
    Row("cut-header", "A cut header does not count as one.", ipv6(bytes(7), HOP_BY_HOP), "ipv6", V6, ALL),
    Row("cut-fragment", "A cut fragment header does not count.", ipv6(bytes(7), FRAGMENT), "ipv6", V6, ALL),
    Row("cut-ah", "AH of which 8 bytes can be read counts.", ipv6(bytes([TCP, 4]) + bytes(6), AH), "ipv6_ex", V6, ALL),
    Row("ext-no-ports", "Cut ports: addresses.", chain(hop_by_hop(), last=TCP, payload=PORTS[:3]), "ipv6", V6),
    Row("ext-ports-only", "Ports and no more.", chain(hop_by_hop(), last=TCP, payload=PORTS), "tcpv6", V6_PORTS),
]

CARRIES_HOME = destination_options(b"\1\2\0\0" + home_address())
EX_ROWS = [
    Row("ex-tcp", "TCP behind a header.", over_tcp(hop_by_hop()), "tcpv6_ex", V6_PORTS, ALL),
    Row("ex-udp", "UDP behind one.", chain(hop_by_hop(), last=UDP, payload=udp()), "udpv6_ex", V6_PORTS, ALL),
    Row("ex-ip", "Anything behind one.", chain(hop_by_hop(), last=ICMPV6, payload=bytes(8)), "ipv6_ex", V6, ALL),
    Row("ex-alone", "An EX type needs no plain one.", over_tcp(hop_by_hop()), "tcpv6_ex", V6_PORTS, EX),
    Row("ex-tcp-as-ip", "TCP with only ipv6_ex.", over_tcp(hop_by_hop()), "ipv6_ex", V6, ("ipv6_ex",)),
    Row(
        "ex-fallback",
        "No EX type applies: as without extension headers, so the plain addresses.",
        chain(CARRIES_HOME, last=UDP, payload=udp()),
        "udpv6",
        V6_PORTS,
        ("udpv6", "tcpv6_ex"),
    ),
    Row(
        "home",
        "The home address is the source.",
        over_tcp(CARRIES_HOME),
        "tcpv6_ex",
        HOME + DST6 + PORTS,
        ALL,
    ),
    Row("home-plain", "Not for plain types.", over_tcp(CARRIES_HOME), "tcpv6", V6_PORTS),
    Row("home-ip", "For ipv6_ex too.", chain(CARRIES_HOME, last=ESP, payload=bytes(8)), "ipv6_ex", HOME + DST6, ALL),
    Row(
        "home-pad1",
        "Four Pad1 options in front.",
        over_tcp(destination_options(bytes(4) + home_address())),
        "tcpv6_ex",
        HOME + DST6 + PORTS,
        ALL,
    ),
    Row(
        "home-eighth",
        "The eighth option is the last that is looked at.",
        over_tcp(destination_options(bytes(7) + home_address() + b"\1\3\0\0\0")),
        "tcpv6_ex",
        HOME + DST6 + PORTS,
        ALL,
    ),
    Row(
        "home-ninth",
        "A home address as ninth option is not found.",
        over_tcp(destination_options(bytes(8) + home_address() + b"\1\2\0\0")),
        "tcpv6_ex",
        V6_PORTS,
        ALL,
    ),
    Row(
        "home-length",
        "Only with a length of 16.",
        over_tcp(destination_options(b"\1\1\0" + home_address(17, HOME + b"\0"))),
        "tcpv6_ex",
        V6_PORTS,
        ALL,
    ),
    Row(
        "home-outside",
        "Only inside its header: this one reaches into the next.",
        over_tcp(destination_options(b"\1\2\0\0" + home_address()[:10], length=1), (HOP_BY_HOP, bytes(7))),
        "tcpv6_ex",
        V6_PORTS,
        ALL,
    ),
    Row(
        "home-cut",
        "Only when all of it can be read; what was read of it leaves no trace.",
        ipv6(bytes([TCP, 2]) + b"\1\2\0\0" + home_address()[:17], DESTINATION_OPTIONS),
        "ipv6_ex",
        V6,
        ALL,
    ),
    Row(
        "home-second-header",
        "In a second destination options header.",
        over_tcp(destination_options(), CARRIES_HOME),
        "tcpv6_ex",
        HOME + DST6 + PORTS,
        ALL,
    ),
    Row(
        "home-first-counts",
        "The first of two home addresses counts.",
        over_tcp(CARRIES_HOME, destination_options(b"\1\2\0\0" + home_address(address=CARE))),
        "tcpv6_ex",
        HOME + DST6 + PORTS,
        ALL,
    ),
    Row(
        "home-not-hop",
        "Not in hop-by-hop options.",
        over_tcp((HOP_BY_HOP, CARRIES_HOME[1])),
        "tcpv6_ex",
        V6_PORTS,
        ALL,
    ),
    Row(
        "care",
        "A type 2 routing header's address is the destination.",
        over_tcp(routing()),
        "tcpv6_ex",
        SRC6 + CARE + PORTS,
        ALL,
    ),
    Row("care-plain", "Not for plain types.", over_tcp(routing()), "tcpv6", V6_PORTS),
    Row("care-type", "Not of another type.", over_tcp(routing(kind=4)), "tcpv6_ex", V6_PORTS, ALL),
    Row(
        "care-done",
        "Not with no segment left.",
        over_tcp(routing(segments_left=0)),
        "tcpv6_ex",
        V6_PORTS,
        ALL,
    ),
    Row(
        "care-two",
        "Not with two segments left.",
        over_tcp(routing(segments_left=2)),
        "tcpv6_ex",
        V6_PORTS,
        ALL,
    ),
    Row(
        "care-long",
        "Not with another length.",
        over_tcp(routing(length=4, address=CARE * 2)),
        "tcpv6_ex",
        V6_PORTS,
        ALL,
    ),
    Row(
        "care-cut",
        "Not when it cannot be read; the plain destination stays.",
        ipv6(bytes([TCP, 2, 2, 1]) + bytes(4) + CARE[:15], ROUTING),
        "ipv6_ex",
        V6,
        ALL,
    ),
    Row(
        "both",
        "Both addresses at once.",
        over_tcp(CARRIES_HOME, routing()),
        "tcpv6_ex",
        HOME + CARE + PORTS,
        ALL,
    ),
    Row(
        "both-udp",
        "Over UDP, behind an atomic fragment.",
        chain(routing(), CARRIES_HOME, fragment(), last=UDP, payload=udp()),
        "udpv6_ex",
        HOME + CARE + PORTS,
        ALL,
    ),
]

TAG_ROWS = [
    Row("vlan", "A VLAN tag in the data is stepped over.", tagged(ipv4(tcp()), 0x8100), "tcpv4", V4_PORTS),
    Row("vlan6", "Over IPv6.", tagged(ipv6(udp(), UDP), 0x8100), "udpv6", V6_PORTS),
    Row("qinq", "802.1ad.", tagged(ipv4(tcp()), 0x88A8, 0x8100), "tcpv4", V4_PORTS),
    Row("qinq-old", "0x9100.", tagged(ipv6(tcp(), TCP), 0x9100, 0x8100), "tcpv6", V6_PORTS),
    Row("three", "Three tags.", tagged(ipv4(udp(), UDP), 0x88A8, 0x88A8, 0x8100), "udpv4", V4_PORTS),
    none("four", "Four tags are not hashed.", tagged(ipv4(tcp()), 0x88A8, 0x8100, 0x8100, 0x8100)),
    Row("vlan-options", "A tag and IPv4 options.", tagged(ipv4(tcp(), options=bytes(8)), 0x8100), "tcpv4", V4_PORTS),
    Row("vlan-fragment", "A tag and a fragment.", tagged(ipv4(tcp(), fragment=0x2000), 0x8100), "ipv4", V4),
    Row(
        "vlan-ext",
        "A tag and extension headers.",
        tagged(over_tcp(CARRIES_HOME), 0x8100),
        "tcpv6_ex",
        HOME + DST6 + PORTS,
        ALL,
    ),
    Row("vlan-short", "A tag and only ports.", tagged(ipv4(PORTS), 0x8100), "tcpv4", V4_PORTS),
    Row("vlan-no-ports", "A tag and cut ports.", tagged(ipv4(PORTS[:2]), 0x8100), "ipv4", V4),
    none("vlan-arp", "ARP in a VLAN.", tagged(ethernet(bytes(28), 0x0806), 0x8100)),
    none("vlan-cut", "A frame that ends in its tag.", tagged(ipv4(tcp()), 0x8100)[:16]),
    none("vlan-cut-type", "A frame that ends behind its tag.", tagged(ipv4(tcp()), 0x8100)[:18]),
]

OTHER_ROWS = [
    none("arp", "ARP is not hashed.", ethernet(bytes(28), 0x0806)),
    none("llc", "A length instead of a type is not hashed.", ethernet(bytes(40), 40)),
    none("lldp", "LLDP is not hashed.", ethernet(bytes(60), 0x88CC)),
    none("mpls-plain", "MPLS is not looked into.", ethernet(bytes(4) + ipv4(tcp())[14:], 0x8847)),
    none("pppoe-plain", "PPPoE is not looked into.", ethernet(bytes(8) + ipv4(tcp())[14:], 0x8864)),
    none("bare", "A frame of nothing but a header.", ethernet(b"", 0x0806)),
    Row("large", "1500 bytes.", ipv4(tcp() + bytes(1460)), "tcpv4", V4_PORTS),
    Row(
        "large6",
        "1500 bytes behind headers.",
        chain(hop_by_hop(), last=UDP, payload=udp() + bytes(1440)),
        "udpv6",
        V6_PORTS,
    ),
]

ROWS = [*_vector_rows(), *IPV4_ROWS, *IPV6_ROWS, *EXTENSION_ROWS, *EX_ROWS, *TAG_ROWS, *OTHER_ROWS]
