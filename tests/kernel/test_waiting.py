# SPDX-License-Identifier: GPL-3.0-or-later
"""What makes whoever touches it wait (K4): a file of a stranger's that was swapped for a queue, his memory, his folder
in /proc; and the child that waits in our place."""

from __future__ import annotations

import contextlib
import errno
import os
import resource
import signal
import subprocess
import sys
import time
import typing as t
from pathlib import Path

import pytest

from ansible_collections.virtnet.rss.plugins.module_utils._errors import CapabilityError, DeviceError
from ansible_collections.virtnet.rss.plugins.module_utils._look.card import Chosen
from ansible_collections.virtnet.rss.plugins.module_utils._look.look import look
from ansible_collections.virtnet.rss.plugins.module_utils._look.processes import Processes
from ansible_collections.virtnet.rss.plugins.module_utils._policy.rules import Match, Policy, Rule
from ansible_collections.virtnet.rss.plugins.module_utils._service.reconcile import reconcile
from ansible_collections.virtnet.rss.plugins.module_utils._steering import observe
from ansible_collections.virtnet.rss.plugins.module_utils._steering.model import (
    Desired,
)
from ansible_collections.virtnet.rss.plugins.module_utils._steering.observe import Observer
from ansible_collections.virtnet.rss.plugins.module_utils._steering.run import run
from ansible_collections.virtnet.rss.plugins.module_utils._tun import apart, holders
from ansible_collections.virtnet.rss.plugins.module_utils._tun.apart import Apart
from ansible_collections.virtnet.rss.plugins.module_utils._tun.descriptor import Target, control
from ansible_collections.virtnet.rss.plugins.module_utils._tun.lock import exclusive
from ansible_collections.virtnet.rss.plugins.module_utils._tun.netns import (
    Namespace,
    current_namespace,
    list_namespaces,
)
from ansible_collections.virtnet.rss.tests.support.by_name import by_name
from ansible_collections.virtnet.rss.tests.support.held_tap import HeldTap
from ansible_collections.virtnet.rss.tests.support.run_module import run_module
from ansible_collections.virtnet.rss.tests.support.trap import Trap

KEY = bytes(range(40))
PROCESSOR = min(os.sched_getaffinity(0))


@pytest.fixture
def trap(tmp_path: t.Any) -> t.Iterator[Trap]:
    if not os.path.exists("/dev/fuse"):
        pytest.skip("this kernel has no FUSE")
    (tmp_path / "mount").mkdir()
    with Trap(str(tmp_path / "mount")) as made:
        yield made


def children() -> set[int]:
    """Of this process, those that have ended and were not waited for among them."""
    return set(map(int, Path("/proc/thread-self/children").read_text(encoding="ascii").split()))


def test_a_holder_whose_memory_is_locked(tap: HeldTap, trap: Trap) -> None:
    """Whoever reads its arguments, as ps does, waits for it. Many of them cost little more than one."""
    pids = [trap.locked_stranger(f"trap{number}") for number in range(5)]
    begin = time.monotonic()
    found = {each.device.name: each for each in look(["*"], [current_namespace()]).sightings}
    assert time.monotonic() - begin < 2
    for number, pid in enumerate(pids):
        sighting = found[f"trap{number}"]
        assert {holder.pid for holder in sighting.device.holders} == {pid}
        assert "arguments cannot be read: to look at its holder took more" in sighting.implementation.reason
    assert "cannot be read" not in found["tap0"].implementation.reason
    result = run_module("tap_steering", {"taps": ["tap0", "trap0"], "hash_key": KEY.hex()})
    assert [each["state"] for each in result["taps"]] == ["steered", "steered"] and tap.pid
    # Any of them may be the guest that is meant, or the one whose key is made of its identity.
    info = look(["*"], [current_namespace()], chosen=Chosen(domain="web-1"))
    assert len(info.unread) == 5 and set(info.unread) <= set(info.warnings)
    refused = run_module("tap_steering", {"domain": "web-1"})
    assert refused["failed"] and "trap0: whose guest this is cannot be told" in refused["msg"]
    result = run_module("tap_steering", {"taps": ["tap*", "trap*"], "hash_seed": "a seed of some length, for all"})
    assert {each["name"]: each["action"] for each in result["taps"]} == {
        "tap0": "replace",
        **{f"trap{number}": "wait" for number in range(5)},
    }


def test_a_holder_whose_folder_in_proc_is_locked(tap: HeldTap, trap: Trap) -> None:
    """Whoever looks into it waits, and no signal ends that."""
    pid = trap.listed_stranger("trap0")
    begin = time.monotonic()
    assert list_namespaces()[0] == current_namespace()
    found = {each.device.name: each for each in look(["*"], list_namespaces()).sightings}
    assert time.monotonic() - begin < 3
    assert {holder.pid for holder in found["trap0"].device.holders} == {pid}
    assert "arguments cannot be read" in found["trap0"].implementation.reason
    assert "cannot be read" not in found["tap0"].implementation.reason and tap.pid
    match = Match(device="tap*", holder="python*")
    policy = Policy((Rule("all", match, Desired(hash_key=KEY)),))
    with Observer() as observer:
        results = {each.device.name: each for each in reconcile(observer, policy)}
    assert results["tap0"].action == "attach" and time.monotonic() - begin < 5


def test_nobody_is_left_behind(trap: Trap, monkeypatch: pytest.MonkeyPatch) -> None:
    """A child is waited for also when another one takes its place, before the first one was asked."""
    pid, before = trap.locked_stranger("trap0"), children()
    with contextlib.closing(Processes()) as processes:
        for _time in range(3):
            assert processes.arguments(os.getpid())
            assert processes.program(os.getpid()) == os.path.basename(os.readlink("/proc/self/exe"))
            assert processes.open_files(os.getpid()) and not processes.open_files(4194304)
            with pytest.raises(DeviceError, match="makes it wait"):
                processes.arguments(pid)
        alive = trap._server.pid
        monkeypatch.setitem(apart._stuck, alive, frozenset({pid}))  # as if it had copied of that one
        for _time in range(3):
            assert processes.arguments(os.getpid())
            with pytest.raises(DeviceError, match="waits for its holder already"):
                processes.arguments(pid)
    assert children() <= before


def test_a_parent_that_ignores_its_children() -> None:
    """Nobody has to wait for them then."""
    former = signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    try:
        for _time in range(3):
            with contextlib.closing(Apart(_work)) as child:
                os.close(child.fetch(b"open"))
    finally:
        signal.signal(signal.SIGCHLD, former)


def test_no_descriptor_is_left_for_the_answer() -> None:
    limits = resource.getrlimit(resource.RLIMIT_NOFILE)
    with contextlib.closing(Apart(_work)) as child:
        os.close(child.fetch(b"open"))
        highest = max(map(int, os.listdir("/proc/self/fd")))
        taken = [os.dup(0) for _number in range(highest)]
        try:
            resource.setrlimit(resource.RLIMIT_NOFILE, (max(taken) + 1, limits[1]))
            with pytest.raises(DeviceError, match="may open no more files") as refusal:
                child.fetch(b"open")
            assert refusal.value.errno == errno.EMFILE
        finally:
            resource.setrlimit(resource.RLIMIT_NOFILE, limits)
            for descriptor in taken:
                os.close(descriptor)
        os.close(child.fetch(b"open"))


def test_a_namespace_that_ends_during_a_look_is_nobody_s_news() -> None:
    gone = Namespace(4, "/proc/4194304/ns/net")
    assert look(["*"], [current_namespace(), gone]).warnings == ()
    named = Namespace(4, "/run/netns/gone", "gone")
    assert "has gone" in look(["*"], [current_namespace(), named]).warnings[0]


def test_a_copy_that_cannot_be_closed(tap: HeldTap, trap: Trap) -> None:
    """Its descriptor was a queue when it was looked at, and is a file of the stranger's now."""
    device = by_name()["tap0"]
    pid, number = trap.opened_by_stranger()
    target = Target("tap0", device.id, (holders.Holder(pid, "vmm", number),), held=True)
    begin = time.monotonic()
    with pytest.raises(DeviceError) as refusal, control(target):
        pass
    assert time.monotonic() - begin < 2 * apart.LIMIT
    assert refusal.value.errno == errno.ETIMEDOUT and "makes it wait" in str(refusal.value)
    # It is left behind, the others are not kept waiting, and the lock is free
    assert run(["tap0"], Desired(hash_key=KEY)).outcomes[0].action == "attach" and tap.pid


def test_a_holder_that_makes_us_wait_is_asked_once(tap: HeldTap, trap: Trap) -> None:
    """Until it lets go: else it would take all the helpers that there may be, one after the other."""
    device = by_name()["tap0"]
    pid, number = trap.opened_by_stranger()
    target = Target("tap0", device.id, (holders.Holder(pid, "vmm", number),), held=True)
    with pytest.raises(DeviceError, match="makes it wait"), control(target):
        pass
    stuck, begin = len(apart._stuck), time.monotonic()
    for _time in range(20):
        with pytest.raises(DeviceError, match="waits for its holder already"), control(target):
            pass
    assert stuck == len(apart._stuck) >= 1 and time.monotonic() - begin < apart.LIMIT and tap.pid


def test_a_process_that_has_such_a_file_open(tap: HeldTap, trap: Trap, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where nothing but /proc tells who holds a device; a stat() would wait for the server."""

    def refuse(_libbpf: object) -> t.NoReturn:
        raise CapabilityError("no BTF")

    monkeypatch.setattr(observe, "Inspector", refuse)
    trap.opened_by_stranger()
    begin = time.monotonic()
    found = by_name()["tap0"]
    assert {holder.pid for holder in found.holders} == {tap.pid} and len(found.holders) == 4
    assert time.monotonic() - begin < 1


def test_a_child_that_takes_too_long_is_ended() -> None:
    """The next request has another child."""
    before = len(os.listdir("/proc/self/fd"))
    with contextlib.closing(Apart(_work, limit=0.05)) as child:
        for _time in range(3):
            with pytest.raises(DeviceError) as refusal:
                child.fetch(b"sleep")
            assert refusal.value.errno == errno.ETIMEDOUT
        os.close(child.fetch(b"open"))
    assert len(os.listdir("/proc/self/fd")) == before  # these can be killed


def test_a_child_that_may_not_run_makes_nobody_wait() -> None:
    """On a busy host it comes to run late: that is not its holder's fault, and the guest shall be steered."""
    with busy_processor(seconds=1), contextlib.closing(Apart(_work, limit=0.1)) as child:
        begin = time.monotonic()
        os.close(child.fetch(b"run late"))
        assert time.monotonic() - begin > 0.5


def test_a_host_that_is_far_too_busy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(apart, "BUSY", 0.3)
    with contextlib.closing(Apart(_work, limit=0.1)) as child:
        with busy_processor(seconds=60), pytest.raises(DeviceError, match="this host is so busy") as refusal:
            child.fetch(b"run late")
        assert refusal.value.errno == errno.EAGAIN
        os.close(child.fetch(b"open"))


def test_a_child_that_works_for_a_stranger_is_ended() -> None:
    """As one does that gives much memory back in the kernel, in the place of a queue."""
    with contextlib.closing(Apart(_work, limit=0.1)) as child:
        begin = time.monotonic()
        with pytest.raises(DeviceError, match="makes it wait") as refusal:
            child.fetch(b"work")
        assert refusal.value.errno == errno.ETIMEDOUT and time.monotonic() - begin < 5
        os.close(child.fetch(b"open"))


def test_a_child_that_has_died() -> None:
    with contextlib.closing(Apart(_work)) as child:
        first = child.fetch(b"open")
        with pytest.raises(DeviceError, match="has died"):
            child.fetch(b"die")
        os.close(child.fetch(b"open"))
    os.close(first)


def test_one_child_answers_many_and_keeps_nothing() -> None:
    with contextlib.closing(Apart(_work)) as child:
        for _time in range(50):
            os.close(child.fetch(b"open"))
        with pytest.raises(DeviceError, match="only its channel"):
            child.fetch(b"tell")


def test_the_lock_is_not_in_the_child(tmp_path: t.Any) -> None:
    """It would be held for as long as the child lives."""
    path = str(tmp_path / "lock")
    with exclusive(path=path), contextlib.closing(Apart(_work)) as child:
        os.close(child.fetch(b"open"))
        with pytest.raises(DeviceError, match="only its channel"):
            child.fetch(b"tell")


@contextlib.contextmanager
def busy_processor(*, seconds: float) -> t.Iterator[None]:
    """One on which nothing runs that gives way."""
    code = (
        f"import os, time; os.sched_setaffinity(0, {{{PROCESSOR}}}); print('busy', flush=True)\n"
        f"end = time.monotonic() + {seconds}\nwhile time.monotonic() < end: pass"
    )
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE) as hog:
        try:
            assert hog.stdout and hog.stdout.readline()
            yield
        finally:
            hog.kill()


def _work(request: bytes) -> int:
    """In the child."""
    if request == b"sleep":
        time.sleep(60)
    if request == b"work":
        _compute(20)
    if request == b"run late":
        os.sched_setaffinity(0, {PROCESSOR})
        os.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0))
        _compute(0.02)
    if request == b"die":
        os._exit(1)
    if request == b"tell":
        open_now = [name for name in os.listdir("/proc/self/fd") if os.path.exists(f"/proc/self/fd/{name}")]
        raise DeviceError("only its channel" if len(open_now) == 1 else f"{open_now}")
    return os.open(os.devnull, os.O_RDONLY)


def _compute(seconds: float) -> None:
    end = time.process_time() + seconds
    while time.process_time() < end:
        pass
