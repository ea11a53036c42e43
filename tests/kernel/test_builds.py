# SPDX-License-Identifier: GPL-3.0-or-later
"""The two builds of the steering program: which one a process takes, and how it loads it again for the next device."""

from __future__ import annotations

import json
import os
import subprocess
import typing as t

import pytest

from ansible_collections.virtnet.rss.plugins.module_utils._bpf import inventory, steering_program
from ansible_collections.virtnet.rss.plugins.module_utils._bpf.libbpf import load_libbpf
from ansible_collections.virtnet.rss.plugins.module_utils._bpf.steering_builds import (
    DIRECT,
    HELPER,
    PLAIN,
    SteeringObject,
)
from ansible_collections.virtnet.rss.plugins.module_utils._bpf.steering_program import SteeringProgram
from ansible_collections.virtnet.rss.plugins.module_utils._errors import ObjectError
from ansible_collections.virtnet.rss.plugins.module_utils._probe.kernel import parse_release, running_kernel
from ansible_collections.virtnet.rss.plugins.module_utils._program.model import Configuration
from ansible_collections.virtnet.rss.plugins.module_utils._program.programs import OURS, describe
from ansible_collections.virtnet.rss.plugins.module_utils._program.rodata import Identity, encode
from ansible_collections.virtnet.rss.plugins.module_utils._rss.config import RssConfig
from ansible_collections.virtnet.rss.plugins.module_utils._steering.apply import Applier
from ansible_collections.virtnet.rss.plugins.module_utils._steering.model import Desired
from ansible_collections.virtnet.rss.plugins.module_utils._steering.observe import Observer
from ansible_collections.virtnet.rss.plugins.module_utils._steering.plan import plan
from ansible_collections.virtnet.rss.plugins.module_utils._tun.device_id import DeviceId
from ansible_collections.virtnet.rss.tests.packets.builder import TCP, ipv4, tcp
from ansible_collections.virtnet.rss.tests.support.bpf_objects import build_named, builds, formal_program
from ansible_collections.virtnet.rss.tests.support.held_tap import HeldTap

RSS = RssConfig(bytes(range(40)), 0x3F, tuple(entry % 4 for entry in range(128)))
FRAME = ipv4(tcp(), TCP)


def load(device: str, queues: int = 4) -> SteeringProgram:
    return SteeringProgram(load_libbpf(), encode(Identity(device, DeviceId(1, 7)), Configuration(RSS)), queues=queues)


@pytest.fixture
def fresh(monkeypatch: pytest.MonkeyPatch) -> None:
    """A process that has loaded nothing yet."""
    for memory in ("_templates", "_tags", "_refusals"):
        monkeypatch.setattr(steering_program, memory, {})


def wanted_here() -> str:
    """Direct reads need Linux 6.2."""
    return DIRECT if parse_release(running_kernel().release) >= (6, 2) else HELPER


@pytest.mark.usefixtures("fresh")
def test_the_next_device_gets_the_same_program() -> None:
    """The first is libbpf's, the second is made of the first one's instructions."""
    with load("tap0") as first, load("tap1", queues=9) as second:
        assert (first.describe().tag, first.reads) == (second.describe().tag, second.reads)
        assert first.describe().id != second.describe().id
        for frame in (FRAME, FRAME[:20], bytes(14)):
            assert first.run(frame)[0] == second.run(frame)[0]
        for program, device in ((first, "tap0"), (second, "tap1")):
            found = describe(load_libbpf(), program.describe().id)
            assert found and found.identity
            assert (found.program.owner, found.program.reads, found.identity.name) == (OURS, program.reads, device)
            assert found.program.configuration == Configuration(RSS)
        counters = describe(load_libbpf(), second.describe().id)
        assert counters and counters.program.counters_map
        descriptor = inventory.open_map(load_libbpf(), counters.program.counters_map)
        assert descriptor is not None
        assert inventory.map_info(load_libbpf(), descriptor).max_entries == 9
        os.close(descriptor)


@pytest.mark.usefixtures("fresh")
def test_bpftool_tells_whose_each_program_is() -> None:
    with load("tap0") as first, load("tap1") as second:
        for program, device in ((first, "tap0"), (second, "tap1")):
            command = ["bpftool", "-j", "prog", "show", "id", str(program.describe().id)]
            shown = json.loads(subprocess.run(command, check=True, capture_output=True).stdout)
            assert shown["metadata"] == {"owner": "virtnet.rss", "device": device}


@pytest.mark.usefixtures("fresh")
def test_a_kernel_that_reads_directly_gets_the_direct_build() -> None:
    with load("tap0") as program:
        assert (program.reads, bool(program.refusal)) == (wanted_here(), wanted_here() == HELPER)


def with_direct_build(monkeypatch: pytest.MonkeyPatch, elf: bytes) -> None:
    original = SteeringObject.elf
    monkeypatch.setattr(SteeringObject, "elf", lambda self, reads: elf if reads == DIRECT else original(self, reads))


@pytest.mark.usefixtures("fresh")
def test_whatever_keeps_the_direct_build_off_the_helper_build_is_loaded(monkeypatch: pytest.MonkeyPatch) -> None:
    with_direct_build(monkeypatch, b"no object")
    for device in ("tap0", "tap1"):
        with load(device) as program:
            assert program.reads == HELPER and "libbpf cannot open" in program.refusal
            assert program.describe().tag in PLAIN.tags


@pytest.mark.usefixtures("fresh")
def test_a_shortage_is_no_refusal(monkeypatch: pytest.MonkeyPatch) -> None:
    """When both fail it is not for the reading: the next device tries again."""
    with monkeypatch.context() as patch:
        patch.setattr(SteeringObject, "elf", lambda _self, _reads: b"no object")
        with pytest.raises(ObjectError):
            load("tap0")
    with load("tap0") as program:
        assert program.reads == wanted_here()


@pytest.mark.usefixtures("fresh")
def test_a_direct_build_that_fails_the_proof_makes_way(tap: HeldTap, monkeypatch: pytest.MonkeyPatch) -> None:
    with_direct_build(monkeypatch, formal_program("3"))
    with Observer() as observer:
        desired = Desired(fallback="fail", verify=True)
        step = plan(desired, observer.devices()[0], new_key=lambda: bytes(range(40)))
        outcome = Applier(check=False).apply(step)
        assert (outcome.action, outcome.fallback, outcome.verified) == ("attach", None, True)
        found = observer.devices()[0].program
    assert found and found.reads == HELPER
    assert {queue for queue, _frame in tap.send([FRAME])} <= set(range(4))


def test_instructions_that_nobody_shipped_are_not_ours() -> None:
    """Builds for other instruction sets: our name, our configuration, another digest."""
    rodata: t.Final = encode(Identity("tap0", DeviceId(1, 7)), Configuration(RSS))
    for name in builds():
        with SteeringProgram(load_libbpf(), rodata, queues=4, elf=build_named(name)) as program:
            found = describe(load_libbpf(), program.describe().id)
            assert found
            shipped = name.endswith(("shipped", "v3"))  # which is what is shipped
            assert (found.program.owner == OURS) is shipped, name
