# SPDX-License-Identifier: GPL-3.0-or-later
"""Scripted: what the applier asks for, in its order, with one call that may fail."""

from __future__ import annotations

import contextlib
import errno
import typing as t
from dataclasses import replace

import pytest

from ansible_collections.virtnet.rss.plugins.module_utils._errors import DeviceError, StateError, VirtnetRssError
from ansible_collections.virtnet.rss.plugins.module_utils._tap.apply import TapApplier
from ansible_collections.virtnet.rss.plugins.module_utils._tap.device import Driver
from ansible_collections.virtnet.rss.plugins.module_utils._tap.links import Links
from ansible_collections.virtnet.rss.plugins.module_utils._tap.plan import Desired, Observed, plan
from ansible_collections.virtnet.rss.plugins.module_utils._tun.holders import Holder
from ansible_collections.virtnet.rss.plugins.module_utils._tun.links import Link

if t.TYPE_CHECKING:
    from ansible_collections.virtnet.rss.plugins.module_utils._tun.descriptor import Target

FLAGS = 0x5902  # IFF_TAP, IFF_NO_PI, IFF_MULTI_QUEUE, IFF_VNET_HDR, IFF_PERSIST
TAP = Link("tap0", 7, "tun", tun_flags=FLAGS, queues=0)
BR0 = Link("br0", 3, "bridge")
ALL = Desired("tap0", owner=107, group=108, mtu=9000, bridge="br0")


class Kernel:
    """One TAP device that may be there; ``fails`` names the call that is refused."""

    def __init__(self, link: Link | None, fails: str = "") -> None:
        self.link, self.fails = link, fails
        self.calls: list[str] = []
        self.open_descriptors = 0
        self.persistent = link is not None

    def find(self, which: str | int) -> Link | None:
        assert which in ("tap0", 7)
        return self.link

    def call(self, text: str) -> None:
        self.calls.append(text)
        if self.fails and text.startswith(self.fails):
            raise DeviceError("No", errno=errno.ENOMEM)

    def let_go(self) -> None:
        self.open_descriptors -= 1
        if not self.open_descriptors and not self.persistent:
            self.link = None


class ScriptedLinks(Links):
    def __init__(self, kernel: Kernel) -> None:
        self.kernel = kernel

    def set_mtu(self, ifindex: int, mtu: int) -> None:
        self.kernel.call(f"mtu {ifindex} {mtu}")

    def set_master(self, ifindex: int, master: int | None) -> None:
        self.kernel.call(f"master {ifindex} {master}")

    def set_up(self, ifindex: int, up: bool) -> None:
        assert not self.kernel.open_descriptors, "the carrier of a held device would be seen"
        self.kernel.call(f"up {ifindex} {up}")


class ScriptedDriver(Driver):
    def __init__(self, kernel: Kernel) -> None:
        self.kernel = kernel

    def create(self, name: str, flags: int) -> int:
        self.kernel.call(f"create {name} {flags:#x}")
        self.kernel.link, self.kernel.open_descriptors = TAP, 1
        return 5

    @contextlib.contextmanager
    def open(self, target: Target) -> t.Iterator[int]:
        self.kernel.call(f"open {target.name} {target.id.ifindex} {len(target.holders)}")
        self.kernel.open_descriptors += 1
        yield 6
        self.kernel.let_go()

    def set_ownership(self, descriptor: int, *, owner: int | None, group: int | None) -> None:
        self.kernel.call(f"ownership {descriptor} {owner} {group}")

    def set_persistent(self, descriptor: int, persistent: bool) -> None:
        self.kernel.call(f"persistent {descriptor} {persistent}")
        self.kernel.persistent = persistent

    def close(self, descriptor: int) -> None:
        self.kernel.call(f"close {descriptor}")
        self.kernel.let_go()


def run(kernel: Kernel, desired: Desired, observed: Observed) -> list[str]:
    """Applies the plan; the actions that are in effect."""
    done: list[str] = []
    applier = TapApplier(ScriptedLinks(kernel), ScriptedDriver(kernel), done, kernel.find)
    try:
        applier.apply(plan(desired, observed), observed)
    except VirtnetRssError as exc:
        exc.args = (*exc.args, tuple(done))
        raise
    return done


CREATION = (
    "create tap0 0x5102",
    "ownership 5 107 108",
    "mtu 7 9000",
    "master 7 3",
    "persistent 5 True",
    "close 5",
    "up 7 True",
)


def test_make() -> None:
    kernel = Kernel(None)
    assert run(kernel, ALL, Observed(bridge=BR0)) == ["create", "ownership", "mtu", "bridge", "up"]
    assert tuple(kernel.calls) == CREATION
    assert kernel.link


@pytest.mark.parametrize(
    ("desired", "flags"),
    [
        (Desired("tap0", up=False, multi_queue=False), "0x5002"),
        (Desired("tap0", up=False, vnet_hdr=False), "0x1102"),
        (Desired("tap0", up=False, vnet_hdr=False, multi_queue=False), "0x1002"),
    ],
)
def test_flags(desired: Desired, flags: str) -> None:
    kernel = Kernel(None)
    run(kernel, desired, Observed())
    assert kernel.calls == [f"create tap0 {flags}", "persistent 5 True", "close 5"]


@pytest.mark.parametrize(
    ("fails", "step"),
    [
        ("ownership", "set owner and group"),
        ("mtu", "set the MTU"),
        ("master", "change the bridge"),
        ("persistent 5 True", "make the device"),
        ("up", "bring the device up"),
    ],
)
def test_nothing_half_made_is_left(fails: str, step: str) -> None:
    kernel = Kernel(None, fails)
    with pytest.raises(DeviceError, match=f"tap0: cannot {step}: No; the new device is removed again") as refusal:
        run(kernel, ALL, Observed(bridge=BR0))
    assert kernel.link is None
    assert kernel.open_descriptors == 0
    assert refusal.value.errno == errno.ENOMEM
    assert refusal.value.args[1] == ()


def test_not_made() -> None:
    kernel = Kernel(None, "create")
    with pytest.raises(DeviceError, match="cannot make the device: No; nothing was changed"):
        run(kernel, ALL, Observed(bridge=BR0))
    assert kernel.calls == ["create tap0 0x5102"]


def test_made_and_renamed_at_once() -> None:
    kernel = Kernel(None)
    with pytest.raises(StateError, match="udev"):
        TapApplier(ScriptedLinks(kernel), ScriptedDriver(kernel), [], lambda _which: None).apply(
            plan(Desired("tap0"), Observed()), Observed()
        )
    assert kernel.link is None


def test_change() -> None:
    kernel = Kernel(TAP)
    assert run(kernel, ALL, Observed(TAP, bridge=BR0)) == ["ownership", "mtu", "bridge", "up"]
    assert kernel.calls == ["open tap0 7 0", "ownership 6 107 108", "mtu 7 9000", "master 7 3", "up 7 True"]


def test_a_held_device_is_reached_through_its_holder() -> None:
    held = replace(TAP, queues=1, up=True)
    kernel = Kernel(held)
    run(kernel, Desired("tap0", owner=107), Observed(held, holders=(Holder(42, "qemu", 9),)))
    assert kernel.calls == ["open tap0 7 1", "ownership 6 107 None"]


def test_down_and_out() -> None:
    link = replace(TAP, up=True, master=3)
    kernel = Kernel(link)
    run(kernel, Desired("tap0", up=False, bridge=""), Observed(link, BR0))
    assert kernel.calls == ["up 7 False", "master 7 None"]


def test_what_is_done_is_told() -> None:
    kernel = Kernel(TAP, "master")
    with pytest.raises(
        DeviceError, match="cannot change the bridge: No; set owner and group: done, set the MTU: done"
    ) as refusal:
        run(kernel, ALL, Observed(TAP, bridge=BR0))
    assert refusal.value.args[1] == ("ownership", "mtu")
    assert kernel.link


def test_remove() -> None:
    kernel = Kernel(TAP)
    assert run(kernel, Desired("tap0", present=False), Observed(TAP)) == ["remove"]
    assert kernel.calls == ["open tap0 7 0", "persistent 6 False"]
    assert kernel.link is None


def test_not_removed_when_a_guest_comes_first() -> None:
    kernel = Kernel(replace(TAP, queues=2))
    with pytest.raises(DeviceError, match="a process has opened it meanwhile; nothing was changed") as refusal:
        run(kernel, Desired("tap0", present=False), Observed(TAP))
    assert refusal.value.errno == errno.EBUSY
    assert kernel.persistent


def test_a_guest_that_comes_last_keeps_the_device() -> None:
    kernel = Kernel(TAP)
    kernel.open_descriptors = 1
    with pytest.raises(DeviceError, match="goes when that process ends") as refusal:
        run(kernel, Desired("tap0", present=False), Observed(TAP))
    assert refusal.value.args[1] == ("remove",)
    assert kernel.link


def test_nothing_to_do() -> None:
    kernel = Kernel(TAP)
    assert run(kernel, Desired("tap0", up=False), Observed(TAP)) == []
    assert kernel.calls == []
