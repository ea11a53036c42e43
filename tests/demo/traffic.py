# SPDX-License-Identifier: GPL-3.0-or-later
"""The demo's traffic: five kinds of flows with many packets each, and ARP."""

from __future__ import annotations

import random

from ansible_collections.virtnet.rss.plugins.module_utils._rss.numbers import TCP, UDP
from ansible_collections.virtnet.rss.plugins.module_utils._rss.proof import flow_frame

__all__ = ("KINDS", "VLAN_TAG", "flows", "packets")

FLOWS_EACH = 64
PACKETS_EACH = 40
ARP_PACKETS = 40
VLAN_TAG = bytes.fromhex("8100002a")  # VLAN 42
# name, bytes of an address, protocol, tagged
KINDS = (
    ("TCP over IPv4", 4, TCP, False),
    ("UDP over IPv4", 4, UDP, False),
    ("TCP over IPv6", 16, TCP, False),
    ("UDP over IPv6", 16, UDP, False),
    ("TCP over IPv4 in a VLAN", 4, TCP, True),
)
ARP = bytes.fromhex("ffffffffffff 020000000001 0806 0001 0800 06 04 0001 020000000001 0a000001 000000000000 0a000002")


def flows() -> list[bytes]:
    """One frame for each flow; the same ones each time."""
    source = random.Random(2026)
    found = []
    for _name, size, protocol, tagged in KINDS:
        for _flow in range(FLOWS_EACH):
            addresses = bytes(source.randrange(256) for _byte in range(2 * size))
            sport, dport = source.randrange(1024, 65536), source.choice((53, 80, 443))
            frame = flow_frame(addresses[:size], sport, addresses[size:], dport, protocol)
            found.append(frame[:12] + VLAN_TAG + frame[12:] if tagged else frame)
    return found


def packets() -> list[bytes]:
    """Every packet in the order in which it is sent, each different from all others by a number at its end."""
    frames = [frame for _round in range(PACKETS_EACH) for frame in flows()] + [ARP] * ARP_PACKETS
    return [frame + number.to_bytes(4, "big") for number, frame in enumerate(frames)]
