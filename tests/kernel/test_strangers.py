# SPDX-License-Identifier: GPL-3.0-or-later
"""What other processes do to a run: a device that is not what it was, that is held by nobody who can be seen, whose
program cannot be told, or whose descriptor is swapped for a file that makes whoever touches it wait."""

from __future__ import annotations

import array
import contextlib
import errno
import os
import resource
import signal
import socket
import struct
import subprocess
import sys
import time
import typing as t
from pathlib import Path

import pytest

from ansible_collections.virtnet.rss.plugins.module_utils._bpf.libbpf import load_libbpf
from ansible_collections.virtnet.rss.plugins.module_utils._bpf.steering_program import SteeringProgram
from ansible_collections.virtnet.rss.plugins.module_utils._errors import CapabilityError, DeviceError
from ansible_collections.virtnet.rss.plugins.module_utils._look.card import Chosen
from ansible_collections.virtnet.rss.plugins.module_utils._look.look import look
from ansible_collections.virtnet.rss.plugins.module_utils._look.processes import Processes
from ansible_collections.virtnet.rss.plugins.module_utils._policy.rules import Match, Policy, Rule
from ansible_collections.virtnet.rss.plugins.module_utils._probe.kernel import parse_release
from ansible_collections.virtnet.rss.plugins.module_utils._program import programs
from ansible_collections.virtnet.rss.plugins.module_utils._program.model import Configuration
from ansible_collections.virtnet.rss.plugins.module_utils._program.rodata import Identity, encode
from ansible_collections.virtnet.rss.plugins.module_utils._rss.config import RssConfig
from ansible_collections.virtnet.rss.plugins.module_utils._service.reconcile import reconcile
from ansible_collections.virtnet.rss.plugins.module_utils._steering import observe
from ansible_collections.virtnet.rss.plugins.module_utils._steering.apply import Applier
from ansible_collections.virtnet.rss.plugins.module_utils._steering.model import (
    Desired,
    Device,
    Indirection,
    Outcome,
    Step,
)
from ansible_collections.virtnet.rss.plugins.module_utils._steering.observe import Observer
from ansible_collections.virtnet.rss.plugins.module_utils._steering.run import run
from ansible_collections.virtnet.rss.plugins.module_utils._tun import apart, descriptor, holders, ioctls
from ansible_collections.virtnet.rss.plugins.module_utils._tun.apart import Apart
from ansible_collections.virtnet.rss.plugins.module_utils._tun.descriptor import Target, control
from ansible_collections.virtnet.rss.plugins.module_utils._tun.device_id import DeviceId
from ansible_collections.virtnet.rss.plugins.module_utils._tun.links import find_link, list_links
from ansible_collections.virtnet.rss.plugins.module_utils._tun.lock import exclusive
from ansible_collections.virtnet.rss.plugins.module_utils._tun.netns import (
    Namespace,
    current_namespace,
    list_namespaces,
)
from ansible_collections.virtnet.rss.tests.support import foreign
from ansible_collections.virtnet.rss.tests.support.held_tap import HeldTap
from ansible_collections.virtnet.rss.tests.support.run_module import run_module
from ansible_collections.virtnet.rss.tests.support.stopped import stopped_at
from ansible_collections.virtnet.rss.tests.support.trap import Trap

KEY = bytes(range(40))
FLAGS = ioctls.IFF_TAP | ioctls.IFF_NO_PI | ioctls.IFF_MULTI_QUEUE
FUTURE = Desired(hash_key=KEY, indirection=Indirection(equal=4), allow_future_queues=True)


def by_name() -> dict[str, Device]:
    with Observer() as observer:
        return {device.name: device for device in observer.devices()}


@pytest.fixture
def foreign_program() -> t.Iterator[int]:
    """The descriptor of one that looks like ours and is not."""
    rodata = bytearray(encode(Identity("tap0", DeviceId(1, 2)), Configuration(RssConfig(KEY, 63, (0,)))))
    rodata[-100] ^= 1
    with SteeringProgram(load_libbpf(), bytes(rodata), queues=4) as program:
        yield program.descriptor


def add_idle(name: str, *words: str) -> None:
    subprocess.run(["ip", "tuntap", "add", name, "mode", "tap", "multi_queue", *words], check=True)


class TestManyDevices:
    """K2, 1; K1, 6: each device of a run is dealt with by itself."""

    def test_a_foreign_program_comes_while_the_first_is_attached(
        self, tap: HeldTap, foreign_program: int, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        apply = Applier.apply

        def attach_elsewhere_first(self: Applier, step: Step) -> Outcome:
            if step.device.name == "tap0":
                foreign.set_program(last, foreign_program)
            return apply(self, step)

        monkeypatch.setattr(Applier, "apply", attach_elsewhere_first)
        with HeldTap("tap1") as last:
            first, second = run(["tap0", "tap1"], Desired(hash_key=KEY)).outcomes
            assert (first.action, first.after.state) == ("attach", "steered") and tap.pid
            assert (second.action, second.after.state, second.changed) == ("keep", "foreign", False)
            assert second.step.device.state == "foreign"  # what it was before, as it was found last

    def test_an_odd_one_costs_itself(self, tap: HeldTap) -> None:
        add_idle("tap1")
        result = run_module("tap_steering", {"taps": ["tap*"], "hash_key": KEY.hex()})
        assert not result.get("failed") and result["changed"]
        assert {each["name"]: each["action"] for each in result["taps"]} == {"tap0": "attach", "tap1": "wait"}
        (warning,) = (each for each in result["warnings"] if "tap1" in each)
        assert "has 0 queues attached" in warning and tap.pid

    def test_a_named_one_fails_the_task_at_its_end(self, tap: HeldTap) -> None:
        add_idle("tap1")
        result = run_module("tap_steering", {"taps": ["tap1", "tap0"], "hash_key": KEY.hex()})
        assert result["failed"] and "has 0 queues attached" in result["msg"] and result["option"] == "indirection"
        assert {each["name"]: each["action"] for each in result["taps"]} == {"tap0": "attach", "tap1": "wait"}
        assert by_name()["tap0"].state == "steered" and tap.pid

    def test_one_that_never_holds_still_is_left(self, tap: HeldTap, monkeypatch: pytest.MonkeyPatch) -> None:
        apply = Applier.apply
        others = []

        def change_first(self: Applier, step: Step) -> Outcome:
            if step.device.name == "tap0":
                others.append(step)
                tap.set_queue(3, enabled=len(others) % 2 == 0)
            return apply(self, step)

        monkeypatch.setattr(Applier, "apply", change_first)
        result = run(["tap0"], Desired(hash_key=KEY))
        (outcome,) = result.outcomes
        assert (outcome.action, outcome.changed, len(others)) == ("wait", False, 5)
        assert "the number of its queues has changed since it was looked at" in outcome.step.reason
        assert [str(each) for each in result.refusals] == [outcome.step.reason]
        assert by_name()["tap0"].state == "automatic"

    @pytest.mark.usefixtures("foreign_program")
    def test_a_look_costs_the_same_for_each_device(self) -> None:
        """K1, 9: beside a foreign program that may steer anything, and a device that cannot be opened."""

        def calls() -> int:
            return stopped_at(lambda: look(["*"], [current_namespace()]), 0, lambda: None).calls

        with HeldTap("single", 1, FLAGS & ~ioctls.IFF_MULTI_QUEUE):
            counted = []
            for number in range(60):
                add_idle(f"tap{number}")
                if number in (19, 39, 59):
                    counted.append(calls())
        assert counted[2] - counted[1] <= counted[1] - counted[0] + 20 <= 20 * 5 + 20, counted


class TestMovedDevices:
    """K2, 5: identity at the time of attaching says nothing of where a program is now."""

    def test_a_steered_idle_device_is_moved(self) -> None:
        name = f"rss-test-{os.getpid()}"
        subprocess.run(["ip", "netns", "add", name], check=True)
        try:
            add_idle("tap0")
            assert run(["tap0"], FUTURE).outcomes[0].after.state == "steered"
            subprocess.run(["ip", "link", "set", "tap0", "netns", name], check=True)
            add_idle("tap1")  # another one may have its old index
            assert by_name()["tap1"].state == "automatic"
            report = run_module("tap_steering", {"taps": ["tap0"], "netns": name, "state": "absent"})["taps"][0]
            assert (report["before"]["state"], report["action"], report["state"]) == ("steered", "detach", "automatic")
        finally:
            subprocess.run(["ip", "netns", "del", name], check=True)

    def test_another_device_has_its_index(self, tap: HeldTap) -> None:
        run(["tap0"], Desired(hash_key=KEY))
        tap.remake(4)
        assert by_name()["tap0"].state == "automatic"
        assert run(["tap0"], Desired(hash_key=KEY)).outcomes[0].action == "attach"


class TestUnknown:
    """K3, 1 and 2."""

    def test_a_program_that_goes_during_the_look_is_looked_at_again(
        self, tap: HeldTap, monkeypatch: pytest.MonkeyPatch, foreign_program: int
    ) -> None:
        describe = programs.describe
        calls = []

        def exchange_first(libbpf: t.Any, number: int) -> t.Any:
            calls.append(number)
            if len(calls) == 1:
                foreign.set_program(tap, foreign_program)
                time.sleep(0.2)  # the kernel frees the old one some milliseconds later
            return describe(libbpf, number)

        run(["tap0"], Desired(hash_key=KEY))
        monkeypatch.setattr(observe, "describe", exchange_first)
        (outcome,) = run(["tap0"], Desired(hash_key=KEY, default_queue=1)).outcomes
        assert (outcome.action, outcome.after.state) == ("keep", "foreign") and len(set(calls)) == 2

    def test_one_that_always_goes_is_left_alone(self, tap: HeldTap, monkeypatch: pytest.MonkeyPatch) -> None:
        run(["tap0"], Desired(hash_key=KEY))
        monkeypatch.setattr(observe, "describe", lambda _libbpf, _number: None)
        (outcome,) = run(["tap0"], Desired(hash_key=KEY, default_queue=1)).outcomes
        assert (outcome.action, outcome.after.state) == ("keep", "unknown") and tap.pid
        assert "went away during the look" in outcome.step.reason


class InFlight:
    """A device whose queues are in a socket: no process has them as descriptors."""

    def __init__(self, name: str, queues: int) -> None:
        self.socket, self._other = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
        mine = [ioctls.open_control() for _queue in range(queues)]
        for queue in mine:
            ioctls.join_device(queue, name, FLAGS)
        rights = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", mine))]
        self._other.sendmsg([b"queues"], rights)
        for queue in mine:
            os.close(queue)

    def __enter__(self) -> InFlight:
        return self

    def __exit__(self, *_exception: object) -> None:
        self.socket.close()
        self._other.close()


class TestHeldBySomebodyUnseen:
    """K3, 3."""

    def test_a_look_joins_nothing(self) -> None:
        with InFlight("tap0", 4), HeldTap("tap1"):
            found = run_module("tap_steering_info", {"taps": ["tap0"]})["taps"][0]
            assert (found["queues"], found["disabled_queues"], found["holders"]) == (4, 0, [])
            assert found["state"] == "automatic"

    def test_a_change_joins_detached_and_says_so(self) -> None:
        with InFlight("tap0", 4):
            result = run_module("tap_steering", {"taps": ["tap0"], "hash_key": KEY.hex()})
            report = result["taps"][0]
            assert (report["action"], report["state"], report["reached"]) == ("attach", "steered", "joined")
            assert any("was joined for an instant" in warning for warning in result["warnings"])
            device = by_name()["tap0"]
            assert (device.queues, device.disabled_queues, device.tun_flags & 0xFFFF) == (4, 0, FLAGS)


class TestIdle:
    """K3, 4 and 5; K7, 12."""

    def test_no_queue_and_no_carrier(self) -> None:
        """Not for an instant, as the device's own counters and netlink tell."""
        add_idle("tap0", "vnet_hdr")
        subprocess.run(["ip", "link", "set", "tap0", "up"], check=True)
        changes = "/sys/class/net/tap0/carrier_changes"
        script = f"mount -t sysfs sysfs /sys && cat {changes}"

        def carrier_changes() -> str:
            return subprocess.run(
                ["unshare", "--mount", "sh", "-c", script], check=True, capture_output=True
            ).stdout.decode()

        before = carrier_changes()
        with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, socket.NETLINK_ROUTE) as events:
            events.bind((0, 1))
            events.setblocking(False)
            assert run(["tap0"], FUTURE).outcomes[0].way == "opened"
            assert run(["tap0"], Desired(present=False)).outcomes[0].way == "opened"
            if parse_release(os.uname().release) >= (6, 2):  # IFF_NO_CARRIER
                assert carrier_changes() == before
                # The driver tells of each TUNSETIFF; each time the device is without a carrier.
                with contextlib.suppress(BlockingIOError):
                    while True:
                        assert not _flags_of_link(events.recv(65536)) & IFF_LOWER_UP

    def test_flags_that_netlink_does_not_tell(self) -> None:
        """IFF_NAPI of a device in a namespace that /sys does not show."""
        name = f"rss-test-{os.getpid()}"
        subprocess.run(["ip", "netns", "add", name], check=True)
        code = (
            "import fcntl, os, struct; d = os.open('/dev/net/tun', os.O_RDWR);"
            f"fcntl.ioctl(d, {ioctls.TUNSETIFF}, struct.pack('16sH22x', b'tap0', {FLAGS | ioctls.IFF_NAPI}));"
            f"fcntl.ioctl(d, {ioctls.TUNSETPERSIST}, 1)"
        )
        try:
            subprocess.run(["ip", "netns", "exec", name, sys.executable, "-c", code], check=True)
            options = {"taps": ["tap0"], "netns": name, "indirection": {"equal": 2}, "allow_future_queues": True}
            assert run_module("tap_steering", options)["taps"][0]["reached"] == "opened"
            found = run_module("tap_steering_info", {"taps": ["tap0"], "netns": name})["taps"][0]
            assert "napi" in found["flags"] and found["state"] == "steered"
        finally:
            subprocess.run(["ip", "netns", "del", name], check=True)

    def test_a_vmm_that_starts_meanwhile_has_its_queues_in_order(self) -> None:
        add_idle("tap0")
        link = find_link("tap0")
        assert link
        target = Target("tap0", DeviceId(current_namespace().inode, link.ifindex), flags=link.tun_flags)
        with control(target), HeldTap("tap0", 4):
            device = by_name()["tap0"]
            assert (device.queues, device.disabled_queues) == (4, 1)
            assert run(["tap0"], Desired(hash_key=KEY, redirect=False, default_queue=3)).outcomes[0].changed
        assert by_name()["tap0"].queues == 0

    def test_the_name_is_gone(self) -> None:
        """A run that comes too late makes no device, or takes what it has made away."""
        target = Target("tap0", DeviceId(current_namespace().inode, 4242), flags=FLAGS)
        with pytest.raises(DeviceError, match="the device has gone") as refusal, control(target):
            pass
        assert refusal.value.errno == errno.ENODEV and find_link("tap0") is None

    def test_what_our_own_open_has_made_is_taken_away(self, monkeypatch: pytest.MonkeyPatch) -> None:
        add_idle("tap0")
        link = find_link("tap0")
        assert link
        subprocess.run(["ip", "link", "del", "tap0"], check=True)
        monkeypatch.setattr(descriptor, "find_link", lambda _ifindex: link)  # as it was an instant before
        target = Target("tap0", DeviceId(current_namespace().inode, link.ifindex), flags=link.tun_flags)
        with pytest.raises(DeviceError, match="the device has gone"), control(target):
            pass
        assert [each.name for each in list_links()] == ["lo"]


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


class TestWaiting:
    """K4."""

    def test_a_holder_whose_memory_is_locked(self, tap: HeldTap, trap: Trap) -> None:
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

    def test_a_holder_whose_folder_in_proc_is_locked(self, tap: HeldTap, trap: Trap) -> None:
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

    def test_nobody_is_left_behind(self, trap: Trap, monkeypatch: pytest.MonkeyPatch) -> None:
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

    def test_a_parent_that_ignores_its_children(self) -> None:
        """Nobody has to wait for them then."""
        former = signal.signal(signal.SIGCHLD, signal.SIG_IGN)
        try:
            for _time in range(3):
                with contextlib.closing(Apart(_work)) as child:
                    os.close(child.fetch(b"open"))
        finally:
            signal.signal(signal.SIGCHLD, former)

    def test_no_descriptor_is_left_for_the_answer(self) -> None:
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

    def test_a_namespace_that_ends_during_a_look_is_nobody_s_news(self) -> None:
        gone = Namespace(4, "/proc/4194304/ns/net")
        assert look(["*"], [current_namespace(), gone]).warnings == ()
        named = Namespace(4, "/run/netns/gone", "gone")
        assert "has gone" in look(["*"], [current_namespace(), named]).warnings[0]

    def test_a_copy_that_cannot_be_closed(self, tap: HeldTap, trap: Trap) -> None:
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

    def test_a_holder_that_makes_us_wait_is_asked_once(self, tap: HeldTap, trap: Trap) -> None:
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

    def test_a_process_that_has_such_a_file_open(
        self, tap: HeldTap, trap: Trap, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Where nothing but /proc tells who holds a device; a stat() would wait for the server."""

        def refuse(_libbpf: object) -> t.NoReturn:
            raise CapabilityError("no BTF")

        monkeypatch.setattr(observe, "Inspector", refuse)
        trap.opened_by_stranger()
        begin = time.monotonic()
        found = by_name()["tap0"]
        assert {holder.pid for holder in found.holders} == {tap.pid} and len(found.holders) == 4
        assert time.monotonic() - begin < 1

    def test_a_child_that_takes_too_long_is_ended(self) -> None:
        """The next request has another child."""
        before = len(os.listdir("/proc/self/fd"))
        with contextlib.closing(Apart(_work, limit=0.05)) as child:
            for _time in range(3):
                with pytest.raises(DeviceError) as refusal:
                    child.fetch(b"sleep")
                assert refusal.value.errno == errno.ETIMEDOUT
            os.close(child.fetch(b"open"))
        assert len(os.listdir("/proc/self/fd")) == before  # these can be killed

    def test_a_child_that_may_not_run_makes_nobody_wait(self) -> None:
        """On a busy host it comes to run late: that is not its holder's fault, and the guest shall be steered."""
        with busy_processor(seconds=1), contextlib.closing(Apart(_work, limit=0.1)) as child:
            begin = time.monotonic()
            os.close(child.fetch(b"run late"))
            assert time.monotonic() - begin > 0.5

    def test_a_host_that_is_far_too_busy(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(apart, "BUSY", 0.3)
        with contextlib.closing(Apart(_work, limit=0.1)) as child:
            with busy_processor(seconds=60), pytest.raises(DeviceError, match="this host is so busy") as refusal:
                child.fetch(b"run late")
            assert refusal.value.errno == errno.EAGAIN
            os.close(child.fetch(b"open"))

    def test_a_child_that_works_for_a_stranger_is_ended(self) -> None:
        """As one does that gives much memory back in the kernel, in the place of a queue."""
        with contextlib.closing(Apart(_work, limit=0.1)) as child:
            begin = time.monotonic()
            with pytest.raises(DeviceError, match="makes it wait") as refusal:
                child.fetch(b"work")
            assert refusal.value.errno == errno.ETIMEDOUT and time.monotonic() - begin < 5
            os.close(child.fetch(b"open"))

    def test_a_child_that_has_died(self) -> None:
        with contextlib.closing(Apart(_work)) as child:
            first = child.fetch(b"open")
            with pytest.raises(DeviceError, match="has died"):
                child.fetch(b"die")
            os.close(child.fetch(b"open"))
        os.close(first)

    def test_one_child_answers_many_and_keeps_nothing(self) -> None:
        with contextlib.closing(Apart(_work)) as child:
            for _time in range(50):
                os.close(child.fetch(b"open"))
            with pytest.raises(DeviceError, match="only its channel"):
                child.fetch(b"tell")

    def test_the_lock_is_not_in_the_child(self, tmp_path: t.Any) -> None:
        """It would be held for as long as the child lives."""
        path = str(tmp_path / "lock")
        with exclusive(path=path), contextlib.closing(Apart(_work)) as child:
            os.close(child.fetch(b"open"))
            with pytest.raises(DeviceError, match="only its channel"):
                child.fetch(b"tell")


IFF_LOWER_UP = 0x10000


def _flags_of_link(message: bytes) -> int:
    """Of an RTM_NEWLINK: struct nlmsghdr, then struct ifinfomsg (rtnetlink(7))."""
    flags: int = struct.unpack_from("=I", message, 16 + 8)[0]
    return flags


PROCESSOR = min(os.sched_getaffinity(0))


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
