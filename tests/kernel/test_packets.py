# SPDX-License-Identifier: GPL-3.0-or-later
"""The packet table on this kernel: in BPF_PROG_TEST_RUN, and as real packets through a real four-queue TAP device."""

from __future__ import annotations

import itertools
import operator
import os
import random
import subprocess
import typing as t

import pytest

from ansible_collections.virtnet.rss.plugins.module_utils._bpf.bpf_object import BpfObject
from ansible_collections.virtnet.rss.plugins.module_utils._bpf.libbpf import load_libbpf
from ansible_collections.virtnet.rss.plugins.module_utils._bpf.steering_program import SteeringProgram
from ansible_collections.virtnet.rss.plugins.module_utils._program.model import Configuration
from ansible_collections.virtnet.rss.plugins.module_utils._program.rodata import Identity, encode
from ansible_collections.virtnet.rss.plugins.module_utils._rss.config import RssConfig, hash_types_to_mask
from ansible_collections.virtnet.rss.plugins.module_utils._rss.hashing import steer
from ansible_collections.virtnet.rss.plugins.module_utils._tun import ioctls
from ansible_collections.virtnet.rss.plugins.module_utils._tun.device_id import DeviceId
from ansible_collections.virtnet.rss.tests.packets.generate import random_frames
from ansible_collections.virtnet.rss.tests.packets.table import ALL, DEFAULT, EX, ROWS, VECTORS, Row
from ansible_collections.virtnet.rss.tests.support.bpf_objects import (
    build_named,
    builds,
    linear_witness,
    shipped_builds,
)
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

MICROSOFT_KEY = bytes.fromhex(VECTORS["key"])
IDENTITY = Identity("test", DeviceId(1, 1))


def load(rss: RssConfig, elf: bytes, *, statistics: bool = False, l3_offset: int = 14) -> SteeringProgram:
    configuration = Configuration(rss, statistics, l3_offset)
    return SteeringProgram(load_libbpf(), encode(IDENTITY, configuration), queues=256, elf=elf)


def by_types() -> list[tuple[tuple[str, ...], list[Row]]]:
    """The table's rows by the hash types that are enabled for them."""
    types_of = operator.attrgetter("enabled")
    return [(types, list(rows)) for types, rows in itertools.groupby(sorted(ROWS, key=types_of), types_of)]


@pytest.mark.parametrize("build", builds())
@pytest.mark.parametrize("table", [LOW, HIGH], ids=["low bits", "high bits"])
@pytest.mark.parametrize("statistics", [False, True], ids=["plain", "statistics"])
def test_table_in_test_run(build: str, table: tuple[int, ...], statistics: bool) -> None:
    wrong = []
    for types, rows in by_types():
        rss = RssConfig(MICROSOFT_KEY, hash_types_to_mask(types), table, DEFAULT_QUEUE)
        with load(rss, build_named(build), statistics=statistics) as program:
            wrong += [row.name for row in rows if program.run(row.frame)[0] != expected_queue(row, rss)]
    assert wrong == []


@pytest.mark.parametrize("build", builds())
@pytest.mark.parametrize("vector", VECTORS["vectors"], ids=lambda vector: vector["src"])
def test_microsofts_vectors(build: str, vector: dict[str, t.Any]) -> None:
    """The published hashes, not the reference's: the lower nine bits, in two tables."""
    name = next(row for row in ROWS if row.name == f"vector-{VECTORS['vectors'].index(vector)}-tcp")
    for types, key in ((DEFAULT, "ports"), (("ipv4", "ipv6"), "addresses")):
        for table in (LOW, HIGH):
            rss = RssConfig(MICROSOFT_KEY, hash_types_to_mask(types), table)
            with load(rss, build_named(build)) as program:
                assert program.run(name.frame)[0] == table[int(vector[key], 16) % 512]


@pytest.mark.parametrize("build", builds())
def test_layer_3_devices_have_no_ethernet_header(build: str) -> None:
    rss = RssConfig(MICROSOFT_KEY, hash_types_to_mask(ALL), LOW, DEFAULT_QUEUE)
    rows = [row for row in ROWS if row.enabled in (ALL, DEFAULT) and row.frame[12:14] in (b"\x08\x00", b"\x86\xdd")]
    packets = [row.frame[14:] for row in rows if len(row.frame) > 14]
    assert len(packets) > 50
    with load(rss, build_named(build), l3_offset=0) as program:
        for packet in packets:
            assert program.run(packet)[0] == steer(packet, rss, l3_offset=0).queue


@pytest.mark.parametrize("build", builds())
@pytest.mark.parametrize("types", [DEFAULT, ALL, EX, ("ipv4", "ipv6"), ("udpv4", "tcpv6_ex")], ids="+".join)
def test_random_frames_agree_with_the_reference(build: str, types: tuple[str, ...]) -> None:
    rss = RssConfig(bytes(random.Random(5).randrange(256) for _index in range(40)), hash_types_to_mask(types), LOW, 255)
    with load(rss, build_named(build)) as program:
        for frame in random_frames(seed=11, count=700):
            assert program.run(frame)[0] == steer(frame, rss).queue, frame.hex()


@pytest.mark.parametrize("build", shipped_builds())
@pytest.mark.parametrize("size", [1, 2, 4, 64, 128, 512])
def test_table_sizes_and_no_redirect(build: str, size: int) -> None:
    table = tuple((entry * 7) % 200 for entry in range(size))
    for redirect in (True, False):
        rss = RssConfig(MICROSOFT_KEY, hash_types_to_mask(DEFAULT), table, 201, redirect)
        with load(rss, build_named(build)) as program:
            for frame in random_frames(seed=2, count=200):
                assert program.run(frame)[0] == steer(frame, rss).queue


def four_queues(key: bytes, types: tuple[str, ...]) -> RssConfig:
    return RssConfig(key, hash_types_to_mask(types), tuple(entry % 4 for entry in range(128)), default_queue=3)


@pytest.mark.parametrize("build", builds())
def test_table_as_real_packets(tap: HeldTap, build: str) -> None:
    """Two bits of each hash arrive as a queue; eight keys make sixteen."""
    descriptor, source, packets = control(tap), random.Random(4), 0
    for types, rows in by_types():
        for _key in range(8):
            rss = four_queues(bytes(source.randrange(256) for _index in range(40)), types)
            with load(rss, build_named(build)) as program:
                ioctls.set_steering_program(descriptor, program.descriptor)
            arrived = sorted(tap.send([row.frame for row in rows]))
            assert arrived == sorted((expected_queue(row, rss), row.frame) for row in rows)
            packets += len(arrived)
    os.close(descriptor)
    assert packets == 8 * len(ROWS)


def padded_rows(types: tuple[str, ...]) -> list[Row]:
    """Rows that stay what they are when bytes are added at their end."""
    rows, rss = [row for row in ROWS if row.enabled == types], four_queues(MICROSOFT_KEY, types)
    found = [(row, steer(row.frame + bytes(PADDING), rss)) for row in rows]
    return [row for row, steered in found if (steered.hash_type, steered.data) == (row.hash_type, row.data)]


@pytest.mark.parametrize("build", shipped_builds())
def test_headers_in_page_fragments(tap: HeldTap, build: str) -> None:
    subprocess.run(["ip", "link", "set", tap.name, "mtu", "9000"], check=True)
    descriptor, sender = control(tap), NonLinearSender(tap.name)
    # First that these packets are what they claim to be: a program that sees only the linear part tells.
    elf = linear_witness()
    with BpfObject(load_libbpf(), elf) as witness:
        witness.load()
        ioctls.set_steering_program(descriptor, witness.program_fd("linear"))
    rows = padded_rows(DEFAULT)
    sender.send(rows[0].frame + bytes(PADDING))
    tap.sender.send(rows[0].frame)
    assert sorted(queue for queue, _frame in wait_for(tap, 2)) == [1, 2]
    for types in (DEFAULT, ALL):
        rss, rows = four_queues(MICROSOFT_KEY, types), padded_rows(types)
        assert len(rows) > 30
        with load(rss, build_named(build)) as program:
            ioctls.set_steering_program(descriptor, program.descriptor)
        for row in rows:
            sender.send(row.frame + bytes(PADDING))
        arrived = sorted((queue, frame[:-PADDING]) for queue, frame in wait_for(tap, len(rows)))
        assert arrived == sorted((expected_queue(row, rss), row.frame) for row in rows)
    os.close(descriptor)
    sender.socket.close()
