# SPDX-License-Identifier: GPL-3.0-or-later
"""A neighbour changes a device at any system call between the look and the swap: what the plan was not made for is not
done. A foreign program is never replaced, and a device that was made again never gets the plan of the former one."""

from __future__ import annotations

import itertools
import os
import subprocess
import typing as t

import pytest

from ansible_collections.virtnet.rss.plugins.module_utils._bpf import steering_program
from ansible_collections.virtnet.rss.plugins.module_utils._bpf.libbpf import load_libbpf
from ansible_collections.virtnet.rss.plugins.module_utils._bpf.steering_program import SteeringProgram
from ansible_collections.virtnet.rss.plugins.module_utils._program.model import Configuration
from ansible_collections.virtnet.rss.plugins.module_utils._program.rodata import Identity, encode
from ansible_collections.virtnet.rss.plugins.module_utils._rss.config import RssConfig
from ansible_collections.virtnet.rss.plugins.module_utils._steering.model import Desired, Device, Indirection
from ansible_collections.virtnet.rss.plugins.module_utils._steering.observe import Observer
from ansible_collections.virtnet.rss.plugins.module_utils._steering.run import run
from ansible_collections.virtnet.rss.plugins.module_utils._tun import ioctls
from ansible_collections.virtnet.rss.plugins.module_utils._tun.device_id import DeviceId
from ansible_collections.virtnet.rss.tests.support import foreign
from ansible_collections.virtnet.rss.tests.support.held_tap import HeldTap
from ansible_collections.virtnet.rss.tests.support.stopped import stopped_at

KEY = bytes(range(40))
HELD = Desired(hash_key=KEY, verify=False)
IDLE = Desired(hash_key=KEY, verify=False, indirection=Indirection(equal=2), allow_future_queues=True)
FLAGS = ioctls.IFF_TAP | ioctls.IFF_NO_PI | ioctls.IFF_MULTI_QUEUE
# Each stop costs a run. At every call: VIRTNET_RSS_EVERY=1, and for a part of them VIRTNET_RSS_FROM and _TO.
EVERY, FROM, TO = (int(os.environ.get(f"VIRTNET_RSS_{word}", "0")) for word in ("EVERY", "FROM", "TO"))
LATER_EVERY, FIRST_EVERY = EVERY or 5, EVERY or 100


def seen(name: str = "tap0") -> Device | None:
    with Observer() as observer:
        return next((device for device in observer.devices() if device.name == name), None)


@pytest.fixture
def foreign_program() -> t.Iterator[SteeringProgram]:
    """One that looks like ours and is not."""
    rodata = bytearray(encode(Identity("tap0", DeviceId(1, 2)), Configuration(RssConfig(KEY, 63, (0,)))))
    rodata[-100] ^= 1
    with SteeringProgram(load_libbpf(), bytes(rodata), queues=4) as program:
        yield program


def steer_first(name: str, desired: Desired) -> None:
    """As the first device of a process, which reads what the kernel says of its types: 1,300 calls more."""
    steering_program._templates.clear()
    run([name], desired)


def steer_later(name: str, desired: Desired) -> None:
    """As any other one."""
    run([name], desired)


def at_every_call(
    work: t.Callable[[], object], then: t.Callable[[], object], *, every: int = LATER_EVERY
) -> t.Iterator[int]:
    """Once for each system call of ``work`` between the look and the swap, or some of them, and at last for what comes
    after it: there ``then`` has happened when the caller goes on."""
    stops = 0
    for stop in itertools.count(FROM or 1, every):
        stopped = stopped_at(work, stop, then)
        if not stopped.met:
            then()
        yield stop
        stops += stopped.met
        if not stopped.met or (TO and stop >= TO):
            break
    assert stops or FROM
    print(f"{stops} calls, of {stopped.calls}")


def set_idle(program: int | None) -> None:
    """What another tool does to a device that nobody holds."""
    descriptor = ioctls.open_control()
    try:
        ioctls.join_device(descriptor, "tap0", FLAGS | ioctls.IFF_NO_CARRIER)
        ioctls.set_steering_program(descriptor, program)
    finally:
        os.close(descriptor)


def add_idle(name: str, *words: str, multi_queue: bool = True) -> None:
    more = ["multi_queue"] if multi_queue else []
    subprocess.run(["ip", "tuntap", "add", name, "mode", "tap", *more, *words], check=True)


def remove(name: str) -> None:
    subprocess.run(["ip", "link", "del", name], check=True)


@pytest.mark.parametrize(("steer", "every"), [(steer_later, LATER_EVERY), (steer_first, FIRST_EVERY)])
def test_a_foreign_program_is_attached_to_a_held_device(
    tap: HeldTap, foreign_program: SteeringProgram, steer: t.Callable[[str, Desired], None], every: int
) -> None:
    number = foreign_program.describe().id

    def attach() -> None:
        foreign.set_program(tap, foreign_program.descriptor)

    run(["tap0"], HELD)
    foreign.detach(tap)
    for stop in at_every_call(lambda: steer("tap0", HELD), attach, every=every):
        device = seen()
        assert device and device.program and (device.state, device.program.id) == ("foreign", number), stop
        foreign.detach(tap)


def test_a_foreign_program_is_attached_to_an_idle_device(foreign_program: SteeringProgram) -> None:
    number = foreign_program.describe().id
    add_idle("tap0")
    run(["tap0"], IDLE)
    set_idle(None)
    for stop in at_every_call(lambda: steer_later("tap0", IDLE), lambda: set_idle(foreign_program.descriptor)):
        device = seen()
        assert device and device.program and (device.state, device.program.id) == ("foreign", number), stop
        set_idle(None)


def test_a_held_device_is_made_again(tap: HeldTap) -> None:
    """Under the same name, with the same index and descriptors, and with other queues: a plan for four of them would
    leave the others without packets."""
    run(["tap0"], HELD)  # the first one
    tap.remake(4)
    for stop in at_every_call(lambda: steer_later("tap0", HELD), lambda: tap.remake(8)):
        device = seen()
        assert device and device.queues == 8
        configuration = device.program.configuration if device.program else None
        assert configuration is None or configuration.queues == 8, stop
        tap.remake(4)


def test_an_idle_device_is_made_again(tap: HeldTap) -> None:
    """As a single-queue device of somebody else's, perhaps; nothing of it is changed that was not planned for it."""
    run(["tap0"], HELD)

    def make_again() -> None:
        remove("tap1")
        add_idle("tap1", "vnet_hdr", multi_queue=False)

    add_idle("tap1")
    for stop in at_every_call(lambda: steer_later("tap1", IDLE), make_again):
        device = seen("tap1")
        flags = ioctls.IFF_TAP | ioctls.IFF_NO_PI | ioctls.IFF_PERSIST | ioctls.IFF_VNET_HDR
        assert device and device.program is None
        assert device.tun_flags & 0xFFFF == flags and (device.queues, device.disabled_queues) == (0, 0), stop
        remove("tap1")
        add_idle("tap1")


def test_an_idle_device_goes(tap: HeldTap) -> None:
    """Nothing of its name is left behind by a run that would have opened it."""
    run(["tap0"], HELD)
    add_idle("tap1")
    for stop in at_every_call(lambda: steer_later("tap1", IDLE), lambda: remove("tap1")):
        assert not os.path.exists("/proc/sys/net/ipv4/conf/tap1"), stop
        add_idle("tap1")
