# SPDX-License-Identifier: GPL-3.0-or-later
"""Frames through the loaded program and through the Python reference; a disagreement is a defect of one of them."""

from __future__ import annotations

import contextlib
import os
import random
from dataclasses import dataclass

from ansible_collections.virtnet.rss.plugins.module_utils._bpf.libbpf import load_libbpf
from ansible_collections.virtnet.rss.plugins.module_utils._bpf.steering_program import SteeringProgram
from ansible_collections.virtnet.rss.plugins.module_utils._program.model import Configuration, Guard
from ansible_collections.virtnet.rss.plugins.module_utils._program.rodata import Identity, encode, kind_of
from ansible_collections.virtnet.rss.plugins.module_utils._rss.config import RssConfig
from ansible_collections.virtnet.rss.plugins.module_utils._rss.hashing import steer
from ansible_collections.virtnet.rss.plugins.module_utils._tun.device_id import DeviceId
from ansible_collections.virtnet.rss.tests.packets.configurations import CONFIGURATIONS, configuration
from ansible_collections.virtnet.rss.tests.packets.generate import random_frame, random_row
from ansible_collections.virtnet.rss.tests.support.bpf_objects import build_named, shipped_builds

__all__ = ("DEFAULT_QUEUE", "TABLE", "Disagreement", "compare", "mutated", "seed_of_this_run")

# A different queue for each of eight bits of the hash, so that a wrong hash shows.
TABLE = tuple(entry * 37 % 251 for entry in range(512))
DEFAULT_QUEUE = 255
GUARD = Guard(idle_ms=8, deadline_ms=1000)  # of the program with a live table, in which nothing moves


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
    """``count`` frames, in turn under each configuration with a key of its own, through every build that this kernel
    takes; the same for the same seed."""
    source, found = random.Random(seed), []
    with contextlib.ExitStack() as stack:
        sides = [_side(name, source.randbytes(40), stack) for name in CONFIGURATIONS]
        for number in range(count):
            made = (random_frame, random_row)[number // len(sides) % 2]
            frame = mutated(source, made(source))
            name, rss, programs = sides[number % len(sides)]
            reference = steer(frame, rss).queue
            for build, program in programs.items():
                said = program.run(frame)[0]
                if said != reference:
                    found.append(Disagreement(f"{name}, {build}", frame, said, reference))
    return found


def _side(name: str, key: bytes, stack: contextlib.ExitStack) -> tuple[str, RssConfig, dict[str, SteeringProgram]]:
    rss = configuration(name, key, TABLE, DEFAULT_QUEUE)
    programs = {}
    for guard in (None, GUARD):
        configured = Configuration(rss, statistics=False, guard=guard)
        rodata = encode(Identity("", DeviceId(0, 0)), configured)
        for build in shipped_builds():
            elf = build_named(build, kind_of(configured))
            program = stack.enter_context(SteeringProgram(load_libbpf(), rodata, queues=1, elf=elf))
            programs[f"{build}, live table" if guard else build] = program
    return name, rss, programs


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
