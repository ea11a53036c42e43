# SPDX-License-Identifier: GPL-3.0-or-later
"""The same frames through the reference, which our program agrees with, and through QEMU's own program. Where they
disagree, one of the causes below must be there to be seen in the frame, and QEMU's answer must be its default queue or
follow from what it may have read; a disagreement without that is a defect."""

from __future__ import annotations

import random
import typing as t
from collections import Counter
from dataclasses import dataclass, field

from ansible_collections.virtnet.rss.plugins.module_utils._errors import ObjectError
from ansible_collections.virtnet.rss.plugins.module_utils._rss.config import RssConfig
from ansible_collections.virtnet.rss.plugins.module_utils._rss.extension_headers import EXTENSION_HEADERS
from ansible_collections.virtnet.rss.plugins.module_utils._rss.frame import parse_frame
from ansible_collections.virtnet.rss.plugins.module_utils._rss.hashing import decide, steer
from ansible_collections.virtnet.rss.plugins.module_utils._rss.numbers import VLAN_TYPES
from ansible_collections.virtnet.rss.tests.packets.generate import random_frame
from ansible_collections.virtnet.rss.tests.robustness.frames import DEFAULT_QUEUE, TABLE, mutated
from ansible_collections.virtnet.rss.tests.robustness.qemu_reading import NO_EXTENSION_HEADERS, readings
from ansible_collections.virtnet.rss.tests.support.qemu import qemu_rss

if t.TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ("CAUSES", "Comparison", "beside_qemu")

TRANSPORT_HEADERS = {6: 20, 17: 8}  # TCP's and UDP's length


def _ethertype(frame: bytes) -> int:
    return int.from_bytes(frame[12:14], "big")


def _no_ip(frame: bytes) -> bool:
    return _ethertype(frame) in (0x0800, 0x86DD) and parse_frame(frame).packet is None


def _cut_transport(frame: bytes) -> bool:
    """TCP or UDP whose header is not all there; behind extension headers that has another cause."""
    if _ethertype(frame) == 0x0800 and len(frame) >= 34:
        protocol, start = frame[23], 14 + 4 * (frame[14] & 15)
    elif _ethertype(frame) == 0x86DD and len(frame) >= 54:
        protocol, start = frame[20], 54
    else:
        return False
    return len(frame) < start + TRANSPORT_HEADERS.get(protocol, 0)


def _first_next_header(frame: bytes) -> int | None:
    return frame[20] if _ethertype(frame) == 0x86DD and len(frame) >= 54 else None


def _cut_extension(frame: bytes) -> bool:
    """The first extension header is not all there."""
    return _first_next_header(frame) in EXTENSION_HEADERS and len(frame) < 54 + 8


def _chain(frame: bytes) -> bool:
    packet = parse_frame(frame).packet
    return _ethertype(frame) == 0x86DD and packet is not None and packet.extension_headers


# A cause is seen in the frame and, where it foretells it, in QEMU's answer. The first one that holds is counted.
CAUSES: dict[str, Callable[[bytes, int], bool]] = {
    "tag": lambda frame, _queue: _ethertype(frame) in VLAN_TYPES,
    "version": lambda frame, queue: _no_ip(frame) and queue != DEFAULT_QUEUE,
    "cut transport": lambda frame, queue: _cut_transport(frame) and queue == DEFAULT_QUEUE,
    "cut extension": lambda frame, queue: _cut_extension(frame) and queue == DEFAULT_QUEUE,
    "ICMPv6": lambda frame, _queue: _first_next_header(frame) in NO_EXTENSION_HEADERS,
    "chain given up": lambda frame, queue: _chain(frame) and queue == DEFAULT_QUEUE,
    "chain hashed": lambda frame, queue: _chain(frame) and queue != DEFAULT_QUEUE,
}


def _cause(frame: bytes, rss: RssConfig, theirs: int) -> str:
    """Why QEMU's program may well have given this answer; empty when nothing explains it."""
    if theirs != DEFAULT_QUEUE and all(decide(packet, rss).queue != theirs for packet in readings(frame)):
        return ""
    return next((cause for cause, holds in CAUSES.items() if holds(frame, theirs)), "")


@dataclass
class Comparison:
    """What came of all frames; ``unexplained`` has the frames that no cause holds for."""

    frames: int = 0
    refused: int = 0  # by BPF_PROG_TEST_RUN
    agreed: int = 0
    causes: Counter[str] = field(default_factory=Counter)
    unexplained: list[str] = field(default_factory=list)

    def add(self, other: Comparison) -> None:
        """Sum up."""
        self.frames += other.frames
        self.refused += other.refused
        self.agreed += other.agreed
        self.causes += other.causes
        self.unexplained += other.unexplained


# Hash types, redirect; what a bit enables is in the virtio text.
CONFIGURATIONS: dict[str, tuple[int, bool]] = {
    "the default types": (0x3F, True),
    "all nine types": (0x1FF, True),
    "addresses alone": (0x09, True),
    "TCP and UDP alone": (0x36, True),
    "extension headers alone": (0x1C0, True),
    "none": (0, True),
    "no redirect": (0x3F, False),
}


def beside_qemu(elf: bytes, seed: int, count: int) -> Comparison:
    """``count`` frames, in turn under each configuration with a key of its own; the same for the same seed."""
    source, found, sides = random.Random(seed), Comparison(), []
    try:
        for name, (types, redirect) in CONFIGURATIONS.items():
            rss = RssConfig(source.randbytes(40), types, TABLE[: qemu_rss.TABLE_SIZE], DEFAULT_QUEUE, redirect)
            sides.append((name, rss, qemu_rss.load(elf, rss)))
        for number in range(count):
            frame = mutated(source, random_frame(source))
            name, rss, program = sides[number % len(sides)]
            _count(found, name, frame, rss, program.program_fd(qemu_rss.PROGRAM))
    finally:
        for _name, _rss, program in sides:
            program.close()
    return found


def _count(found: Comparison, name: str, frame: bytes, rss: RssConfig, descriptor: int) -> None:
    found.frames += 1
    try:
        theirs = qemu_rss.run(descriptor, frame)
    except ObjectError:
        found.refused += 1
        return
    ours = steer(frame, rss).queue
    if ours == theirs:
        found.agreed += 1
        return
    cause = _cause(frame, rss, theirs)
    if cause:
        found.causes[cause] += 1
    else:
        found.unexplained.append(f"{name}: QEMU's {theirs}, reference {ours}: {frame.hex()}")
