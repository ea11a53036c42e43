# SPDX-License-Identifier: GPL-3.0-or-later
"""What shows of a hash on a real device, and packets whose headers are not where a program finds them at once."""

from __future__ import annotations

import socket
import typing as t

from ansible_collections.virtnet.rss.plugins.module_utils._rss.toeplitz import toeplitz_hash

if t.TYPE_CHECKING:
    from ansible_collections.virtnet.rss.plugins.module_utils._rss.config import RssConfig
    from ansible_collections.virtnet.rss.tests.packets.table import Row
    from ansible_collections.virtnet.rss.tests.support.held_tap import HeldTap

__all__ = ("DEFAULT_QUEUE", "HIGH", "LOW", "PADDING", "NonLinearSender", "expected_queue", "wait_for")

DEFAULT_QUEUE = 255
# Two tables that together show 16 bits of the hash: entry i holds its own low eight bits, or its bits 1 to 8.
LOW = tuple(entry & 0xFF for entry in range(512))
HIGH = tuple(entry >> 1 for entry in range(512))
PADDING = 6000  # bytes: more than a page


def expected_queue(row: Row, rss: RssConfig) -> int:
    """From the row's own hash input, which was put together by hand."""
    if row.hash_type is None:
        return rss.default_queue
    return rss.indirection[toeplitz_hash(key=rss.hash_key, data=row.data) % len(rss.indirection)]


class NonLinearSender:
    """Sends packets of which only the Ethernet header is in the skb's linear part."""

    def __init__(self, name: str) -> None:
        self.socket = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
        self.socket.setsockopt(263, 15, 1)  # SOL_PACKET, PACKET_VNET_HDR
        self.socket.bind((name, 0))

    def send(self, frame: bytes) -> None:
        # net/packet/af_packet.c, packet_snd: hdr_len bytes are linear when the packet is larger than a page
        self.socket.send(b"\0\0" + (14).to_bytes(2, "little") + bytes(6) + frame)


def wait_for(tap: HeldTap, count: int) -> list[tuple[int, bytes]]:
    """What has been sent beside tap.send: it is in the device's rings already."""
    arrived = tap.received()
    assert len(arrived) == count
    return arrived
