# Copyright (c) 2026, virtnet.rss contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to the collection: flows and configurations as dictionaries, the way playbooks write them.

from __future__ import annotations

import typing as t
from ipaddress import ip_address

from ansible_collections.virtnet.rss.plugins.module_utils._errors import InputError
from ansible_collections.virtnet.rss.plugins.module_utils._rss.config import RssConfig, mask_to_hash_types
from ansible_collections.virtnet.rss.plugins.module_utils._rss.hashing import ADDRESSES_ONLY, Steered, decide
from ansible_collections.virtnet.rss.plugins.module_utils._rss.ip import Packet
from ansible_collections.virtnet.rss.plugins.module_utils._rss.limits import PORT_MAX
from ansible_collections.virtnet.rss.plugins.module_utils._rss.numbers import (
    AUTHENTICATION,
    DCCP,
    ESP,
    ETHERIP,
    GRE,
    ICMP,
    ICMPV6,
    IPIP,
    IPV6_IN_IP,
    L2TPV3,
    NO_PROTOCOL,
    SCTP,
    TCP,
    UDP,
    UDPLITE,
)
from ansible_collections.virtnet.rss.plugins.module_utils._rss.transports import ESP_UDP_PORT, WITH_PORTS
from ansible_collections.virtnet.rss.plugins.module_utils._rss.tunnel_types import mask_to_tunnel_types
from ansible_collections.virtnet.rss.plugins.module_utils._rss.tunnels import tunnel_types_of

__all__ = ("PROTOCOLS", "WORDS", "flow_from", "frame_from", "steer_flow")

# As IANA and /etc/protocols call them, in lower case; a number does as well.
PROTOCOLS = {
    "icmp": ICMP,
    "ipip": IPIP,
    "tcp": TCP,
    "udp": UDP,
    "dccp": DCCP,
    "ipv6": IPV6_IN_IP,
    "gre": GRE,
    "esp": ESP,
    "ah": AUTHENTICATION,
    "icmpv6": ICMPV6,
    "etherip": ETHERIP,
    "l2tpv3": L2TPV3,
    "sctp": SCTP,
    "udplite": UDPLITE,
}
# What tells two flows of one protocol apart beside addresses and ports, and its highest value.
FOUR_BYTES = {ESP: "spi", AUTHENTICATION: "spi", L2TPV3: "session"}
IN_UDP = ("spi", "teid")
NUMBERS = {"spi": 2**32 - 1, "session": 2**32 - 1, "teid": 2**32 - 1, "flow_label": 2**20 - 1, "dscp": 63}
TAG = {"vlan": 4095, "vlan_pcp": 7}
WORDS = ("src", "dst", "proto", "sport", "dport", *NUMBERS, *TAG)
GTPU_HEADER = b"\x30\xff\0\0"


class Flow(t.NamedTuple):
    """The outer packet of a flow, and the tag control information of its tag."""

    packet: Packet
    tci: int | None


def flow_from(given: object) -> Flow:
    """A flow of ``src`` and ``dst``, ``proto`` with ``sport`` and ``dport`` where it has ports, and where they matter
    ``spi``, ``session``, ``teid``, ``flow_label``, ``dscp``, ``vlan`` and ``vlan_pcp``.

    InputError for what is no flow: ports without a protocol, a protocol without its ports.
    """
    if not isinstance(given, dict):
        raise InputError("flow", given, f"it is a dictionary of {', '.join(WORDS)}")
    for word in given:
        if word not in WORDS:
            raise InputError("flow", word, f"its words are {', '.join(WORDS)}")
    src, dst = _address(given, "src"), _address(given, "dst")
    if len(src) != len(dst):
        raise InputError("flow.dst", given["dst"], "it is of the same family as src")
    version = 4 if len(src) == 4 else 6
    protocol = _protocol(given, version)
    numbers = {word: _number(given, word, highest) for word, highest in {**NUMBERS, **TAG}.items() if word in given}
    packet = Packet(
        version,
        src,
        dst,
        protocol,
        _transport(given, protocol, numbers),
        dscp=numbers.get("dscp", 0),
        flow_label=numbers.get("flow_label", 0) if version == 6 else 0,
    )
    tci = numbers.get("vlan", 0) | numbers.get("vlan_pcp", 0) << 13 if any(word in numbers for word in TAG) else None
    return Flow(packet, tci)


def steer_flow(given: object, config: RssConfig) -> Steered:
    """The queue of a flow; InputError as well for one that does not tell what the configuration asks for."""
    flow = flow_from(given)
    steered = decide(flow.packet, config, tci=flow.tci)
    if config.redirect and steered.pin is None:
        _check_known(t.cast("dict[str, t.Any]", given), flow.packet, steered, config)
    return steered


def frame_from(text: str) -> bytes:
    """A frame out of hexadecimal digits, with white space or colons between them or without."""
    digits = "".join(text.split()).replace(":", "")
    try:
        return bytes.fromhex(digits)
    except ValueError:
        raise InputError("frame", f"a text of {len(text)} letters", "a frame is hexadecimal digits in pairs") from None


def _check_known(given: dict[str, t.Any], packet: Packet, steered: Steered, config: RssConfig) -> None:
    """A packet may hold more than the flow says, and the configuration may look at it."""
    tunnels = set(tunnel_types_of(packet, config.tunnel_ports)) & set(mask_to_tunnel_types(config.tunnel_types))
    if tunnels:
        text = f"the packet in the tunnel decides ({', '.join(sorted(tunnels))}): give a whole frame, or the inner flow"
        raise InputError("flow.proto", given["proto"], text)
    missing = _missing(given, packet, steered, config)
    if missing:
        raise InputError(f"flow.{missing}", given.get(missing), "this configuration hashes it")


def _missing(given: dict[str, t.Any], packet: Packet, steered: Steered, config: RssConfig) -> str | None:
    """The word that the flow lacks."""
    enabled = mask_to_hash_types(config.hash_types)
    name = {ESP: "esp", AUTHENTICATION: "ah", L2TPV3: "l2tpv3"}.get(packet.protocol)
    if name in enabled and FOUR_BYTES[packet.protocol] not in given:
        return FOUR_BYTES[packet.protocol]
    if packet.protocol == UDP:
        ports = [int.from_bytes((packet.transport or b"")[place : place + 2], "big") for place in (0, 2)]
        if "gtpu_teid" in enabled and ports[1] in config.tunnel_ports.gtpu and "teid" not in given:
            return "teid"
        if "esp_udp" in enabled and ESP_UDP_PORT in ports and "spi" not in given:
            return "spi"
    by_addresses = steered.hash_type in (None, *ADDRESSES_ONLY)
    if by_addresses and "flow_label" in enabled and packet.version == 6 and "flow_label" not in given:
        return "flow_label"
    return None


def _address(flow: dict[str, t.Any], name: str) -> bytes:
    try:
        return ip_address(str(flow.get(name))).packed
    except ValueError:
        raise InputError(f"flow.{name}", flow.get(name), "it is an IPv4 or IPv6 address") from None


def _protocol(flow: dict[str, t.Any], version: int) -> int:
    given = flow.get("proto")
    if given is None:
        ports = [word for word in ("sport", "dport", *FOUR_BYTES.values(), "teid") if word in flow]
        if ports:
            raise InputError(f"flow.{ports[0]}", flow[ports[0]], "it needs proto, such as tcp or udp")
        return NO_PROTOCOL
    text = str(given).lower()
    number = PROTOCOLS.get(text, int(text) if text.isascii() and text.isdigit() else -1)
    if isinstance(given, bool) or not 0 <= number < NO_PROTOCOL:
        raise InputError("flow.proto", given, f"choose of {', '.join(PROTOCOLS)}, or give the protocol's number")
    if version == 6 and number == AUTHENTICATION:
        raise InputError("flow.proto", given, "in IPv6 it is an extension header: name the protocol behind it")
    return number


def _number(flow: dict[str, t.Any], name: str, highest: int) -> int:
    given = flow.get(name)
    try:
        number = int(given, 0) if isinstance(given, str) else given
    except ValueError:
        number = None
    if not isinstance(number, int) or isinstance(number, bool) or not 0 <= number <= highest:
        raise InputError(f"flow.{name}", given, f"it is a number from 0 to {highest}")
    return number


def _transport(flow: dict[str, t.Any], protocol: int, numbers: dict[str, int]) -> bytes:
    """As much of the transport header as the flow tells."""
    inside = {word: numbers[word].to_bytes(4, "big") for word in ("spi", "session", "teid") if word in numbers}
    if protocol in WITH_PORTS:
        ports = b"".join(_number(flow, word, PORT_MAX).to_bytes(2, "big") for word in ("sport", "dport"))
        allowed: tuple[str, ...] = IN_UDP if protocol == UDP else ()
    else:
        for word in ("sport", "dport"):
            if word in flow:
                names = ", ".join(WITH_PORTS.values())
                raise InputError(f"flow.{word}", flow[word], f"protocol {flow['proto']} has no ports; {names} have")
        ports, allowed = b"", tuple(word for number, word in FOUR_BYTES.items() if number == protocol)
    for word in inside:
        if word not in allowed:
            raise InputError(f"flow.{word}", flow[word], f"protocol {flow['proto']} has none")
    if protocol == AUTHENTICATION:
        return bytes(4) + inside["spi"] if inside else b""
    if "teid" in inside:
        return ports + bytes(4) + GTPU_HEADER + inside["teid"]
    if protocol == UDP and inside:
        return ports + bytes(4) + inside["spi"]
    return ports + b"".join(inside.values())
