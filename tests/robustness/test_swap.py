# SPDX-License-Identifier: GPL-3.0-or-later
"""A neighbour changes a device at any system call between the look and the swap: what the plan was not made for is not
done. A foreign program is never replaced, and a device that was made again never gets the plan of the former one."""

from __future__ import annotations

import contextlib
import os
import subprocess
import typing as t

import pytest

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
# A run makes some 1,400 calls, and each stop costs a run. At every one of them: VIRTNET_RSS_EVERY=1.
EVERY = int(os.environ.get("VIRTNET_RSS_EVERY", "25"))


def seen() -> Device | None:
    with Observer() as observer:
        return next((device for device in observer.devices() if device.name == "tap0"), None)


@pytest.fixture
def foreign_program() -> t.Iterator[SteeringProgram]:
    """One that looks like ours and is not."""
    rodata = bytearray(encode(Identity("tap0", DeviceId(1, 2)), Configuration(RssConfig(KEY, 63, (0,)))))
    rodata[-100] ^= 1
    with SteeringProgram(load_libbpf(), bytes(rodata), queues=4) as program:
        yield program


def stops(desired: Desired, name: str = "tap0", offset: int = 0) -> range:
    """The calls from the look to the end, or some of them; once they have been made."""
    calls = stopped_at(lambda: run([name], desired), 0, lambda: None).calls
    assert calls > 50
    return range(1 + offset % EVERY, calls + 1, EVERY)


def undo(held: HeldTap | None) -> None:
    """Back to automatic selection, whatever is there."""
    if held:
        foreign.detach(held)
    else:
        set_idle(None)


def set_idle(program: int | None) -> None:
    """What another tool does to a device that nobody holds."""
    descriptor = ioctls.open_control()
    try:
        ioctls.join_device(descriptor, "tap0", FLAGS | ioctls.IFF_NO_CARRIER)
        ioctls.set_steering_program(descriptor, program)
    finally:
        os.close(descriptor)


@contextlib.contextmanager
def idle() -> t.Iterator[None]:
    subprocess.run(["ip", "tuntap", "add", "tap0", "mode", "tap", "multi_queue"], check=True)
    yield


def stops_at_idle(name: str) -> range:
    """The same for a device that nobody holds."""
    subprocess.run(["ip", "tuntap", "add", name, "mode", "tap", "multi_queue"], check=True)
    found = stops(IDLE, name)
    subprocess.run(["ip", "link", "del", name], check=True)
    return found


def meddle(work: t.Callable[[], object], stop: int, then: t.Callable[[], object]) -> None:
    """At that call, or afterwards when the work made fewer this time."""
    if stopped_at(work, stop, then).calls < stop:
        then()


def test_a_foreign_program_is_attached_to_a_held_device(tap: HeldTap, foreign_program: SteeringProgram) -> None:
    number = foreign_program.describe().id
    for stop in stops(HELD):
        undo(tap)
        meddle(lambda: run(["tap0"], HELD), stop, lambda: foreign.set_program(tap, foreign_program.descriptor))
        device = seen()
        assert device and device.program and (device.state, device.program.id) == ("foreign", number), stop


def test_a_foreign_program_is_attached_to_an_idle_device(foreign_program: SteeringProgram) -> None:
    number = foreign_program.describe().id
    with idle():
        for stop in stops(IDLE, offset=1):
            undo(None)
            meddle(lambda: run(["tap0"], IDLE), stop, lambda: set_idle(foreign_program.descriptor))
            device = seen()
            assert device and device.program and (device.state, device.program.id) == ("foreign", number), stop


def test_a_held_device_is_made_again(tap: HeldTap) -> None:
    """Under the same name, with the same index and descriptors, and with other queues: a plan for four of them would
    leave the others without packets."""
    for stop in stops(HELD, offset=2):
        tap.remake(4)
        meddle(lambda: run(["tap0"], HELD), stop, lambda: tap.remake(8))
        device = seen()
        assert device and device.queues == 8
        configuration = device.program.configuration if device.program else None
        assert configuration is None or configuration.queues == 8, stop


def test_an_idle_device_is_made_again(tap: HeldTap) -> None:
    """As a single-queue device of somebody else's, perhaps; nothing of it is changed that was not planned for it."""

    def make_again() -> None:
        subprocess.run(["ip", "link", "del", "tap1"], check=True)
        subprocess.run(["ip", "tuntap", "add", "tap1", "mode", "tap", "vnet_hdr"], check=True)

    for stop in stops_at_idle("tap1"):
        subprocess.run(["ip", "tuntap", "add", "tap1", "mode", "tap", "multi_queue"], check=True)
        meddle(lambda: run(["tap1"], IDLE), stop, make_again)
        with Observer() as observer:
            (device,) = (each for each in observer.devices() if each.name == "tap1")
        flags = ioctls.IFF_TAP | ioctls.IFF_NO_PI | ioctls.IFF_PERSIST | ioctls.IFF_VNET_HDR
        assert device.tun_flags & 0xFFFF == flags and (device.queues, device.disabled_queues) == (0, 0), stop
        subprocess.run(["ip", "link", "del", "tap1"], check=True)
    assert tap.pid


def test_an_idle_device_goes(tap: HeldTap) -> None:
    """Nothing of its name is left behind by a run that would have opened it."""

    def remove() -> None:
        subprocess.run(["ip", "link", "del", "tap1"], check=True)

    for stop in stops_at_idle("tap1"):
        subprocess.run(["ip", "tuntap", "add", "tap1", "mode", "tap", "multi_queue"], check=True)
        meddle(lambda: run(["tap1"], IDLE), stop, remove)
        assert not os.path.exists("/proc/sys/net/ipv4/conf/tap1"), stop
    assert tap.pid
