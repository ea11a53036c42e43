# SPDX-License-Identifier: GPL-3.0-or-later
"""Rows of the packet table about tunnels: which header is hashed, the outer one or the one inside.

``data`` is put together by hand. Inside of each tunnel is Microsoft's first flow, unless the row says otherwise.
"""

from __future__ import annotations

from ansible_collections.virtnet.rss.plugins.module_utils._rss.config import TUNNEL_TYPES
from ansible_collections.virtnet.rss.tests.packets.builder import (
    DST4,
    DST6,
    ETHERIP,
    ETHERNET_TYPE,
    GENEVE,
    GRE,
    GRE_UDP,
    GTPU,
    HOME,
    ICMP,
    INNER_DST4,
    INNER_DST6,
    INNER_PORTS,
    INNER_SRC4,
    INNER_SRC6,
    IPIP,
    IPV4_TYPE,
    IPV6_IN_IP,
    IPV6_TYPE,
    SRC4,
    SRC6,
    TCP,
    UDP,
    VXLAN,
    VXLAN_GPE,
    VXLAN_LINUX,
    chain,
    destination_options,
    etherip,
    ethernet,
    fragment,
    geneve,
    gre,
    gtpu,
    home_address,
    hop_by_hop,
    inner4,
    inner6,
    inside,
    ipv4,
    ipv6,
    mpls,
    over_udp,
    pppoe,
    routing,
    tagged,
    tcp,
    udp,
    vxlan,
)
from ansible_collections.virtnet.rss.tests.packets.table import ALL, DEFAULT, Row

ALL_TUNNELS = tuple(TUNNEL_TYPES)
OUTER4, OUTER6 = SRC4 + DST4, SRC6 + DST6
INNER4, INNER6 = INNER_SRC4 + INNER_DST4, INNER_SRC6 + INNER_DST6
IN4, IN6 = inside(inner4()), inside(inner6())  # IP packets without an Ethernet header
ARP = ethernet(bytes(28), 0x0806)


def inner(name: str, frame: bytes, *tunnels: str, version: int = 4, sentence: str = "") -> Row:
    """The flow inside is hashed: with these tunnel types, or with all."""
    data = (INNER4 if version == 4 else INNER6) + INNER_PORTS
    sentence = sentence or f"{name}: the packet inside is hashed."
    return Row(name, sentence, frame, f"tcpv{version}", data, tunnels=tunnels or ALL_TUNNELS)


def outer(name: str, sentence: str, frame: bytes, *tunnels: str, enabled: tuple[str, ...] = DEFAULT) -> Row:
    """The outer addresses, for there is no port to be hashed."""
    version, data = (4, OUTER4) if frame[12:14] == b"\x08\0" else (6, OUTER6)
    return Row(name, sentence, frame, f"ipv{version}", data, enabled, tunnels or ALL_TUNNELS)


def outer_udp(name: str, sentence: str, frame: bytes, port: int, *tunnels: str) -> Row:
    """The outer addresses and ports."""
    version, data = (4, OUTER4) if frame[12:14] == b"\x08\0" else (6, OUTER6)
    ports = (40000).to_bytes(2, "big") + port.to_bytes(2, "big")
    return Row(name, sentence, frame, f"udpv{version}", data + ports, tunnels=tunnels or ALL_TUNNELS)


def udp4(payload: bytes, port: int) -> bytes:
    return ipv4(over_udp(payload, port), UDP)


def udp6(payload: bytes, port: int) -> bytes:
    return ipv6(over_udp(payload, port), UDP)


# Every kind alone, with nothing but its own type enabled, over IPv4.
PLAIN_ROWS = [
    inner("gre_2784 4", ipv4(gre(IN4, IPV4_TYPE), GRE), "gre_2784"),
    inner("gre_2784 ethernet", ipv4(gre(inner4(), ETHERNET_TYPE), GRE), "gre_2784"),
    inner("gre_2784 ethernet 6", ipv4(gre(inner6(), ETHERNET_TYPE), GRE), "gre_2784", version=6),
    inner("gre_2784 checksum", ipv4(gre(IN4, IPV4_TYPE, flags=0x8000), GRE), "gre_2784"),
    inner("gre_2890 key", ipv4(gre(IN4, IPV4_TYPE, flags=0x2000), GRE), "gre_2890"),
    inner("gre_2890 sequence", ipv4(gre(IN4, IPV4_TYPE, flags=0x1000), GRE), "gre_2890"),
    inner("gre_2890 all fields", ipv4(gre(IN4, IPV4_TYPE, flags=0xB000), GRE), "gre_2890"),
    inner("gre_2890 ethernet", ipv4(gre(inner4(), ETHERNET_TYPE, flags=0x3000), GRE), "gre_2890"),
    inner("gre_7676 6 in 4", ipv4(gre(IN6, IPV6_TYPE), GRE), "gre_7676", version=6),
    inner("gre_7676 key", ipv4(gre(IN6, IPV6_TYPE, flags=0x2000), GRE), "gre_7676", version=6),
    inner("gre_7676 4 in 6", ipv6(gre(IN4, IPV4_TYPE), GRE), "gre_7676"),
    inner("gre_7676 ethernet in 6", ipv6(gre(inner4(), ETHERNET_TYPE, flags=0x3000), GRE), "gre_7676"),
    inner("gre_udp", udp4(gre(IN4, IPV4_TYPE), GRE_UDP), "gre_udp"),
    inner("gre_udp key", udp4(gre(IN6, IPV6_TYPE, flags=0x2000), GRE_UDP), "gre_udp", version=6),
    inner("gre_udp ethernet", udp4(gre(inner4(), ETHERNET_TYPE), GRE_UDP), "gre_udp"),
    inner("vxlan", udp4(vxlan(inner4()), VXLAN), "vxlan"),
    inner("vxlan linux", udp4(vxlan(inner4()), VXLAN_LINUX), "vxlan"),
    inner("vxlan 6", udp4(vxlan(inner6()), VXLAN), "vxlan", version=6),
    inner("vxlan_gpe without P", udp4(vxlan(inner4()), VXLAN_GPE), "vxlan_gpe"),
    inner("vxlan_gpe 4", udp4(vxlan(IN4, flags=0x0C, reserved=b"\0\0\1"), VXLAN_GPE), "vxlan_gpe"),
    inner("vxlan_gpe 6", udp4(vxlan(IN6, flags=0x0C, reserved=b"\0\0\2"), VXLAN_GPE), "vxlan_gpe", version=6),
    inner("vxlan_gpe ethernet", udp4(vxlan(inner4(), flags=0x0C, reserved=b"\0\0\3"), VXLAN_GPE), "vxlan_gpe"),
    inner("geneve", udp4(geneve(inner4()), GENEVE), "geneve"),
    inner("geneve 4", udp4(geneve(IN4, IPV4_TYPE), GENEVE), "geneve"),
    inner("geneve 6", udp4(geneve(IN6, IPV6_TYPE), GENEVE), "geneve", version=6),
    inner("geneve options", udp4(geneve(inner4(), options=bytes(8)), GENEVE), "geneve"),
    inner("geneve critical", udp4(geneve(inner4(), options=bytes(4), control=0x40), GENEVE), "geneve"),
    inner("geneve all options", udp4(geneve(inner4(), options=bytes(252)), GENEVE), "geneve"),
    inner("ipip", ipv4(IN4, IPIP), "ipip"),
    inner("nvgre", ipv4(gre(inner4(), ETHERNET_TYPE, flags=0x2000), GRE), "nvgre"),
    inner("nvgre over 6", ipv6(gre(inner4(), ETHERNET_TYPE, flags=0x2000), GRE), "nvgre"),
    inner("gtpu", udp4(gtpu(IN4), GTPU), "gtpu"),
    inner("gtpu 6", udp4(gtpu(IN6), GTPU), "gtpu", version=6),
    inner("gtpu sequence", udp4(gtpu(IN4, options=b"\0\7\0\0", flags=0x32), GTPU), "gtpu"),
    inner("gtpu pn", udp4(gtpu(IN4, options=b"\0\0\7\0", flags=0x31), GTPU), "gtpu"),
    inner("gtpu type ignored", udp4(gtpu(IN4, options=b"\0\7\0\x85", flags=0x32), GTPU), "gtpu"),
    inner("gtpu extension", udp4(gtpu(IN4, options=b"\0\0\0\x85\1\0\0\0", flags=0x34), GTPU), "gtpu"),
    inner(
        "gtpu four extensions",
        udp4(
            gtpu(IN4, options=b"\0\0\0\x85" + b"\1\0\0\x85" * 2 + b"\2" + bytes(6) + b"\x85\1\0\0\0", flags=0x34), GTPU
        ),
        "gtpu",
    ),
    inner("6in4", ipv4(IN6, IPV6_IN_IP), "ip6tnl", version=6),
    inner("4in6", ipv6(IN4, IPIP), "ip6tnl"),
    inner("6in6", ipv6(IN6, IPV6_IN_IP), "ip6tnl", version=6),
    inner("etherip", ipv4(etherip(inner4()), ETHERIP), "etherip"),
    inner("etherip 6", ipv6(etherip(inner6()), ETHERIP), "etherip", version=6),
    inner("mpls", mpls(IN4), "mpls"),
    inner("mpls 6", mpls(IN6), "mpls", version=6),
    inner("mpls multicast", mpls(IN4)[:12] + b"\x88\x48" + mpls(IN4)[14:], "mpls"),
    inner("mpls two labels", mpls(IN4, 2), "mpls"),
    inner("mpls six labels", mpls(IN6, 6), "mpls", version=6),
    inner("pppoe", pppoe(IN4), "pppoe"),
    inner("pppoe 6", pppoe(IN6, 0x0057), "pppoe", version=6),
]

# What may be in front of it, and further inside.
AROUND_ROWS = [
    inner("vxlan over 6", udp6(vxlan(inner4()), VXLAN)),
    inner("geneve over 6", udp6(geneve(inner6()), GENEVE), version=6),
    inner("gtpu over 6", udp6(gtpu(IN4), GTPU)),
    inner("gre_udp over 6", udp6(gre(IN4, IPV4_TYPE), GRE_UDP)),
    inner("vxlan_gpe over 6", udp6(vxlan(IN4, flags=0x0C, reserved=b"\0\0\1"), VXLAN_GPE)),
    inner("outer options", ipv4(over_udp(vxlan(inner4()), VXLAN), UDP, options=bytes(40))),
    inner("outer options gre", ipv4(gre(IN4, IPV4_TYPE), GRE, options=bytes(8))),
    inner("outer options ipip", ipv4(IN4, IPIP, options=bytes(4))),
    inner("outer extension header", chain(destination_options(), last=IPIP, payload=IN4)),
    inner(
        "outer extension headers", chain(hop_by_hop(), routing(), last=UDP, payload=over_udp(vxlan(inner4()), VXLAN))
    ),
    inner("outer atomic fragment", chain(fragment(), last=IPV6_IN_IP, payload=IN6), version=6),
    inner("outer tag", tagged(udp4(vxlan(inner4()), VXLAN), 0x8100)),
    inner("outer tags", tagged(ipv4(gre(IN4, IPV4_TYPE), GRE), 0x88A8, 0x8100, 0x9100)),
    inner("inner tag", udp4(vxlan(tagged(inner4(), 0x8100)), VXLAN)),
    inner("inner tags", udp4(geneve(tagged(inner6(), 0x88A8, 0x8100, 0x8100)), GENEVE), version=6),
    inner("inner tag nvgre", ipv4(gre(tagged(inner4(), 0x8100), ETHERNET_TYPE, flags=0x2000), GRE)),
    inner("inner options", ipv4(inside(inner4(options=bytes(12))), IPIP)),
    inner("pppoe in a vlan", tagged(pppoe(IN4), 0x8100)),
    inner("mpls in a vlan", tagged(mpls(IN4, 3), 0x88A8, 0x8100)),
    inner("ipip in mpls", mpls(inside(ipv4(IN4, IPIP))), sentence="A shim is no level: one tunnel is looked into."),
    inner("vxlan in pppoe", pppoe(inside(udp4(vxlan(inner6()), VXLAN))), version=6),
    Row(
        "inner udp",
        "UDP inside.",
        udp4(vxlan(inner4(udp(INNER_PORTS), UDP)), VXLAN),
        "udpv4",
        INNER4 + INNER_PORTS,
        tunnels=ALL_TUNNELS,
    ),
    Row(
        "inner icmp",
        "Another protocol inside: the addresses inside.",
        ipv4(inside(inner4(bytes(16), ICMP)), IPIP),
        "ipv4",
        INNER4,
        tunnels=ALL_TUNNELS,
    ),
    Row(
        "inner fragment",
        "A fragment inside: the addresses inside.",
        udp4(vxlan(inner4(fragment=0x2000)), VXLAN),
        "ipv4",
        INNER4,
        tunnels=ALL_TUNNELS,
    ),
    Row(
        "inner no ports",
        "Ports inside that cannot be read.",
        ipv4(inside(inner4(INNER_PORTS[:3])), IPIP),
        "ipv4",
        INNER4,
        tunnels=ALL_TUNNELS,
    ),
    Row(
        "inner ports only",
        "Four bytes of ports inside are enough.",
        ipv4(inside(inner4(INNER_PORTS)), IPIP),
        "tcpv4",
        INNER4 + INNER_PORTS,
        tunnels=ALL_TUNNELS,
    ),
    Row(
        "inner home address",
        "Extension headers inside, with the EX types.",
        ipv4(inside(chain(destination_options(home_address() + b"\1\2\0\0"), last=TCP, payload=tcp())), IPV6_IN_IP),
        "tcpv6_ex",
        HOME + DST6 + tcp()[:4],
        ALL,
        ALL_TUNNELS,
    ),
    Row(
        "srv6",
        "SRv6: IPv6 in IPv6 behind a routing header.",
        chain(routing(4, 1), last=IPV6_IN_IP, payload=IN6),
        "tcpv6",
        INNER6 + INNER_PORTS,
        tunnels=ALL_TUNNELS,
    ),
]

ONE_LEVEL = over_udp(vxlan(inner4()), VXLAN)
NOT_ENTERED_ROWS = [
    outer("ipip not enabled", "A tunnel type that is not enabled.", ipv4(IN4, IPIP), "ip6tnl", "gre_2784"),
    outer("6in4 not enabled", "ipip is for IPv4 in IPv4.", ipv4(IN6, IPV6_IN_IP), "ipip"),
    outer("4in6 not enabled", "ipip is for IPv4 in IPv4.", ipv6(IN4, IPIP), "ipip"),
    outer(
        "gre key, 2784",
        "A keyed GRE packet is none of gre_2784.",
        ipv4(gre(IN4, IPV4_TYPE, flags=0x2000), GRE),
        "gre_2784",
    ),
    outer(
        "gre plain, 2890",
        "One without key is none of gre_2890.",
        ipv4(gre(IN4, IPV4_TYPE), GRE),
        "gre_2890",
        "gre_7676",
        "nvgre",
    ),
    outer(
        "gre 6, 2784", "IPv6 inside needs gre_7676.", ipv4(gre(IN6, IPV6_TYPE), GRE), "gre_2784", "gre_2890", "nvgre"
    ),
    outer("gre over 6, 2784", "So does IPv6 outside.", ipv6(gre(IN4, IPV4_TYPE), GRE), "gre_2784", "gre_2890"),
    outer(
        "nvgre sequence",
        "NVGRE has a key and nothing else.",
        ipv4(gre(inner4(), ETHERNET_TYPE, flags=0x3000), GRE),
        "nvgre",
    ),
    outer("nvgre of IP", "NVGRE carries Ethernet.", ipv4(gre(IN4, IPV4_TYPE, flags=0x2000), GRE), "nvgre"),
    outer("gre version 1", "PPTP.", ipv4(gre(bytes(32), 0x880B, flags=0x3001), GRE)),
    outer("gre routing", "GRE with the routing bit of RFC 1701.", ipv4(gre(IN4, IPV4_TYPE, flags=0x4000), GRE)),
    outer("gre erspan", "ERSPAN.", ipv4(gre(bytes(8) + inner4(), 0x88BE, flags=0x1000), GRE)),
    outer("gre cut", "Two bytes of GRE.", ipv4(b"\0\0", GRE)),
    outer("etherip version", "Another version of EtherIP.", ipv4(etherip(inner4(), b"\x40\0"), ETHERIP)),
    outer_udp("vxlan not enabled", "Without vxlan it is plain UDP.", udp4(vxlan(inner4()), VXLAN), VXLAN, "geneve"),
    outer_udp("vxlan no I", "Without the I bit there is no network.", udp4(vxlan(inner4(), flags=0), VXLAN), VXLAN),
    outer_udp("vxlan other port", "Another port.", udp4(vxlan(inner4()), 4788), 4788),
    outer_udp(
        "vxlan from its port", "The source port says nothing.", ipv4(over_udp(vxlan(inner4()), 7, sport=40000), UDP), 7
    ),
    outer_udp("vxlan cut", "Seven bytes of VXLAN.", udp4(vxlan(b"")[:7], VXLAN), VXLAN),
    outer_udp("geneve control", "A control packet (O).", udp4(geneve(inner4(), control=0x80), GENEVE), GENEVE),
    outer_udp("geneve version", "GENEVE's version 1.", udp4(geneve(inner4(), first=0x40), GENEVE), GENEVE),
    outer_udp("geneve of other", "GENEVE of something else.", udp4(geneve(bytes(40), 0x0806), GENEVE), GENEVE),
    outer_udp("gpe no I", "Without the I bit.", udp4(vxlan(IN4, flags=4, reserved=b"\0\0\1"), VXLAN_GPE), VXLAN_GPE),
    outer_udp("gpe O", "An operations packet.", udp4(vxlan(IN4, flags=13, reserved=b"\0\0\1"), VXLAN_GPE), VXLAN_GPE),
    outer_udp(
        "gpe version", "VXLAN-GPE's version 1.", udp4(vxlan(IN4, flags=0x1C, reserved=b"\0\0\1"), VXLAN_GPE), VXLAN_GPE
    ),
    outer_udp("gpe nsh", "NSH.", udp4(vxlan(bytes(8) + IN4, flags=12, reserved=b"\0\0\4"), VXLAN_GPE), VXLAN_GPE),
    outer_udp(
        "gre_udp routing", "GRE's bits count there too.", udp4(gre(IN4, IPV4_TYPE, flags=0x4000), GRE_UDP), GRE_UDP
    ),
    outer_udp("gtpu echo", "Another message than user data.", udp4(gtpu(IN4, kind=1), GTPU), GTPU),
    outer_udp("gtpu prime", "GTP'.", udp4(gtpu(IN4, flags=0x20), GTPU), GTPU),
    outer_udp("gtpu version", "Version 2.", udp4(gtpu(IN4, flags=0x50), GTPU), GTPU),
    outer_udp("gtpu options cut", "Options that are cut.", udp4(gtpu(b"", options=b"\0\0\0", flags=0x32), GTPU), GTPU),
    outer_udp(
        "gtpu extension of 0",
        "An extension of length 0.",
        udp4(gtpu(IN4, options=b"\0\0\0\x85\0\0\0\0", flags=0x34), GTPU),
        GTPU,
    ),
    outer_udp(
        "gtpu extension cut",
        "An extension that is cut.",
        udp4(gtpu(b"", options=b"\0\0\0\x85\2\0\0\0", flags=0x34), GTPU),
        GTPU,
    ),
    outer_udp(
        "gtpu five extensions",
        "A fifth extension.",
        udp4(gtpu(IN4, options=b"\0\0\0\x85" + b"\1\0\0\x85" * 4 + b"\1\0\0\0", flags=0x34), GTPU),
        GTPU,
    ),
    outer("outer fragment", "A fragment is never looked into.", ipv4(ONE_LEVEL, UDP, fragment=0x2000)),
    outer("outer last fragment", "Nor the last one.", ipv4(IN4, IPIP, fragment=0x0010)),
    outer("outer fragment 6", "Nor one of IPv6.", chain(fragment(more=True), last=IPV6_IN_IP, payload=IN6)),
    Row(
        "outer fragment ex",
        "With the EX types, too.",
        chain(fragment(2), last=IPIP, payload=IN4),
        "ipv6_ex",
        OUTER6,
        ALL,
        ALL_TUNNELS,
    ),
    outer(
        "outer cut chain",
        "Extension headers that cannot be read.",
        chain(destination_options(), last=IPIP, payload=b"")[:-4],
    ),
]

# Entered, and no IP packet is there: the outer addresses, never the default queue.
NO_IP_INSIDE_ROWS = [
    outer("inner arp", "ARP inside.", udp4(vxlan(ARP), VXLAN)),
    outer("inner arp 6", "ARP inside, over IPv6.", udp6(vxlan(ARP), VXLAN)),
    outer(
        "inner lldp", "LLDP inside of NVGRE.", ipv4(gre(ethernet(bytes(40), 0x88CC), ETHERNET_TYPE, flags=0x2000), GRE)
    ),
    outer("inner cut4", "Cut in the IPv4 header inside.", udp4(vxlan(inner4()[:33]), VXLAN)),
    outer("inner cut6", "Cut in the IPv6 header inside.", udp4(geneve(inner6()[:53]), GENEVE)),
    outer("inner cut ethernet", "Cut in the Ethernet header inside.", udp4(vxlan(inner4()[:13]), VXLAN)),
    outer("inner nothing", "Nothing inside.", udp4(vxlan(b""), VXLAN)),
    outer("inner version", "IPv6 where IPv4 must be.", ipv4(IN6, IPIP)),
    outer("inner version gre", "IPv4 where GRE announces IPv6.", ipv4(gre(IN4, IPV6_TYPE), GRE)),
    outer("inner ihl", "A header length below 20 bytes inside.", ipv4(b"\x44" + IN4[1:], IPIP)),
    outer("inner four tags", "Four tags inside.", udp4(vxlan(tagged(inner4(), 0x8100, 0x8100, 0x8100, 0x8100)), VXLAN)),
    outer("inner mpls", "No shims inside.", udp4(vxlan(mpls(IN4)), VXLAN)),
    outer("inner pppoe", "No shims inside.", ipv4(etherip(pppoe(IN4)), ETHERIP)),
    outer("gre fields cut", "The fields of GRE are cut.", ipv4(gre(b"", IPV4_TYPE, flags=0xB000)[:8], GRE)),
    outer("geneve options cut", "The options of GENEVE are cut.", udp4(geneve(b"", options=bytes(40))[:20], GENEVE)),
    outer("gtpu ethernet", "An Ethernet frame of 5G.", udp4(gtpu(inner4()), GTPU)),
    outer("gtpu nothing", "GTP-U without a packet.", udp4(gtpu(b""), GTPU)),
    Row(
        "inner arp ex",
        "Outside are extension headers.",
        chain(hop_by_hop(), last=UDP, payload=over_udp(vxlan(ARP), VXLAN)),
        "ipv6_ex",
        OUTER6,
        ALL,
        ALL_TUNNELS,
    ),
    Row(
        "inner type off",
        "Inside is IP, and its type is not enabled: the default queue.",
        ipv4(IN6, IPV6_IN_IP),
        None,
        b"",
        DEFAULT[:3],
        ALL_TUNNELS,
    ),
]

MIDDLE = inside(ipv4(over_udp(vxlan(inner4()), VXLAN), UDP, src=INNER_SRC4, dst=INNER_DST4))
OTHER_ROWS = [
    Row(
        "vxlan in vxlan",
        "One level: the packet in the middle.",
        udp4(vxlan(ethernet(MIDDLE, IPV4_TYPE)), VXLAN),
        "udpv4",
        INNER4 + (40000).to_bytes(2, "big") + VXLAN.to_bytes(2, "big"),
        tunnels=ALL_TUNNELS,
    ),
    Row(
        "ipip in ipip",
        "One level: no ports in the middle.",
        ipv4(inside(inner4(IN4, IPIP)), IPIP),
        "ipv4",
        INNER4,
        tunnels=ALL_TUNNELS,
    ),
    Row("mpls seven labels", "Seven labels.", mpls(IN4, 7), None, b"", tunnels=ALL_TUNNELS),
    Row("mpls no bottom", "No bottom of the stack.", mpls(b"", 2)[:18], None, b"", tunnels=ALL_TUNNELS),
    Row("mpls pseudowire", "A pseudowire's control word.", mpls(bytes(4) + inner4()), None, b"", tunnels=ALL_TUNNELS),
    Row("mpls off", "Without mpls.", mpls(IN4), None, b"", tunnels=("pppoe",)),
    Row("mpls of other", "Labels in front of what is no IP.", mpls(b"\x50" + IN4[1:]), None, b"", tunnels=ALL_TUNNELS),
    Row("pppoe lcp", "LCP, as a session has it.", pppoe(bytes(40), 0xC021), None, b"", tunnels=ALL_TUNNELS),
    Row(
        "pppoe discovery",
        "A packet of PPPoE's discovery.",
        ethernet(b"\x11\x09" + bytes(40), 0x8863),
        None,
        b"",
        tunnels=ALL_TUNNELS,
    ),
    Row(
        "pppoe code",
        "Another code than a session's data.",
        pppoe(IN4, header=b"\x11\xa7"),
        None,
        b"",
        tunnels=ALL_TUNNELS,
    ),
    Row("pppoe version", "Another version.", pppoe(IN4, header=b"\x21\0"), None, b"", tunnels=ALL_TUNNELS),
    Row("pppoe cut", "Nothing behind the header.", pppoe(b""), None, b"", tunnels=ALL_TUNNELS),
    Row("pppoe off", "Without pppoe.", pppoe(IN4), None, b"", tunnels=("mpls",)),
    Row("pppoe in mpls", "One shim.", mpls(inside(pppoe(IN4))), None, b"", tunnels=ALL_TUNNELS),
    Row(
        "plain tcp4",
        "No tunnel, with all of them enabled.",
        ipv4(tcp()),
        "tcpv4",
        OUTER4 + tcp()[:4],
        tunnels=ALL_TUNNELS,
    ),
    Row(
        "plain tcp6",
        "No tunnel, with all of them enabled.",
        ipv6(tcp(), TCP),
        "tcpv6",
        OUTER6 + tcp()[:4],
        tunnels=ALL_TUNNELS,
    ),
    Row(
        "plain udp4",
        "No tunnel, with all of them enabled.",
        ipv4(udp(), UDP),
        "udpv4",
        OUTER4 + udp()[:4],
        tunnels=ALL_TUNNELS,
    ),
]

TUNNEL_ROWS = [*PLAIN_ROWS, *AROUND_ROWS, *NOT_ENTERED_ROWS, *NO_IP_INSIDE_ROWS, *OTHER_ROWS]
