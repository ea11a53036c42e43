# SPDX-License-Identifier: GPL-3.0-or-later
"""The world changes between two steps: the look, the plan, the proof, the swap. Afterwards a device is steered by the
old or the new configuration or by automatic selection, a reason is told, and nothing is left behind (see conftest)."""

from __future__ import annotations

import contextlib
import os
import subprocess
import typing as t
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from ansible_collections.virtnet.rss.plugins.module_utils._steering.apply import Applier
from ansible_collections.virtnet.rss.plugins.module_utils._steering.model import Desired, Indirection, Outcome, Step
from ansible_collections.virtnet.rss.plugins.module_utils._steering.observe import Observer
from ansible_collections.virtnet.rss.plugins.module_utils._steering.plan import plan
from ansible_collections.virtnet.rss.plugins.module_utils._tun.links import list_links
from ansible_collections.virtnet.rss.plugins.module_utils._tun.netns import list_namespaces, network_namespace
from ansible_collections.virtnet.rss.tests.robustness.matrix import WORKS, Work, begin, ending, look
from ansible_collections.virtnet.rss.tests.support import run_module
from ansible_collections.virtnet.rss.tests.support.held_tap import HeldTap

KEY = bytes(range(40))
WRITERS = 20
MEMORY_STEPS = 24
FUTURE = Desired(hash_key=KEY, indirection=Indirection(equal=4), allow_future_queues=True)


def planned(name: str = "tap0") -> Step:
    with Observer() as observer:
        device = next(device for device in observer.devices() if device.name == name)
    return plan(Desired(hash_key=KEY), device, new_key=bytes)


def apply(step: Step) -> Outcome:
    return Applier(check=False).apply(step)


def devices() -> list[str]:
    return [link.name for link in list_links() if link.is_tun]


def assert_told(outcome: Outcome) -> None:
    assert outcome.action == "fallback" and not outcome.changed
    assert outcome.fallback and outcome.fallback.stage == "attach" and outcome.fallback.reason


def test_the_holder_dies_between_look_and_swap() -> None:
    with HeldTap("tap0", 4):
        step = planned()
    assert_told(apply(step))
    assert devices() == []


def test_another_device_takes_the_name_between_look_and_swap() -> None:
    """The new one is another guest's, perhaps: it is not what the plan was made for."""
    with HeldTap("tap0", 4):
        step = planned()
    with HeldTap("tap0", 4):
        assert_told(apply(step))
        assert look("tap0").state == "automatic"


def test_the_device_is_renamed_between_look_and_swap(tap: HeldTap) -> None:
    step = planned()
    subprocess.run(["ip", "link", "set", "tap0", "name", "tap7"], check=True)
    assert_told(apply(step))
    assert look("tap7").state == "automatic" and tap.pid


def test_a_device_without_holder_vanishes_between_look_and_swap() -> None:
    """Opening it by its name would make a new device."""
    subprocess.run(["ip", "tuntap", "add", "tap0", "mode", "tap", "multi_queue"], check=True)
    step = plan(FUTURE, look("tap0"), new_key=bytes)
    subprocess.run(["ip", "tuntap", "del", "tap0", "mode", "tap", "multi_queue"], check=True)
    assert_told(apply(step))
    assert devices() == []


def test_the_holder_closes_the_queue_that_was_copied(tap: HeldTap) -> None:
    """Its other queues are the same device."""
    step = planned()
    tap.close_queue(0)
    outcome = apply(step)
    assert (outcome.action, outcome.fallback) == ("attach", None)
    seen = look("tap0")
    assert seen.state == "steered" and seen.queues == 3


def test_the_namespace_vanishes_between_look_and_swap(tmp_path: Path) -> None:
    name = f"rss-race-{os.getpid()}"
    subprocess.run(["ip", "netns", "add", name], check=True)
    with contextlib.ExitStack() as stack:
        stack.callback(subprocess.run, ["ip", "netns", "del", name], check=False, capture_output=True)
        subprocess.run(["ip", "-n", name, "tuntap", "add", "tap0", "mode", "tap", "multi_queue"], check=True)
        with network_namespace(name):
            device = look("tap0")
        subprocess.run(["ip", "netns", "del", name], check=True)
    step = plan(FUTURE, device, new_key=bytes)
    assert_told(apply(step))
    assert name not in [namespace.name for namespace in list_namespaces()] and tmp_path.exists()


def test_twenty_writers_at_once(tap: HeldTap) -> None:
    """Each asks for another configuration: all succeed, one after the other, and the last one's is what steers."""
    keys = [bytes([number] * 40) for number in range(1, WRITERS + 1)]

    def write(key: bytes) -> dict[str, t.Any]:
        return run_module.run_module("tap_steering", {"taps": ["tap0"], "hash_key": key.hex(), "verify": False})

    with ThreadPoolExecutor(WRITERS) as pool:
        results = list(pool.map(write, keys))
    assert [result.get("failed", False) for result in results] == [False] * WRITERS
    assert all(result["changed"] and result["taps"][0]["fallback"] is None for result in results)
    program = look("tap0").program
    assert program and program.configuration and program.configuration.rss.hash_key in keys
    last = [result for result in results if result["taps"][0]["program"]["id"] == program.id]
    assert len(last) == 1 and tap.pid


def twenty_equal(tap: HeldTap) -> list[bool]:
    def write(_number: int) -> bool:
        options = {"taps": [tap.name], "hash_key": KEY.hex(), "verify": False}
        return bool(run_module.run_module("tap_steering", options)["changed"])

    with ThreadPoolExecutor(WRITERS) as pool:
        return list(pool.map(write, range(WRITERS)))


def test_twenty_writers_that_want_the_same(tap: HeldTap) -> None:
    """The first one attaches; the others look again once it is their turn, and find nothing to do."""
    assert sorted(twenty_equal(tap)) == [False] * (WRITERS - 1) + [True]


class MemoryGroup:
    """A control group with so little memory; version 1 or 2."""

    def __init__(self) -> None:
        roots = (Path("/sys/fs/cgroup/memory"), Path("/sys/fs/cgroup"))
        root = next(path for path in roots if (path / "cgroup.procs").exists())
        self._folder = root / f"rss-test-{os.getpid()}"
        self._folder.mkdir()
        # A command that joins the group and becomes what follows it.
        self.wrapper = "sh", "-c", f'echo $$ > {self._folder}/cgroup.procs; exec "$@"', "sh"

    def limit(self, size: int) -> None:
        """In bytes; what is swapped counts too."""
        for name, value in (
            ("memory.limit_in_bytes", size),
            ("memory.memsw.limit_in_bytes", size),
            ("memory.max", size),
            ("memory.swap.max", 0),
        ):
            if (self._folder / name).exists():
                (self._folder / name).write_text(str(value), encoding="ascii")

    def peak(self) -> int:
        """In bytes, since the group was made."""
        names = ("memory.max_usage_in_bytes", "memory.peak")
        path = next(self._folder / name for name in names if (self._folder / name).exists())
        return int(path.read_text(encoding="ascii"))

    def __enter__(self) -> MemoryGroup:
        return self

    def __exit__(self, *_exception: object) -> None:
        self._folder.rmdir()


def survives(work: Work, wrapper: t.Sequence[str]) -> bool:
    """Whether the module could give a result."""
    try:
        run_module.run_module("tap_steering", {"taps": ["tap0"], **work.options}, wrapper=wrapper)
    except AssertionError:  # it was killed
        return False
    return True


@pytest.mark.parametrize("work", WORKS, ids=lambda work: work.name)
def test_too_little_memory(tap: HeldTap, work: Work) -> None:
    """Less and less, down to a tenth less than a run needs: the kernel refuses it, or ends the process, anywhere."""
    begin(tap, work)
    with MemoryGroup() as group:
        assert survives(work, group.wrapper)
        peak, survivors = group.peak(), []
        for part in range(MEMORY_STEPS):
            begin(tap, work)
            group.limit(peak - peak * part // (10 * MEMORY_STEPS))
            survivors.append(survives(work, group.wrapper))
            assert ending(look("tap0"), work) in ("old", "new")
    assert not all(survivors), "it was never too little"
