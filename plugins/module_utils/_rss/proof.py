# Copyright (c) 2026, virtnet.rss contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to the collection: the frames that a program is proven with before it is attached.

from __future__ import annotations

import functools
import random
import struct
import typing as t
from ipaddress import ip_address

from ansible_collections.virtnet.rss.plugins.module_utils._rss.numbers import ETHERNET, TCP, UDP

__all__ = ("flow_frame", "microsoft_frames", "proof_frames")

# Microsoft, "Verifying the RSS Hash Calculation": source, its port, destination, its port, hash of all four with its
# key.
MICROSOFT_FLOWS = (
    ("66.9.149.187", 2794, "161.142.100.80", 1766, 0x51CCC178),
    ("199.92.111.2", 14230, "65.69.140.83", 4739, 0xC626B0EA),
    ("24.19.198.95", 12898, "12.22.207.184", 38024, 0x5C2B394A),
    ("38.27.205.30", 48228, "209.142.163.6", 2217, 0xAFC7327F),
    ("153.39.163.191", 44251, "202.188.127.2", 1303, 0x10E828A2),
    ("3ffe:2501:200:1fff::7", 2794, "3ffe:2501:200:3::1", 1766, 0x40207D3D),
    ("3ffe:501:8::260:97ff:fe40:efab", 14230, "ff02::1", 4739, 0xDDE51BBF),
    ("3ffe:1900:4545:3:200:f8ff:fe21:67cf", 44251, "fe80::200:f8ff:fe21:67cf", 38024, 0x02D1FEEF),
)
RANDOM_FLOWS = 16  # of each of four kinds


def flow_frame(src: bytes, sport: int, dst: bytes, dport: int, protocol: int, *, l3_offset: int = ETHERNET) -> bytes:
    """A minimal TCP or UDP packet between two addresses of one family, behind an Ethernet header if there is one."""
    transport = struct.pack("!HH", sport, dport) + bytes(16 if protocol == TCP else 4)
    if len(src) == 4:
        header = struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(transport), 0, 0, 64, protocol, 0)
        ethertype = b"\x08\x00"
    else:
        header = struct.pack("!IHBB", 6 << 28, len(transport), protocol, 64)
        ethertype = b"\x86\xdd"
    return (bytes(12) + ethertype if l3_offset else b"") + header + src + dst + transport


def _random_flows(seed: int) -> t.Iterator[tuple[bytes, int, bytes, int, int]]:
    source = random.Random(seed)
    for size in (4, 16):
        for protocol in (TCP, UDP):
            for _count in range(RANDOM_FLOWS):
                addresses = bytes(source.randrange(256) for _byte in range(2 * size))
                yield addresses[:size], source.randrange(65536), addresses[size:], source.randrange(65536), protocol


def microsoft_frames(*, l3_offset: int = ETHERNET) -> list[tuple[bytes, int]]:
    """Microsoft's flows as TCP and as UDP frames, each with its published hash."""
    return [
        (flow_frame(ip_address(src).packed, sport, ip_address(dst).packed, dport, protocol, l3_offset=l3_offset), value)
        for src, sport, dst, dport, value in MICROSOFT_FLOWS
        for protocol in (TCP, UDP)
    ]


@functools.lru_cache(maxsize=None)  # every device of a run is proven with the same ones
def proof_frames(*, seed: int, l3_offset: int = ETHERNET) -> tuple[bytes, ...]:
    """Microsoft's flows, then random ones; the same for the same seed."""
    random_frames = (
        flow_frame(src, sport, dst, dport, protocol, l3_offset=l3_offset)
        for src, sport, dst, dport, protocol in _random_flows(seed)
    )
    return (*(frame for frame, _hash in microsoft_frames(l3_offset=l3_offset)), *random_frames)
