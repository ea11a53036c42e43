# SPDX-License-Identifier: GPL-3.0-or-later
"""What other processes do to a run: a device that is not what it was, that is held by nobody who can be seen, or whose
program cannot be told."""

from __future__ import annotations

import array
import contextlib
import errno
import os
import socket
import struct
import subprocess
import sys
import time
import typing as t

import pytest

from ansible_collections.virtnet.rss.plugins.module_utils._bpf.libbpf import load_libbpf
from ansible_collections.virtnet.rss.plugins.module_utils._bpf.steering_program import SteeringProgram
from ansible_collections.virtnet.rss.plugins.module_utils._errors import DeviceError
from ansible_collections.virtnet.rss.plugins.module_utils._look.look import look
from ansible_collections.virtnet.rss.plugins.module_utils._probe.kernel import parse_release
from ansible_collections.virtnet.rss.plugins.module_utils._program import programs
from ansible_collections.virtnet.rss.plugins.module_utils._program.model import Configuration
from ansible_collections.virtnet.rss.plugins.module_utils._program.rodata import Identity, encode
from ansible_collections.virtnet.rss.plugins.module_utils._rss.config import RssConfig
from ansible_collections.virtnet.rss.plugins.module_utils._steering import observe
from ansible_collections.virtnet.rss.plugins.module_utils._steering.apply import Applier
from ansible_collections.virtnet.rss.plugins.module_utils._steering.model import (
    Desired,
    Indirection,
    Outcome,
    Step,
)
from ansible_collections.virtnet.rss.plugins.module_utils._steering.run import run
from ansible_collections.virtnet.rss.plugins.module_utils._tun import descriptor, ioctls
from ansible_collections.virtnet.rss.plugins.module_utils._tun.descriptor import Target, control
from ansible_collections.virtnet.rss.plugins.module_utils._tun.device_id import DeviceId
from ansible_collections.virtnet.rss.plugins.module_utils._tun.links import find_link, list_links
from ansible_collections.virtnet.rss.plugins.module_utils._tun.netns import (
    current_namespace,
)
from ansible_collections.virtnet.rss.tests.support import foreign
from ansible_collections.virtnet.rss.tests.support.by_name import by_name
from ansible_collections.virtnet.rss.tests.support.held_tap import HeldTap
from ansible_collections.virtnet.rss.tests.support.run_module import run_module
from ansible_collections.virtnet.rss.tests.support.stopped import stopped_at

KEY = bytes(range(40))
FLAGS = ioctls.IFF_TAP | ioctls.IFF_NO_PI | ioctls.IFF_MULTI_QUEUE
FUTURE = Desired(hash_key=KEY, indirection=Indirection(equal=4), allow_future_queues=True)


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


IFF_LOWER_UP = 0x10000


def _flags_of_link(message: bytes) -> int:
    """Of an RTM_NEWLINK: struct nlmsghdr, then struct ifinfomsg (rtnetlink(7))."""
    flags: int = struct.unpack_from("=I", message, 16 + 8)[0]
    return flags
