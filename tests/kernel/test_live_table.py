# SPDX-License-Identifier: GPL-3.0-or-later
"""The program with a live table: it computes what the full program does, and its entries move without a packet out of
order."""

from __future__ import annotations

import random
import time

import pytest

from ansible_collections.virtnet.rss.plugins.module_utils._bpf.libbpf import load_libbpf
from ansible_collections.virtnet.rss.plugins.module_utils._bpf.live_table import (
    LiveMaps,
    move_entries,
    read_entry_packets,
    read_placements,
    since,
)
from ansible_collections.virtnet.rss.plugins.module_utils._bpf.steering_builds import LIVE
from ansible_collections.virtnet.rss.plugins.module_utils._bpf.steering_program import SteeringProgram
from ansible_collections.virtnet.rss.plugins.module_utils._program.model import Configuration, Guard
from ansible_collections.virtnet.rss.plugins.module_utils._program.programs import OURS, describe
from ansible_collections.virtnet.rss.plugins.module_utils._program.prove import Prover
from ansible_collections.virtnet.rss.plugins.module_utils._program.rodata import Identity, encode
from ansible_collections.virtnet.rss.plugins.module_utils._rss.config import RssConfig
from ansible_collections.virtnet.rss.plugins.module_utils._rss.hashing import steer
from ansible_collections.virtnet.rss.plugins.module_utils._rss.keys import MICROSOFT_KEY
from ansible_collections.virtnet.rss.plugins.module_utils._tun.device_id import DeviceId
from ansible_collections.virtnet.rss.tests.packets.builder import TCP, ipv4, tcp
from ansible_collections.virtnet.rss.tests.packets.configurations import CONFIGURATIONS, configuration
from ansible_collections.virtnet.rss.tests.packets.generate import random_frame, random_row
from ansible_collections.virtnet.rss.tests.support.bpf_objects import build_named, builds, shipped_builds
from ansible_collections.virtnet.rss.tests.support.eventually import eventually
from ansible_collections.virtnet.rss.tests.support.real_packets import DEFAULT_QUEUE, LOW

GUARD = Guard(idle_ms=40, deadline_ms=400)
TABLE = tuple(entry % 4 for entry in range(128))
RSS = RssConfig(MICROSOFT_KEY, 0x3F, TABLE)
FRAME = ipv4(tcp(), TCP)
ENTRY = (steer(FRAME, RSS).hash or 0) % len(TABLE)
QUEUE, OTHER = TABLE[ENTRY], (TABLE[ENTRY] + 1) % 4
TICK = 0.02  # seconds, twice the longest


def load(rss: RssConfig = RSS, build: str = "", guard: Guard = GUARD) -> SteeringProgram:
    rodata = encode(Identity("test", DeviceId(1, 1)), Configuration(rss, guard=guard))
    return SteeringProgram(load_libbpf(), rodata, queues=256, elf=build_named(build, LIVE) if build else None)


def maps_of(program: SteeringProgram) -> LiveMaps:
    found = describe(load_libbpf(), program.describe().id)
    assert found and found.program.live
    return found.program.live


def queue_after(program: SteeringProgram, seconds: float = 0) -> int:
    time.sleep(seconds)
    return program.run(FRAME)[0]


def move(program: SteeringProgram, queue: int) -> None:
    assert move_entries(load_libbpf(), maps_of(program), {ENTRY: queue})


@pytest.mark.parametrize("build", builds())
@pytest.mark.parametrize("name", CONFIGURATIONS)
def test_random_frames_agree_with_the_reference(build: str, name: str) -> None:
    source = random.Random(name)
    rss = configuration(name, source.randbytes(40), tuple(queue % 256 for queue in LOW), DEFAULT_QUEUE)
    with load(rss, build) as program:
        for number in range(200):
            frame = random_frame(source) if number % 3 else random_row(source)
            assert program.run(frame)[0] == steer(frame, rss).queue, frame.hex()


def test_the_configuration_is_read_back_whatever_has_moved() -> None:
    wanted = Configuration(RSS, guard=GUARD)
    with load() as first, load() as copy:  # libbpf's, and one from its instructions
        for program in (first, copy):
            move(program, OTHER)
            assert queue_after(program) == QUEUE and queue_after(program, 0.1) == OTHER
            found = describe(load_libbpf(), program.describe().id)
            assert found and found.program.owner == OURS
            assert found.program.configuration == wanted


@pytest.mark.parametrize("build", shipped_builds())
def test_it_passes_the_proof_and_counts_nothing_of_it(build: str) -> None:
    with load(build=build) as program:
        Prover().prove(load_libbpf(), program, Configuration(RSS, guard=GUARD))
        packets, nothing = read_entry_packets(load_libbpf(), maps_of(program)), 0
        assert packets == nothing
        for _time in range(3):
            program.run(FRAME)
        now = read_entry_packets(load_libbpf(), maps_of(program))
        assert now is not None and packets is not None
        assert since(now, packets) == tuple(3 if entry == ENTRY else 0 for entry in range(512))


@pytest.mark.parametrize("build", shipped_builds())
def test_a_silent_entry_moves_with_its_next_packet(build: str) -> None:
    with load(build=build) as program:
        move(program, OTHER)
        assert queue_after(program) == QUEUE  # nothing is known of its silence before
        assert queue_after(program, GUARD.idle_ms / 1000 + TICK) == OTHER
        placed = read_placements(load_libbpf(), maps_of(program))
        assert placed and (placed.wanted[ENTRY], placed.current[ENTRY]) == (OTHER, OTHER)
        others = [entry for entry in range(len(TABLE)) if entry != ENTRY]
        assert [placed.current[entry] for entry in others] == [TABLE[entry] for entry in others]


@pytest.mark.parametrize("build", shipped_builds())
def test_a_busy_entry_stays_until_its_deadline(build: str) -> None:
    with load(build=build) as program:
        move(program, OTHER)
        begin = time.monotonic()
        while queue_after(program, 0.002) == QUEUE:
            assert time.monotonic() - begin < 2 * GUARD.deadline_ms / 1000
        assert GUARD.deadline_ms / 1000 - TICK < time.monotonic() - begin < GUARD.deadline_ms / 1000 + 3 * TICK


def test_a_move_that_was_called_off_leaves_nothing() -> None:
    """Else the time of its last packet would pass for a silence when the entry is moved again."""
    with load() as program:
        move(program, OTHER)
        assert queue_after(program) == QUEUE
        move(program, QUEUE)
        assert queue_after(program, 0.1) == QUEUE
        move(program, OTHER)
        assert queue_after(program) == QUEUE
        assert queue_after(program, 0.1) == OTHER


def test_a_second_wish_takes_the_place_of_the_first() -> None:
    with load() as program:
        move(program, OTHER)
        assert queue_after(program) == QUEUE
        move(program, (OTHER + 1) % 4)
        assert queue_after(program, 0.1) == (OTHER + 1) % 4


def test_a_program_that_has_gone() -> None:
    with load() as program:
        maps = maps_of(program)
    eventually(lambda: not move_entries(load_libbpf(), maps, {0: 1}))  # the kernel frees it some milliseconds later
    assert read_placements(load_libbpf(), maps) is None and read_entry_packets(load_libbpf(), maps) is None
