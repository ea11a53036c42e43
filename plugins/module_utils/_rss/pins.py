# Copyright (c) 2026, virtnet.rss contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to the collection: pins, rules that send matching packets to a queue before anything is hashed,
# in the words of ``ethtool -N``.

from __future__ import annotations

import typing as t
from dataclasses import dataclass, fields
from ipaddress import ip_network

from ansible_collections.virtnet.rss.plugins.module_utils._errors import InputError
from ansible_collections.virtnet.rss.plugins.module_utils._rss.limits import PORT_MAX, check_queue
from ansible_collections.virtnet.rss.plugins.module_utils._rss.numbers import NO_PROTOCOL, SCTP, TCP, UDP

if t.TYPE_CHECKING:
    from ansible_collections.virtnet.rss.plugins.module_utils._rss.ip import Packet

__all__ = ("FLOW_TYPES", "PINS_MAX", "TAGGED", "Match", "Pin", "check_pins", "matching_pin")

PINS_MAX = 16
# Flow type: version of IP, and protocol; None: any.
FLOW_TYPES: dict[str, tuple[int | None, int | None]] = {
    "ether": (None, None),
    "ip4": (4, None),
    "tcp4": (4, TCP),
    "udp4": (4, UDP),
    "sctp4": (4, SCTP),
    "ip6": (6, None),
    "tcp6": (6, TCP),
    "udp6": (6, UDP),
    "sctp6": (6, SCTP),
}
VERSION_CODES = {4: 1, 6: 2}  # 0: no IP
TAGGED = 0x1000  # the place of DEI in a tag: there is a tag
RANGES = {
    "src_port": PORT_MAX,
    "dst_port": PORT_MAX,
    "l4proto": NO_PROTOCOL - 1,
    "vlan": 4095,
    "vlan_pcp": 7,
    "dscp": 63,
}
ADDRESS_WORDS = 32


class Match(t.NamedTuple):
    """A packet matches when ``word & mask == value`` and the same holds for its addresses, byte by byte.

    The 64-bit word of a packet, as a number:

    ====== ==== ================================================================================================
    bits   0-7  protocol: of IPv4 the header's; of IPv6 the one behind the extension headers, and 255 when they do
                not lead to one (a fragment that is not atomic, more headers than are walked, a cut one); 0: no IP
    bits   8-9  1 IPv4, 2 IPv6, 0 neither (or its header is cut, or has another version)
    bits 10-15  DSCP, the upper six bits of the IPv4 type of service or the IPv6 traffic class
    bits 16-31  TCI of the outermost VLAN tag (the skb's metadata first, then the data), with the bit of DEI (28)
                always set; 0: no tag. A frame that ends inside its first tag has none
    bits 32-47  destination port of unfragmented TCP, UDP and SCTP; 0 for others, and when it cannot be read
    bits 48-63  source port, likewise
    ====== ==== ================================================================================================

    The addresses are 32 bytes in network order, four words of eight: IPv6 has the source in the first 16 and the
    destination in the last 16; IPv4 the source in bytes 0 to 3 and the destination in bytes 8 to 11; the rest is zero.

    All of it is of the *outer* packet: in front of any tunnel, yet behind the labels of MPLS and the header of PPPoE
    where those are looked into. Values are zero where masks are. Whoever writes it into a program may turn the ports
    and the addresses into the order in which that program loads them.
    """

    value: int
    mask: int
    addresses_value: bytes
    addresses_mask: bytes

    def covers(self, other: Match) -> bool:
        """Every packet that matches the other one matches this."""

        def within(value: int, mask: int, other_value: int, other_mask: int) -> bool:
            return not mask & ~other_mask and other_value & mask == value

        numbers = [int.from_bytes(text, "big") for text in (*self[2:], *other[2:])]
        return within(*self[:2], *other[:2]) and within(*numbers)


@dataclass(frozen=True)
class Pin:
    """One rule: ``flow_type``, what else must be so, and the queue. None: anything.

    Addresses are texts, with a prefix where more than one is meant; the rest are numbers. InputError for a word that
    the flow type does not have, and for a value out of range.
    """

    queue: int
    flow_type: str = "ether"
    src_ip: str | None = None
    dst_ip: str | None = None
    src_port: int | None = None
    dst_port: int | None = None
    l4proto: int | None = None
    vlan: int | None = None  # VLAN's number (VID)
    vlan_pcp: int | None = None
    dscp: int | None = None

    def __post_init__(self) -> None:
        if self.flow_type not in FLOW_TYPES:
            raise InputError("flow_type", self.flow_type, f"choose of {', '.join(FLOW_TYPES)}")
        check_queue("queue", self.queue)
        for name, highest in RANGES.items():
            number = getattr(self, name)
            if number is not None and not 0 <= number <= highest:
                raise InputError(name, number, f"it is a number from 0 to {highest}")
        self._check_words()
        for name in ("src_ip", "dst_ip"):
            text = getattr(self, name)
            if text is not None:
                object.__setattr__(self, name, self._network(name, text))

    def _check_words(self) -> None:
        """What the flow type does not have, its packets cannot match."""
        version, protocol = FLOW_TYPES[self.flow_type]
        of_ip = [kind for kind in FLOW_TYPES if kind != "ether"]
        needs = {
            "src_ip": (version, of_ip),
            "dst_ip": (version, of_ip),
            "dscp": (version, of_ip),
            "src_port": (protocol, [kind for kind, (_version, number) in FLOW_TYPES.items() if number]),
            "dst_port": (protocol, [kind for kind, (_version, number) in FLOW_TYPES.items() if number]),
            "l4proto": (version and not protocol, ["ip4", "ip6"]),
        }
        for name, (has, kinds) in needs.items():
            if getattr(self, name) is not None and not has:
                raise InputError(name, getattr(self, name), f"flow_type {self.flow_type} has none; {', '.join(kinds)}")

    def _network(self, name: str, text: str) -> str | None:
        """In one form, in which a program's configuration reads back; every address is no condition."""
        version = FLOW_TYPES[self.flow_type][0]
        try:
            network = ip_network(text)
        except ValueError:
            raise InputError(name, text, "it is an address, or a network without bits behind its prefix") from None
        if network.version != version:
            raise InputError(name, text, f"flow_type {self.flow_type} has addresses of IPv{version}")
        if not network.prefixlen:
            return None
        return str(network.network_address) if network.prefixlen == network.max_prefixlen else str(network)

    def match(self) -> Match:
        """Values and masks, as the class Match describes them."""
        word: list[tuple[int, int, int]] = []  # shift, value, mask
        version, protocol = FLOW_TYPES[self.flow_type]
        if version:
            word.append((8, VERSION_CODES[version], 3))
        protocol = protocol or self.l4proto
        for number, shift, mask in (
            (protocol, 0, 0xFF),
            (self.dscp, 10, 0x3F),
            (self.vlan, 16, 0xFFF),
            (self.vlan_pcp, 29, 7),
            (self.dst_port, 32, 0xFFFF),
            (self.src_port, 48, 0xFFFF),
        ):
            if number is not None:
                word.append((shift, number, mask))
        if self.vlan is not None or self.vlan_pcp is not None:
            word.append((16, TAGGED, TAGGED))
        value, mask = (sum(part[place] << part[0] for part in word) for place in (1, 2))
        return Match(value, mask, *self._addresses())

    def _addresses(self) -> tuple[bytes, bytes]:
        values, masks = bytearray(ADDRESS_WORDS), bytearray(ADDRESS_WORDS)
        width = 8 if FLOW_TYPES[self.flow_type][0] == 4 else 16
        for place, text in ((0, self.src_ip), (width, self.dst_ip)):
            if text is not None:
                network = ip_network(text)
                packed, netmask = network.network_address.packed, network.netmask.packed
                values[place : place + len(packed)] = packed
                masks[place : place + len(packed)] = netmask
        return bytes(values), bytes(masks)

    def words(self) -> dict[str, t.Any]:
        """What was given, in the order of the fields, the queue last."""
        given = {item.name: getattr(self, item.name) for item in fields(self) if getattr(self, item.name) is not None}
        return {**{name: value for name, value in given.items() if name != "queue"}, "queue": self.queue}


def check_pins(pins: t.Sequence[Pin]) -> None:
    """InputError for too many of them, and for one that never decides, since one before it takes all its packets."""
    if len(pins) > PINS_MAX:
        raise InputError("pins", f"{len(pins)} of them", f"there are at most {PINS_MAX}")
    for number, pin in enumerate(pins):
        for former, other in enumerate(pins[:number]):
            if other.match().covers(pin.match()):
                raise InputError(f"pins[{number}]", pin.words(), f"pins[{former}] takes all its packets before it")


def matching_pin(pins: t.Sequence[Pin], packet: Packet | None, tci: int | None) -> int | None:
    """The number of the first pin that an outer IP packet (None: no IP) behind a tag (None: no tag) matches."""
    word, addresses = _word(packet, tci), _addresses(packet)
    for number, pin in enumerate(pins):
        value, mask, addresses_value, addresses_mask = pin.match()
        same = all(byte & bits == wanted for byte, bits, wanted in zip(addresses, addresses_mask, addresses_value))
        if word & mask == value and same:
            return number
    return None


def _word(packet: Packet | None, tci: int | None) -> int:
    """The 64-bit word of a packet, as Match describes it."""
    word = 0 if tci is None else (tci | TAGGED) << 16
    if packet is None:
        return word
    word |= packet.protocol | VERSION_CODES[packet.version] << 8 | packet.dscp << 10
    ports = (packet.transport or b"")[:4]
    if packet.protocol in (TCP, UDP, SCTP) and len(ports) == 4:
        word |= int.from_bytes(ports, "big") << 32
    return word


def _addresses(packet: Packet | None) -> bytes:
    if packet is None:
        return bytes(ADDRESS_WORDS)
    width = 8 if packet.version == 4 else 16
    return (packet.src.ljust(width, b"\0") + packet.dst).ljust(ADDRESS_WORDS, b"\0")
