# Copyright (c) 2026, virtnet.rss contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to the collection: what only the full program is configured with (struct features of bpf/abi.h): its tables,
# filled from an RssConfig, and read back. Pure.

from __future__ import annotations

import functools
import sys
import typing as t
from dataclasses import fields, replace
from ipaddress import ip_address

from ansible_collections.virtnet.rss.plugins.module_utils._bpf.generated import steering_full_abi as abi
from ansible_collections.virtnet.rss.plugins.module_utils._rss.config import (
    HASH_TYPES,
    VIRTIO_HASH_TYPES,
    RssConfig,
    TunnelPorts,
    mask_to_hash_types,
    mask_to_tunnel_types,
)
from ansible_collections.virtnet.rss.plugins.module_utils._rss.extension_headers import EXTENSION_HEADERS
from ansible_collections.virtnet.rss.plugins.module_utils._rss.hashing import ONE_WAY
from ansible_collections.virtnet.rss.plugins.module_utils._rss.limits import HASH_KEY_SIZE
from ansible_collections.virtnet.rss.plugins.module_utils._rss.numbers import (
    AUTHENTICATION,
    DCCP,
    ESP,
    ETHERIP,
    GRE,
    IPIP,
    IPV6_IN_IP,
    L2TPV3,
    SCTP,
    TCP,
    UDP,
    UDPLITE,
)
from ansible_collections.virtnet.rss.plugins.module_utils._rss.pins import FLOW_TYPES, Pin

__all__ = ("features_of", "read_features")

# Protocol: the class of its four bytes, and the hash type of ours that they belong to, which AH has in IPv4 alone.
TRANSPORTS = {
    TCP: (abi.CLASS_TCP, "tcp"),
    UDP: (abi.CLASS_UDP, "udp"),
    SCTP: (abi.CLASS_SCTP, "sctp"),
    UDPLITE: (abi.CLASS_UDPLITE, "udplite"),
    DCCP: (abi.CLASS_DCCP, "dccp"),
    ESP: (abi.CLASS_ESP, "esp"),
    AUTHENTICATION: (abi.CLASS_AH, "ah"),
    L2TPV3: (abi.CLASS_L2TPV3, "l2tpv3"),
}
# What the program finds behind a UDP header, or where there are no four bytes.
REFINED = {abi.CLASS_ESP_UDP: "esp_udp", abi.CLASS_GTPU_TEID: "gtpu_teid", abi.CLASS_FLOW_LABEL: "flow_label"}
NAMES = {**dict(TRANSPORTS.values()), **REFINED}  # of a class
ROWS = {abi.ROW_IPV4: ("v4", ""), abi.ROW_IPV6: ("v6", ""), abi.ROW_IPV6_EX: ("v6", "_ex")}
UDP_TUNNELS = tuple(kind.name for kind in fields(TunnelPorts))
GRE_TUNNELS = ("gre_2784", "gre_2890", "gre_7676", "nvgre")
ALL_64 = (1 << 64) - 1
FLOW_TYPE_NAMES = tuple(FLOW_TYPES)
PIN_SHIFTS = {"vlan": (16, 0xFFF), "vlan_pcp": (29, 7), "dscp": (10, 0x3F), "dst_port": (32, 0xFFFF)}
PIN_SHIFTS["src_port"] = (48, 0xFFFF)


def features_of(rss: RssConfig) -> abi.Features:
    """The structure for a configuration."""
    # Neither the key nor the table is in it: the devices of a fleet differ in these alone, most often.
    return abi.Features.from_buffer_copy(_packed(replace(rss, hash_key=bytes(HASH_KEY_SIZE), indirection=(0,))))


@functools.lru_cache(maxsize=64)
def _packed(rss: RssConfig) -> bytes:
    features = abi.Features()
    features.classes4[:] = bytes(_classes(rss, 4))
    features.classes6[:] = bytes(_classes(rss, 6))
    features.types[:] = bytes(_types(rss))
    features.tunnel_types = rss.tunnel_types
    features.symmetric = rss.symmetric
    tunnels = mask_to_tunnel_types(rss.tunnel_types)
    for kind in UDP_TUNNELS:
        ports = getattr(rss.tunnel_ports, kind)
        for place in range(abi.TUNNEL_PORTS_MAX):
            getattr(features.ports, f"{kind}_be")[place] = _turned16(ports[min(place, len(ports) - 1)])
        if kind in tunnels:
            for port in ports:
                features.tunnel_port_bits |= 1 << (port & 63)
    _fill_pins(features, rss.pins)
    return bytes(features)


def _turned16(number: int) -> int:
    """A port as the host's number of its two bytes in network order, and back."""
    return int.from_bytes(number.to_bytes(2, "big"), sys.byteorder)


def _classes(rss: RssConfig, version: int) -> t.Iterator[int]:
    """The class of each protocol: only what is wanted has one, so that nothing else is read or tried."""
    types, tunnels = mask_to_hash_types(rss.hash_types), mask_to_tunnel_types(rss.tunnel_types)
    for protocol in range(256):
        if version == 6 and protocol in EXTENSION_HEADERS:
            yield abi.CLASS_EXTENSION
            continue
        number, name = TRANSPORTS.get(protocol, (abi.CLASS_NONE, ""))
        one_way = rss.symmetric and name in ONE_WAY
        wanted = name in ("tcp", "udp") or (name in types and not one_way) or (name == "sctp" and bool(rss.pins))
        yield (number if wanted else abi.CLASS_NONE) | _tunnel_class(protocol, version, tunnels)


def _tunnel_class(protocol: int, version: int, tunnels: t.Collection[str]) -> int:
    kinds: dict[int, tuple[int, tuple[str, ...]]] = {
        UDP: (abi.CLASS_TUNNEL_UDP, UDP_TUNNELS),
        GRE: (abi.CLASS_TUNNEL_GRE, GRE_TUNNELS),
        IPIP: (abi.CLASS_TUNNEL_IPV4, ("ipip" if version == 4 else "ip6tnl",)),
        IPV6_IN_IP: (abi.CLASS_TUNNEL_IPV6, ("ip6tnl",)),
        ETHERIP: (abi.CLASS_TUNNEL_ETHERIP, ("etherip",)),
    }
    number, names = kinds.get(protocol, (0, ()))
    return number if any(name in tunnels for name in names) else 0


def _types(rss: RssConfig) -> t.Iterator[int]:
    """The hash type by kind of packet and class, rows first; 0: none."""
    enabled = mask_to_hash_types(rss.hash_types)
    for row in range(abi.ROW_COUNT):
        for number in range(abi.CLASS_COUNT):
            chosen = next((name for name in _candidates(row, NAMES.get(number, ""), rss) if name in enabled), None)
            yield 0 if chosen is None else HASH_TYPES.index(chosen) + 1


def _candidates(row: int, name: str, rss: RssConfig) -> t.Iterator[str]:
    """The hash types that such a packet may get, the best first. Four bytes that differ by direction are none when both
    directions shall go to one queue: only addresses are left then.
    """
    if row not in ROWS:
        return
    family, extended = ROWS[row]
    if name in HASH_TYPES and not (rss.symmetric and name in ONE_WAY):
        yield name
    with_ports = (name,) if name in ("tcp", "udp") else ()
    for suffix in (extended, "") if extended else ("",):
        for prefix in (*with_ports, "ip"):
            word = f"{prefix}{family}{suffix}"
            if word not in VIRTIO_HASH_TYPES:
                raise AssertionError(word)
            yield word


def _fill_pins(features: abi.Features, pins: t.Sequence[Pin]) -> None:
    features.pin_count = len(pins)
    values, masks = [], []
    for place, pin in zip(features.pins, pins):
        match = pin.match()
        place.value, place.mask = _as_in_memory(match.value), _as_in_memory(match.mask)
        place.addresses[:] = _words(match.addresses_value)
        place.addresses_mask[:] = _words(match.addresses_mask)
        place.has_addresses = any(match.addresses_mask)
        place.queue = pin.queue
        place.flow_type = FLOW_TYPE_NAMES.index(pin.flow_type)
        values.append(int(place.value))
        masks.append(int(place.mask))
    if not pins:
        return
    # The bits that every pin asks for, and that they want to be the same.
    common = ALL_64
    for value, mask in zip(values, masks):
        common &= mask & ~(value ^ values[0])
    features.pins_mask, features.pins_value = common, values[0] & common


def _as_in_memory(word: int) -> int:
    """A pin's word with the ports, its upper half, as the host's number of their four bytes in network order."""
    ports = int.from_bytes((word >> 32).to_bytes(4, "big"), sys.byteorder)
    return ports << 32 | word & 0xFFFFFFFF


def _words(content: bytes) -> list[int]:
    return [int.from_bytes(content[place : place + 8], sys.byteorder) for place in range(0, len(content), 8)]


def read_features(features: abi.Features) -> dict[str, t.Any]:
    """The fields of RssConfig that they were filled from; InputError for what no RssConfig gives."""
    ports = {kind: tuple(map(_turned16, getattr(features.ports, f"{kind}_be"))) for kind in UDP_TUNNELS}
    return {
        "tunnel_types": features.tunnel_types,
        "tunnel_ports": TunnelPorts(**ports),
        "symmetric": bool(features.symmetric),
        "pins": tuple(_pin(place) for place in features.pins[: min(features.pin_count, abi.PINS_MAX)]),
    }


def _pin(place: abi.Pin) -> Pin:
    value, mask = _as_in_memory(place.value), _as_in_memory(place.mask)
    flow_type = FLOW_TYPE_NAMES[place.flow_type % len(FLOW_TYPE_NAMES)]
    words: dict[str, t.Any] = {
        name: value >> shift & bits for name, (shift, bits) in PIN_SHIFTS.items() if mask >> shift & bits
    }
    version, protocol = FLOW_TYPES[flow_type]
    if mask & 0xFF and protocol is None:
        words["l4proto"] = value & 0xFF
    for name, address, netmask in _addresses(place, version):
        if any(netmask):
            words[name] = f"{ip_address(address)}/{bin(int.from_bytes(netmask, 'big')).count('1')}"
    return Pin(queue=place.queue, flow_type=flow_type, **words)


def _addresses(place: abi.Pin, version: int | None) -> t.Iterator[tuple[str, bytes, bytes]]:
    """Source and destination, each with its mask, in network order."""
    values, masks = (
        b"".join(int(word).to_bytes(8, sys.byteorder) for word in words)
        for words in (place.addresses, place.addresses_mask)
    )
    size, distance = (4, 8) if version == 4 else (16, 16)
    for name, begin in (("src_ip", 0), ("dst_ip", distance)):
        yield name, values[begin : begin + size], masks[begin : begin + size]
