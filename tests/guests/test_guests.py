# SPDX-License-Identifier: GPL-3.0-or-later
"""The modules on hypervisors as they are: real QEMU guests, their packets counted inside."""

from __future__ import annotations

import os
import re
import typing as t
from ipaddress import ip_address
from pathlib import Path

import pytest

from ansible_collections.virtnet.rss.plugins.module_utils._rss.config import RssConfig
from ansible_collections.virtnet.rss.tests.packets.builder import ICMP, SRC4, ipv4
from ansible_collections.virtnet.rss.tests.support.qemu.guest import Guest, multi_queue_tap
from ansible_collections.virtnet.rss.tests.support.qemu.image import Qemu, qemu_7, qemu_10
from ansible_collections.virtnet.rss.tests.support.qemu.received import FLOWS, KEY, QUEUES, assert_received_as, rss
from ansible_collections.virtnet.rss.tests.support.run_module import run_module
from ansible_collections.virtnet.rss.tests.support.steered import info


@pytest.fixture
def tap() -> t.Iterator[str]:
    with multi_queue_tap("tap0") as name:
        yield name


def apply(**options: t.Any) -> tuple[dict[str, t.Any], list[str]]:
    """Run tap_steering: what it says of the device, and its warnings."""
    result = run_module("tap_steering", {"taps": ["tap0"], "hash_key": KEY.hex(), **options})
    (device,) = result["taps"]
    assert result["changed"] == (device["action"] not in ("none", "keep"))
    return device, result["warnings"]


def action(**options: t.Any) -> str:
    return str(apply(**options)[0]["action"])


def decides() -> str:
    return str(info()["implementation"]["decides"])


def identity(guest: Guest) -> tuple[str, dict[str, str]]:
    """What changes when QEMU is restarted or made to open something: its start time, its open files."""
    process = Path(f"/proc/{guest.pid}")
    start_time = (process / "stat").read_text().rpartition(")")[2].split()[19]
    return start_time, {link.name: os.readlink(link) for link in (process / "fd").iterdir()}


def own_rss(guest: Guest) -> RssConfig:
    """What the guest's driver has made of RSS."""
    shown = re.search(r"^(\w\w(?::\w\w){39})$", guest.run("ethtool -x eth0"), re.MULTILINE)
    assert shown
    return rss(bytes.fromhex(shown[1].replace(":", "")))


@pytest.mark.parametrize(("qemu", "managed"), [(qemu_7, False), (qemu_7, True), (qemu_10, False), (qemu_10, True)])
def test_a_guest_is_found_and_steered_untouched(tap: str, qemu: t.Callable[[], Qemu], managed: bool) -> None:
    with Guest(tap, qemu=qemu(), managed=managed) as guest:
        before = identity(guest)
        found = info()
        assert (found["state"], found["queues"], found["disabled_queues"]) == ("automatic", QUEUES, 0)
        (holder,) = found["holders"]
        of_the_device = [int(number) for number, link in before[1].items() if link == "/dev/net/tun"]
        assert (holder["pid"], holder["command"]) == (guest.pid, "qemu-system-x86")
        assert sorted(holder["descriptors"]) == sorted(of_the_device)

        assert apply()[1] == []
        assert_received_as(guest, rss())
        found = info()
        assert (found["state"], found["implementation"]["decides"]) == ("steered", "ebpf")
        assert sum(found["counters"]["queues"]) >= len(FLOWS)
        assert action() == "none"

        assert action(state="absent") == "detach"
        assert identity(guest) == before


def test_without_rss_selection_is_automatic(tap: str) -> None:
    """A flow comes back on the queue from which the guest sent it, and a program is asked instead once there is one."""
    peers = [ip_address("198.51.100.0") + queue for queue in range(QUEUES)]
    with Guest(tap, device="hash=on") as guest:
        guest.run(f"ip address add {ip_address(SRC4)}/32 dev eth0 && ip route add default dev eth0")
        assert (info()["state"], decides()) == ("automatic", "automatic")
        answers = [ipv4(bytes(8), ICMP, src=peer.packed, dst=SRC4) for peer in peers]
        for queue, (peer, answer) in enumerate(zip(peers, answers)):
            guest.run(f"arp -s {peer} 02:00:00:00:00:09")
            # Each queue belongs to a processor. The driver forgets a flow after three seconds.
            guest.run(f"taskset {1 << queue:x} ping -c 1 -W 1 {peer} > /dev/null || true")
            assert guest.receive([answer]) == [int(other == queue) for other in range(QUEUES)]
        apply(indirection={"equal": 1, "start": 1})
        assert guest.receive(answers) == [0, len(answers), 0, 0]


class TestProgramOfQemu:
    """QEMU 10 as root loads a program of its own, and attaches it when the guest enables RSS."""

    @pytest.fixture
    def guest(self, tap: str) -> t.Iterator[Guest]:
        with Guest(tap, qemu=qemu_10(), device="rss=on") as guest:
            yield guest

    def test_it_is_named_and_left_alone(self, guest: Guest) -> None:
        assert (info()["state"], decides()) == ("automatic", "automatic")
        guest.enable_rss()
        found = info()
        assert (found["state"], found["program"]["owner"], decides()) == ("foreign", "qemu", "ebpf")
        program = found["program"]["id"]
        assert program in programs_open_in(guest.pid)

        device, _warnings = apply()
        assert (device["action"], device["state"]) == ("keep", "foreign")
        assert action(state="absent") == "keep"
        assert info()["program"]["id"] == program
        assert_received_as(guest, own_rss(guest))

    def test_it_is_replaced_when_told(self, guest: Guest) -> None:
        guest.enable_rss()
        assert action(foreign="replace") == "replace"
        assert (info()["state"], decides()) == ("steered", "ebpf")
        assert_received_as(guest, rss())

        guest.enable_rss()  # each command of the guest's driver puts QEMU's back
        assert info()["program"]["owner"] == "qemu"
        assert action(foreign="replace") == "replace"
        assert_received_as(guest, rss())


def programs_open_in(pid: int) -> list[int]:
    found = [path.read_text() for path in Path(f"/proc/{pid}/fdinfo").iterdir()]
    return [int(number) for text in found for number in re.findall(r"^prog_id:\t(\d+)$", text, re.MULTILINE)]


@pytest.mark.parametrize(
    ("qemu", "managed", "device"),
    [(qemu_7, False, "rss=on"), (qemu_10, True, "rss=on"), (qemu_10, False, "rss=on,hash=on")],
    ids=["its object does not load", "no capability", "hash reports"],
)
def test_software_rss_sorts_again(tap: str, qemu: t.Callable[[], Qemu], managed: bool, device: str) -> None:
    """Whatever is attached, the guest's own configuration decides: nobody is told that ours does."""
    with Guest(tap, qemu=qemu(), managed=managed, device=device) as guest:
        assert info()["state"] == "automatic"
        _device, warnings = apply()
        assert any("in-qemu" in warning for warning in warnings)
        assert_received_as(guest, rss())  # not yet: the guest has not enabled it

        guest.enable_rss()
        assert_received_as(guest, own_rss(guest))
        apply()  # attaches it again where QEMU has cleared it
        assert info()["state"] == "steered"
        assert_received_as(guest, own_rss(guest))
        implementation = info()["implementation"]
        assert implementation["decides"] == "unknown" and "in-qemu" in implementation["reason"]


def test_without_a_driver_nobody_sorts_again(tap: str) -> None:
    """The header that QEMU asks for in front of packets tells whether a driver has started."""
    with Guest(tap, device="rss=on") as guest:
        assert decides() == "unknown"
        guest.run("rmmod virtio_net")
        assert decides() == "automatic"
        guest.run("modprobe virtio_net")
        assert decides() == "unknown"


class TestWhatQemuClears:
    """Attaching is a state to be kept: the next run notices that QEMU has cleared the program, and attaches it again.

    ``expected`` is what that run does: QEMU 7.2 clears the program whenever the guest's driver sets the number of
    queues, QEMU 10 when it loads a state.
    """

    TWO: t.ClassVar = {"indirection": {"equal": 2}}

    @pytest.mark.parametrize(("qemu", "expected"), [(qemu_7, "attach"), (qemu_10, "none")])
    def test_change_of_queues(self, tap: str, qemu: t.Callable[[], Qemu], expected: str) -> None:
        with Guest(tap, qemu=qemu()) as guest:
            assert action(**self.TWO) == "attach"
            guest.set_queues(2)
            assert (info()["queues"], info()["disabled_queues"]) == (2, 2)
            self.assert_next_run(guest, expected, 2, **self.TWO)

    @pytest.mark.parametrize(("qemu", "expected"), [(qemu_7, "attach"), (qemu_10, "none")])
    def test_reboot(self, tap: str, qemu: t.Callable[[], Qemu], expected: str) -> None:
        with Guest(tap, qemu=qemu()) as guest:
            apply()
            guest.reboot()
            self.assert_next_run(guest, expected)

    @pytest.mark.parametrize(("qemu", "expected"), [(qemu_7, "none"), (qemu_10, "attach")])
    def test_loaded_state(self, tap: str, qemu: t.Callable[[], Qemu], expected: str) -> None:
        with Guest(tap, qemu=qemu(), snapshots=True) as guest:
            apply()
            guest.qmp.monitor("savevm now")
            guest.qmp.monitor("loadvm now")
            self.assert_next_run(guest, expected)

    @pytest.mark.parametrize(("qemu", "expected"), [(qemu_7, "attach"), (qemu_10, "none")])
    def test_restart(self, tap: str, qemu: t.Callable[[], Qemu], expected: str) -> None:
        """The device is persistent: between two QEMU processes nobody holds it, and it keeps the program."""
        with Guest(tap, qemu=qemu()):
            apply()
        assert (info()["state"], info()["holders"]) == ("steered", [])
        with Guest(tap, qemu=qemu()) as guest:
            self.assert_next_run(guest, expected)

    @staticmethod
    def assert_next_run(guest: Guest, expected: str, queues: int = QUEUES, **options: t.Any) -> None:
        assert info()["state"] == ("automatic" if expected == "attach" else "steered")
        assert action(**options) == expected
        assert_received_as(guest, rss(queues=queues), queues=queues)
        assert action(**options) == "none"
