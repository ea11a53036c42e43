# SPDX-License-Identifier: GPL-3.0-or-later
"""Random frames for differential tests: valid stacks, then truncations and mutations of them. Seeded, so repeatable."""

from __future__ import annotations

import functools
import random

from ansible_collections.virtnet.rss.plugins.module_utils._rss.proof import proof_frames
from ansible_collections.virtnet.rss.tests.packets.builder import TCP, UDP, ipv4, ipv6, tcp, udp
from ansible_collections.virtnet.rss.tests.packets.everything import EVERY_ROW
from ansible_collections.virtnet.rss.tests.packets.pins import PIN_ROWS

VLAN_TYPES = (b"\x81\x00", b"\x88\xa8", b"\x91\x00")
IPV4, IPV6 = b"\x08\x00", b"\x86\xdd"
NEXT_HEADERS = (0, 43, 44, 51, 60, 135, 59, 58, 50)


def _extension_header(source: random.Random, kind: int, following: int) -> bytes:
    if kind == 44:
        return bytes([following, 0, 0, source.choice((0, 0, 0, 1, 6, 8))]) + bytes(4)
    if kind == 51:
        return bytes([following, 1]) + bytes(source.randrange(256) for _index in range(10))
    address = bytes(source.randrange(256) for _index in range(16))
    if kind == 43:
        return bytes([following, 2, source.choice((2, 2, 0)), source.choice((1, 1, 0))]) + bytes(4) + address
    if kind == 60:
        padding = source.choice((b"\1\2\0\0", b"\0\0\0\0", b"\1\0\1\0"))
        return bytes([following, 2]) + padding + bytes([201, 16]) + address
    return bytes([following, 0]) + bytes(6)


def _with_extension_headers(source: random.Random, frame: bytearray) -> None:
    kinds = [source.choice(NEXT_HEADERS) for _index in range(source.randrange(1, 11))]
    body = b""
    for kind, following in zip(kinds, [*kinds[1:], frame[20]]):
        body += _extension_header(source, kind, following)
    frame[20] = kinds[0]
    frame[54:54] = body


def _with_options(source: random.Random, frame: bytearray) -> None:
    words = source.randrange(11)
    frame[14] = 0x40 | 5 + words
    frame[34:34] = bytes(4 * words)


def _with_tags(source: random.Random, frame: bytearray) -> None:
    for _index in range(source.randrange(1, 5)):
        frame[12:12] = source.choice(VLAN_TYPES) + bytes([0, source.randrange(256)])


def random_frame(source: random.Random) -> bytes:
    """One frame, of at least the 14 bytes that a device takes."""
    frame = bytearray(source.choice(proof_frames(seed=source.randrange(20))))
    if frame[12:14] == IPV6 and source.random() < 0.7:
        _with_extension_headers(source, frame)
    elif frame[12:14] == IPV4 and source.random() < 0.5:
        _with_options(source, frame)
    if source.random() < 0.3:
        _with_tags(source, frame)
    for _index in range(source.choice((0, 0, 1, 3))):
        frame[source.randrange(12, len(frame))] = source.randrange(256)
    if source.random() < 0.3:
        del frame[source.randrange(14, len(frame) + 1) :]
    return bytes(frame)


def random_row(source: random.Random) -> bytes:
    """The packet of a row of the packet table, with tags in front of it, bytes changed, or its end cut off."""
    frame = bytearray(source.choice(_row_frames()))
    if source.random() < 0.2:
        _with_tags(source, frame)
    for _index in range(source.choice((0, 0, 1, 1, 3, 6))):
        frame[source.randrange(12, len(frame))] = source.choice((0, 1, 4, 6, 8, 17, 41, 47, source.randrange(256)))
    if source.random() < 0.3:
        del frame[source.randrange(14, len(frame) + 1) :]
    return bytes(frame)


@functools.lru_cache(maxsize=None)
def _row_frames() -> list[bytes]:
    frames = {row.frame for row in EVERY_ROW} | {row.frame for row in PIN_ROWS}
    return sorted(frame for frame in frames if len(frame) >= 14)


def random_frames(*, seed: int, count: int) -> list[bytes]:
    """``count`` frames, the same for the same seed."""
    source = random.Random(seed)
    return [random_frame(source) for _index in range(count)]


def sendable_frames(*, seed: int, count: int) -> list[bytes]:
    """Those of ``count`` frames that a device takes as they are, neither padded nor refused."""
    return [frame for frame in random_frames(seed=seed, count=count) if 60 <= len(frame) <= 1500]


def random_flows(seed: int, count: int) -> list[bytes]:
    """A packet each of TCP and UDP flows over IPv4 and IPv6."""
    source = random.Random(seed)
    made = []
    for number in range(count):
        transport, protocol = ((tcp, TCP), (udp, UDP))[number % 2]
        network, width = ((ipv4, 4), (ipv6, 16))[number // 2 % 2]
        src, dst = source.randbytes(width), source.randbytes(width)
        made.append(network(transport(source.randbytes(4)), protocol, src=src, dst=dst))
    return made
