# SPDX-License-Identifier: GPL-3.0-or-later
"""Rows of the packet table about transports that virtio does not know, the flow label, and the symmetric hash."""

from __future__ import annotations

from ansible_collections.virtnet.rss.plugins.module_utils._rss.config import HASH_TYPES
from ansible_collections.virtnet.rss.tests.packets.builder import (
    AH,
    CARE,
    DCCP,
    DST4,
    DST6,
    ESP,
    ESP_UDP,
    FOUR,
    GTPU,
    HOME,
    ICMPV6,
    IPIP,
    L2TPV3,
    PORTS,
    SCTP,
    SRC4,
    SRC6,
    TCP,
    UDP,
    UDPLITE,
    authentication,
    chain,
    destination_options,
    fragment,
    gtpu,
    home_address,
    hop_by_hop,
    inner4,
    inside,
    ipv4,
    ipv6,
    over_udp,
    routing,
    tcp,
    udp,
)
from ansible_collections.virtnet.rss.tests.packets.table import ALL, DEFAULT, V4, V4_PORTS, V6, V6_PORTS, Row
from ansible_collections.virtnet.rss.tests.packets.tunnels import INNER4

OURS = HASH_TYPES[9:]
MORE = (*DEFAULT, *OURS)
WITHOUT_LABEL = MORE[:-1]
EVERY = HASH_TYPES
LABEL = bytes.fromhex("00012345")  # the builder's, unless a row says otherwise
AH_HEADER = bytes([TCP, 4, 0, 0]) + FOUR + bytes(16)
ESP_UDP_PORTS = (40000).to_bytes(2, "big") + ESP_UDP.to_bytes(2, "big")
GTPU_PORTS = (40000).to_bytes(2, "big") + GTPU.to_bytes(2, "big")
REST = bytes(12)


def esp_udp4(payload: bytes, **ports: int) -> bytes:
    return ipv4(over_udp(payload, **{"port": ESP_UDP, **ports}), UDP)


PORT_ROWS = [
    Row(
        f"{name}{version}",
        f"{name} over IPv{version} is hashed over its ports.",
        (ipv4 if version == 4 else ipv6)(PORTS + REST, protocol),
        name,
        (V4 if version == 4 else V6) + PORTS,
        (*DEFAULT, name),
    )
    for name, protocol in (("sctp", SCTP), ("udplite", UDPLITE), ("dccp", DCCP))
    for version in (4, 6)
]
FOUR_BYTE_ROWS = [
    Row("esp4", "ESP is hashed over its SPI.", ipv4(FOUR + REST, ESP), "esp", V4 + FOUR, (*DEFAULT, "esp")),
    Row("esp6", "Over IPv6 too.", ipv6(FOUR + REST, ESP), "esp", V6 + FOUR, (*DEFAULT, "esp")),
    Row("esp6-chain", "Behind headers.", chain(hop_by_hop(), last=ESP, payload=FOUR), "esp", V6 + FOUR, MORE),
    Row("l2tpv3-4", "L2TPv3 is hashed over its session.", ipv4(FOUR + REST, L2TPV3), "l2tpv3", V4 + FOUR, MORE),
    Row("l2tpv3-6", "Over IPv6 too.", ipv6(FOUR + REST, L2TPV3), "l2tpv3", V6 + FOUR, (*DEFAULT, "l2tpv3")),
    Row("ah4", "AH over IPv4 is hashed over its SPI.", ipv4(AH_HEADER + tcp(), AH), "ah", V4 + FOUR, (*DEFAULT, "ah")),
    Row("ah6", "In IPv6 it is walked.", chain(authentication(), last=TCP, payload=tcp()), "tcpv6", V6_PORTS, MORE),
    Row("ah4-cut", "Seven bytes of AH: no SPI.", ipv4(AH_HEADER[:7], AH), "ipv4", V4, MORE),
    Row("ah4-options", "Behind options.", ipv4(AH_HEADER, AH, options=bytes(8)), "ah", V4 + FOUR, MORE),
    Row("sctp4-options", "Behind options.", ipv4(PORTS, SCTP, options=bytes(4)), "sctp", V4_PORTS, MORE),
    Row("sctp4-cut", "SCTP with three bytes.", ipv4(PORTS[:3], SCTP), "ipv4", V4, MORE),
    Row("esp4-cut", "ESP with three bytes.", ipv4(FOUR[:3], ESP), "ipv4", V4, MORE),
    Row("esp4-fragment", "A fragment of ESP.", ipv4(FOUR + REST, ESP, fragment=0x2000), "ipv4", V4, MORE),
    Row("sctp4-last", "A last fragment.", ipv4(PORTS + REST, SCTP, fragment=0x0010), "ipv4", V4, MORE),
    Row(
        "sctp6-fragment",
        "One of IPv6.",
        chain(fragment(more=True), last=SCTP, payload=PORTS),
        "ipv6",
        V6,
        WITHOUT_LABEL,
    ),
    Row("sctp6-atomic", "An atomic one.", chain(fragment(), last=SCTP, payload=PORTS), "sctp", V6_PORTS, MORE),
    Row("sctp4-off", "Without sctp.", ipv4(PORTS + REST, SCTP), "ipv4", V4, (*DEFAULT, "dccp", "esp")),
    Row("esp6-off", "Without esp.", ipv6(FOUR + REST, ESP), "ipv6", V6, (*DEFAULT, "sctp", "ah")),
    Row("sctp-only", "Without any other type.", ipv4(PORTS + REST, SCTP), "sctp", V4_PORTS, ("sctp",)),
    Row("tcp-not-sctp", "TCP with sctp alone.", ipv4(tcp()), None, b"", ("sctp",)),
    Row(
        "sctp6-ex",
        "Our types come before the EX ones.",
        chain(hop_by_hop(), last=SCTP, payload=PORTS),
        "sctp",
        V6_PORTS,
        EVERY,
    ),
    Row(
        "sctp6-home",
        "And take the header's addresses.",
        chain(destination_options(home_address() + b"\1\2\0\0"), last=SCTP, payload=PORTS),
        "sctp",
        V6_PORTS,
        EVERY,
    ),
    Row("sctp6-ex-off", "Without sctp.", chain(hop_by_hop(), last=SCTP, payload=PORTS), "ipv6_ex", V6, ALL),
    Row("igmp", "A protocol that nobody knows.", ipv4(bytes(8), 2), "ipv4", V4, EVERY),
    Row(
        "sctp in ipip",
        "Inside of a tunnel.",
        ipv4(inside(inner4(PORTS + REST, SCTP)), IPIP),
        "sctp",
        INNER4 + PORTS,
        MORE,
        ("ipip",),
    ),
]
IN_UDP_ROWS = [
    Row("esp-udp", "ESP in UDP is hashed over its SPI.", esp_udp4(FOUR + REST), "esp_udp", V4 + FOUR, MORE),
    Row("esp-udp-back", "From the port.", esp_udp4(FOUR + REST, port=40000, sport=ESP_UDP), "esp_udp", V4 + FOUR, MORE),
    Row("esp-udp-6", "Over IPv6.", ipv6(over_udp(FOUR + REST, ESP_UDP), UDP), "esp_udp", V6 + FOUR, MORE),
    Row(
        "esp-udp-options",
        "Behind options.",
        ipv4(over_udp(FOUR, ESP_UDP), UDP, options=bytes(8)),
        "esp_udp",
        V4 + FOUR,
        MORE,
    ),
    Row("esp-udp-only", "With esp_udp alone.", esp_udp4(FOUR), "esp_udp", V4 + FOUR, ("esp_udp",)),
    Row("esp-udp-off", "Without esp_udp.", esp_udp4(FOUR + REST), "udpv4", V4 + ESP_UDP_PORTS, DEFAULT),
    Row("ike", "Four zeros: IKE.", esp_udp4(bytes(4) + REST), "udpv4", V4 + ESP_UDP_PORTS, MORE),
    Row("keepalive", "A keepalive of one byte.", esp_udp4(b"\xff"), "udpv4", V4 + ESP_UDP_PORTS, MORE),
    Row("esp-udp-cut", "Three bytes.", esp_udp4(FOUR[:3]), "udpv4", V4 + ESP_UDP_PORTS, MORE),
    Row("teid", "GTP-U is hashed over its TEID.", ipv4(over_udp(gtpu(REST), GTPU), UDP), "gtpu_teid", V4 + FOUR, MORE),
    Row("teid-6", "Over IPv6.", ipv6(over_udp(gtpu(REST), GTPU), UDP), "gtpu_teid", V6 + FOUR, MORE),
    Row("teid-echo", "Another message.", ipv4(over_udp(gtpu(REST, kind=1), GTPU), UDP), "udpv4", V4 + GTPU_PORTS, MORE),
    Row("teid-cut", "Seven bytes.", ipv4(over_udp(gtpu(b"")[:7], GTPU), UDP), "udpv4", V4 + GTPU_PORTS, MORE),
    Row(
        "teid-version", "Version 2.", ipv4(over_udp(gtpu(REST, flags=0x50), GTPU), UDP), "udpv4", V4 + GTPU_PORTS, MORE
    ),
    Row(
        "teid-from",
        "From the port, to another one.",
        ipv4(over_udp(gtpu(REST), 40000, sport=GTPU), UDP),
        "udpv4",
        V4 + GTPU_PORTS[2:] + GTPU_PORTS[:2],
        MORE,
    ),
    Row(
        "teid-entered",
        "Not where the packet inside is hashed.",
        ipv4(over_udp(gtpu(inside(inner4())), GTPU), UDP),
        "tcpv4",
        INNER4 + tcp(bytes.fromhex("0aea06e6"))[:4],
        MORE,
        ("gtpu",),
    ),
    Row(
        "teid-not-gtpu",
        "What is no GTP-U may be ESP.",
        ipv4(over_udp(FOUR + REST, GTPU, sport=ESP_UDP), UDP),
        "esp_udp",
        V4 + FOUR,
        MORE,
    ),
]
LABEL_ROWS = [
    Row("label", "ICMPv6 is hashed over its flow label.", ipv6(bytes(16), ICMPV6), "flow_label", V6 + LABEL, MORE),
    Row("label-0", "A label of 0 is none.", ipv6(bytes(16), ICMPV6, label=0), "ipv6", V6, MORE),
    Row(
        "label-max",
        "All twenty bits.",
        ipv6(b"", 59, label=0xFFFFF, dscp=63),
        "flow_label",
        V6 + b"\0\x0f\xff\xff",
        MORE,
    ),
    Row("label-tcp", "Ports come first.", ipv6(tcp(), TCP), "tcpv6", V6_PORTS, MORE),
    Row(
        "label-tcp-off",
        "Where they are not hashed, it is.",
        ipv6(tcp(), TCP),
        "flow_label",
        V6 + LABEL,
        ("ipv6", "flow_label"),
    ),
    Row("label-esp", "ESP without esp.", ipv6(FOUR, ESP), "flow_label", V6 + LABEL, (*DEFAULT, "flow_label")),
    Row("label-only", "With flow_label alone.", ipv6(tcp(), TCP), "flow_label", V6 + LABEL, ("flow_label",)),
    Row(
        "label-fragment",
        "Fragments.",
        chain(fragment(more=True), last=TCP, payload=tcp()),
        "flow_label",
        V6 + LABEL,
        MORE,
    ),
    Row("label-cut", "Ports that cannot be read.", ipv6(PORTS[:3], TCP), "flow_label", V6 + LABEL, MORE),
    Row("label-ex", "Before ipv6_ex.", chain(hop_by_hop(), last=ICMPV6, payload=REST), "flow_label", V6 + LABEL, EVERY),
    Row(
        "label-ex-tcp",
        "But ports come first.",
        chain(hop_by_hop(), last=TCP, payload=tcp()),
        "tcpv6_ex",
        V6_PORTS,
        EVERY,
    ),
    Row("label-ip4", "IPv4 has none.", ipv4(bytes(16), 1), "ipv4", V4, MORE),
]

BACK4, BACK6 = DST4 + SRC4, DST6 + SRC6
TURNED = PORTS[2:] + PORTS[:2]


def two_ways(
    name: str, sentence: str, frame: bytes, back: bytes, hash_type: str, data: bytes, enabled: tuple[str, ...] = MORE
) -> list[Row]:
    """A packet and its answer have one hash input."""
    return [
        Row(f"{name}-{way}", sentence, packet, hash_type, data, enabled, (), True)
        for way, packet in (("there", frame), ("back", back))
    ]


# 192.0.2.1 < 198.51.100.2, 2001:db8:1::1 < 2001:db8:2::2; 0x1234 < 0x5678
SYMMETRIC_ROWS = [
    *two_ways(
        "sorted-tcp4",
        "The smaller address first, with its port.",
        ipv4(tcp()),
        ipv4(tcp(TURNED), src=DST4, dst=SRC4),
        "tcpv4",
        V4_PORTS,
    ),
    *two_ways(
        "sorted-ports-stay",
        "The larger port with the smaller address.",
        ipv4(tcp(TURNED)),
        ipv4(tcp(), src=DST4, dst=SRC4),
        "tcpv4",
        V4 + TURNED,
    ),
    *two_ways("sorted-udp6", "IPv6.", ipv6(udp(), UDP), ipv6(udp(TURNED), UDP, src=DST6, dst=SRC6), "udpv6", V6_PORTS),
    *two_ways(
        "sorted-icmp4", "Addresses alone.", ipv4(bytes(16), 1), ipv4(bytes(16), 1, src=DST4, dst=SRC4), "ipv4", V4
    ),
    *two_ways(
        "sorted-icmp6",
        "Addresses alone.",
        ipv6(REST, ICMPV6),
        ipv6(REST, ICMPV6, src=DST6, dst=SRC6),
        "ipv6",
        V6,
        WITHOUT_LABEL,
    ),
    *two_ways(
        "sorted-sctp", "SCTP has ports.", ipv4(PORTS, SCTP), ipv4(TURNED, SCTP, src=DST4, dst=SRC4), "sctp", V4_PORTS
    ),
    *two_ways(
        "sorted-same",
        "Equal addresses: the smaller port first.",
        ipv4(tcp(), dst=SRC4),
        ipv4(tcp(TURNED), dst=SRC4),
        "tcpv4",
        SRC4 + SRC4 + PORTS,
    ),
    *two_ways(
        "sorted-esp", "An SPI is of one way.", ipv4(FOUR, ESP), ipv4(FOUR[::-1], ESP, src=DST4, dst=SRC4), "ipv4", V4
    ),
    *two_ways("sorted-ah", "AH.", ipv4(AH_HEADER, AH), ipv4(AH_HEADER, AH, src=DST4, dst=SRC4), "ipv4", V4),
    *two_ways(
        "sorted-l2tpv3", "A session.", ipv6(FOUR, L2TPV3), ipv6(FOUR[::-1], L2TPV3, src=DST6, dst=SRC6), "ipv6", V6
    ),
    *two_ways(
        "sorted-esp-udp",
        "ESP in UDP.",
        esp_udp4(FOUR),
        ipv4(over_udp(FOUR[::-1], 40000, sport=ESP_UDP), UDP, src=DST4, dst=SRC4),
        "ipv4",
        V4,
    ),
    *two_ways(
        "sorted-teid",
        "A TEID.",
        ipv4(over_udp(gtpu(REST), GTPU), UDP),
        ipv4(over_udp(gtpu(REST), GTPU), UDP, src=DST4, dst=SRC4),
        "ipv4",
        V4,
    ),
    *two_ways(
        "sorted-label", "A flow label.", ipv6(REST, ICMPV6), ipv6(REST, ICMPV6, src=DST6, dst=SRC6, label=7), "ipv6", V6
    ),
    *two_ways(
        "sorted-ex",
        "The addresses that EX types use: 2001:db8:3::3 < 2001:db8:4::4.",
        chain(destination_options(home_address() + b"\1\2\0\0"), routing(), last=TCP, payload=tcp()),
        chain(
            destination_options(home_address(address=CARE) + b"\1\2\0\0"),
            routing(address=HOME),
            last=TCP,
            payload=tcp(TURNED),
        ),
        "tcpv6_ex",
        HOME + CARE + PORTS,
        ALL,
    ),
    Row(
        "sorted-esp-only",
        "Without ipv4 such a packet is not hashed.",
        ipv4(FOUR, ESP),
        None,
        b"",
        ("tcpv4", "esp"),
        (),
        True,
    ),
    Row(
        "sorted-esp-ex",
        "With extension headers: ipv6_ex.",
        chain(hop_by_hop(), last=ESP, payload=FOUR),
        "ipv6_ex",
        V6,
        EVERY,
        (),
        True,
    ),
    Row(
        "sorted-high-bit",
        "Addresses are numbers in network order.",
        ipv4(tcp(), src=b"\x80\0\0\1", dst=b"\x7f\xff\xff\xff"),
        "tcpv4",
        b"\x7f\xff\xff\xff\x80\0\0\1" + TURNED,
        MORE,
        (),
        True,
    ),
]

TRANSPORT_ROWS = [*PORT_ROWS, *FOUR_BYTE_ROWS, *IN_UDP_ROWS, *LABEL_ROWS, *SYMMETRIC_ROWS]
