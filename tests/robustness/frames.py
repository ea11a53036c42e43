# SPDX-License-Identifier: GPL-3.0-or-later
"""Frames through the loaded program and through the Python reference; a disagreement is a defect of one of them."""

from __future__ import annotations

import os
import random
from dataclasses import dataclass

from ansible_collections.virtnet.rss.plugins.module_utils._bpf.libbpf import load_libbpf
from ansible_collections.virtnet.rss.plugins.module_utils._bpf.steering_program import SteeringProgram
from ansible_collections.virtnet.rss.plugins.module_utils._rss.config import RssConfig
from ansible_collections.virtnet.rss.plugins.module_utils._rss.hashing import steer
from ansible_collections.virtnet.rss.plugins.module_utils._steering.model import Configuration
from ansible_collections.virtnet.rss.plugins.module_utils._steering.rodata import Identity, encode
from ansible_collections.virtnet.rss.plugins.module_utils._tun.device_id import DeviceId
from ansible_collections.virtnet.rss.tests.packets.generate import random_frame

__all__ = ("CONFIGURATIONS", "DEFAULT_QUEUE", "TABLE", "Disagreement", "compare", "mutated", "seed_of_this_run")

# A different queue for each of eight bits of the hash, so that a wrong hash shows.
TABLE = tuple(entry * 37 % 251 for entry in range(512))
DEFAULT_QUEUE = 255
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


@dataclass(frozen=True)
class Disagreement:
    """One frame, with what both said."""

    configuration: str
    frame: bytes
    program: int
    reference: int

    def __str__(self) -> str:
        return f"{self.configuration}: program {self.program}, reference {self.reference}: {self.frame.hex()}"


def compare(seed: int, count: int) -> list[Disagreement]:
    """``count`` frames, in turn under each configuration with a key of its own; the same for the same seed."""
    source, found = random.Random(seed), []
    libbpf = load_libbpf()
    sides = []
    try:
        for name, (types, redirect) in CONFIGURATIONS.items():
            rss = RssConfig(source.randbytes(40), types, TABLE, DEFAULT_QUEUE, redirect)
            rodata = encode(Identity("", DeviceId(0, 0)), Configuration(rss, statistics=False))
            sides.append((name, rss, SteeringProgram(libbpf, rodata, queues=1)))
        for number in range(count):
            frame = mutated(source, random_frame(source))
            name, rss, program = sides[number % len(sides)]
            said, reference = program.run(frame)[0], steer(frame, rss).queue
            if said != reference:
                found.append(Disagreement(name, frame, said, reference))
    finally:
        for _name, _rss, program in sides:
            program.close()
    return found


def mutated(source: random.Random, frame: bytes) -> bytes:
    """Often as it is; else cut anywhere, with lying lengths, or with bytes of another frame behind it."""
    choice = source.random()
    if choice < 0.6:
        return frame
    if choice < 0.75:
        return frame[: source.randrange(14, len(frame) + 1)]
    changed = bytearray(frame)
    if choice < 0.9:
        for place in (14, 16, 17, 18, 19, 20, 22, 54, 55):  # version and IHL, lengths, next headers
            if place < len(changed) and source.random() < 0.3:
                changed[place] = source.choice((0, 1, 5, 0x0F, 0x45, 0x60, 0x80, 0xFF, source.randrange(256)))
        return bytes(changed)
    return frame + source.randbytes(source.choice((1, 20, 60, 1400)))


def seed_of_this_run() -> int:
    """A new one each time, to be told when something is found."""
    return int.from_bytes(os.urandom(4), "big")
