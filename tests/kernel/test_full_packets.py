# SPDX-License-Identifier: GPL-3.0-or-later
"""The full program on this kernel: every row of the packet table, pins, random frames, and real packets."""

from __future__ import annotations

import os
import random
import subprocess
import typing as t

import pytest

from ansible_collections.virtnet.rss.plugins.module_utils._bpf.libbpf import load_libbpf
from ansible_collections.virtnet.rss.plugins.module_utils._bpf.steering_builds import FULL
from ansible_collections.virtnet.rss.plugins.module_utils._bpf.steering_program import SteeringProgram
from ansible_collections.virtnet.rss.plugins.module_utils._program.model import Configuration
from ansible_collections.virtnet.rss.plugins.module_utils._program.rodata import Identity, encode
from ansible_collections.virtnet.rss.plugins.module_utils._rss.config import Pin, RssConfig, hash_types_to_mask
from ansible_collections.virtnet.rss.plugins.module_utils._rss.hashing import steer
from ansible_collections.virtnet.rss.plugins.module_utils._rss.keys import MICROSOFT_KEY
from ansible_collections.virtnet.rss.plugins.module_utils._tun import ioctls
from ansible_collections.virtnet.rss.plugins.module_utils._tun.device_id import DeviceId
from ansible_collections.virtnet.rss.tests.packets.configurations import CONFIGURATIONS, configuration
from ansible_collections.virtnet.rss.tests.packets.everything import EVERY_ROW
from ansible_collections.virtnet.rss.tests.packets.generate import random_frame, random_row
from ansible_collections.virtnet.rss.tests.packets.pins import PIN_ROWS
from ansible_collections.virtnet.rss.tests.packets.table import Row
from ansible_collections.virtnet.rss.tests.packets.vectors import HASHES, VECTOR_ROWS
from ansible_collections.virtnet.rss.tests.support.bpf_objects import build_named, builds, shipped_builds
from ansible_collections.virtnet.rss.tests.support.foreign import control
from ansible_collections.virtnet.rss.tests.support.held_tap import HeldTap
from ansible_collections.virtnet.rss.tests.support.real_packets import (
    DEFAULT_QUEUE,
    HIGH,
    LOW,
    PADDING,
    NonLinearSender,
    expected_queue,
    wait_for,
)

# It makes any configuration one of the full program's and takes none of the table's packets.
NO_PACKETS = Pin(0, "tcp4", src_ip="240.0.0.1", dst_ip="240.0.0.2")


def load(rss: RssConfig, build: str, *, statistics: bool = False, l3_offset: int = 14) -> SteeringProgram:
    rodata = encode(Identity("test", DeviceId(1, 1)), Configuration(rss, statistics, l3_offset))
    return SteeringProgram(load_libbpf(), rodata, queues=256, elf=build_named(build, FULL))


def config_of(row: Row, key: bytes, table: tuple[int, ...]) -> RssConfig:
    rss = row.config(key, table, DEFAULT_QUEUE)
    return RssConfig(**{**vars(rss), "pins": (NO_PACKETS,)}) if rss.is_plain else rss


def by_configuration() -> list[list[Row]]:
    found: dict[t.Any, list[Row]] = {}
    for row in EVERY_ROW:
        found.setdefault((row.enabled, row.tunnels, row.symmetric), []).append(row)
    return list(found.values())


@pytest.mark.parametrize("build", builds())
@pytest.mark.parametrize("table", [LOW, HIGH], ids=["low bits", "high bits"])
def test_every_row(build: str, table: tuple[int, ...]) -> None:
    wrong = []
    for rows in by_configuration():
        rss = config_of(rows[0], MICROSOFT_KEY, table)
        with load(rss, build, statistics=table is LOW) as program:
            wrong += [row.name for row in rows if program.run(row.frame)[0] != expected_queue(row, rss)]
    assert wrong == []


@pytest.mark.parametrize("build", shipped_builds())
def test_the_prototypes_hashes(build: str) -> None:
    """Those that came with the cases, not the reference's: nine bits, in two tables."""
    for row in VECTOR_ROWS:
        for table in (LOW, HIGH):
            rss = config_of(row, MICROSOFT_KEY, table)
            with load(rss, build) as program:
                wanted = table[HASHES[row.name] % 512] if row.hash_type else DEFAULT_QUEUE
                assert program.run(row.frame)[0] == wanted, row.name


@pytest.mark.parametrize("build", builds())
def test_pins(build: str) -> None:
    """A tag beside the packet (tci) cannot be given to BPF_PROG_TEST_RUN; real packets have it below."""
    wrong = []
    for row in PIN_ROWS:
        if row.tci is None:
            rss = row.config(MICROSOFT_KEY, LOW, DEFAULT_QUEUE)
            with load(rss, build) as program:
                if program.run(row.frame)[0] != steer(row.frame, rss).queue:
                    wrong.append(row.name)
    assert wrong == []


@pytest.mark.parametrize("build", builds())
@pytest.mark.parametrize("name", CONFIGURATIONS)
def test_random_frames_agree_with_the_reference(build: str, name: str) -> None:
    source = random.Random(name)
    rss = configuration(name, source.randbytes(40), LOW, DEFAULT_QUEUE)
    if rss.is_plain:
        rss = RssConfig(**{**vars(rss), "pins": (NO_PACKETS,)})
    with load(rss, build) as program:
        for number in range(300):
            frame = random_frame(source) if number % 3 else random_row(source)
            assert program.run(frame)[0] == steer(frame, rss).queue, frame.hex()


@pytest.mark.parametrize("build", builds())
@pytest.mark.parametrize("name", ["the defaults", "everything"])
def test_layer_3_devices(build: str, name: str) -> None:
    rss = configuration(name, MICROSOFT_KEY, LOW, DEFAULT_QUEUE)
    packets = [row.frame[14:] for row in EVERY_ROW if row.frame[12:14] in (b"\x08\x00", b"\x86\xdd") and row.frame[14:]]
    assert len(packets) > 150
    with load(rss, build, l3_offset=0) as program:
        for packet in packets:
            assert program.run(packet)[0] == steer(packet, rss, l3_offset=0).queue, packet.hex()


@pytest.mark.parametrize("build", builds())
def test_rows_as_real_packets(tap: HeldTap, build: str) -> None:
    descriptor, source, packets = control(tap), random.Random(4), 0
    for rows in by_configuration():
        sent = [row for row in rows if len(row.frame) >= 14]
        rss = config_of(rows[0], source.randbytes(40), tuple(entry % 4 for entry in range(128)))
        rss = RssConfig(**{**vars(rss), "default_queue": 3})
        with load(rss, build) as program:
            ioctls.set_steering_program(descriptor, program.descriptor)
        arrived = sorted(tap.send([row.frame for row in sent]))
        assert arrived == sorted((expected_queue(row, rss), row.frame) for row in sent)
        packets += len(arrived)
    os.close(descriptor)
    assert packets > 300


@pytest.mark.parametrize("build", shipped_builds())
def test_headers_in_page_fragments(tap: HeldTap, build: str) -> None:
    """Only the outer Ethernet header is linear: everything else is read from pages."""
    subprocess.run(["ip", "link", "set", tap.name, "mtu", "9000"], check=True)
    descriptor, sender = control(tap), NonLinearSender(tap.name)
    for name in ("the defaults", "everything, symmetric"):
        rss = configuration(name, MICROSOFT_KEY, tuple(entry % 4 for entry in range(128)), 3)
        rss = RssConfig(**{**vars(rss), "pins": ()})
        frames = [row.frame for row in EVERY_ROW if len(row.frame) > 40]
        with load(rss, build) as program:
            ioctls.set_steering_program(descriptor, program.descriptor)
        for frame in frames:
            sender.send(frame + bytes(PADDING))
        arrived = sorted((queue, frame[:-PADDING]) for queue, frame in wait_for(tap, len(frames)))
        assert arrived == sorted((steer(frame + bytes(PADDING), rss).queue, frame) for frame in frames)
    os.close(descriptor)
    sender.socket.close()


@pytest.mark.parametrize("build", shipped_builds())
@pytest.mark.parametrize("types", [("ipv4", "ipv6"), ("ipv4", "ipv6", "flow_label")], ids="+".join)
def test_both_directions_of_a_flow(build: str, types: tuple[str, ...]) -> None:
    from ansible_collections.virtnet.rss.tests.packets.builder import TCP, ipv4, ipv6, tcp

    source = random.Random(8)
    rss = RssConfig(MICROSOFT_KEY, hash_types_to_mask((*types, "tcpv4", "tcpv6")), LOW, symmetric=True)
    with load(rss, build) as program:
        for number in range(200):
            network, width = ((ipv4, 4), (ipv6, 16))[number % 2]
            here, there = source.randbytes(width), source.randbytes(width)
            if number % 10 > 7:
                there = here
            ports = source.randbytes(4)
            one = network(tcp(ports), TCP, src=here, dst=there)
            other = network(tcp(ports[2:] + ports[:2]), TCP, src=there, dst=here)
            assert program.run(one)[0] == program.run(other)[0]
