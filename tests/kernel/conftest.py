# SPDX-License-Identifier: GPL-3.0-or-later
"""Each test has a network namespace of its own, and must give back every descriptor and every BPF program."""

from __future__ import annotations

import ctypes
import os
import time
import typing as t

import pytest

from ansible_collections.virtnet.rss.plugins.module_utils._bpf import inventory
from ansible_collections.virtnet.rss.plugins.module_utils._bpf.generated.steering_object import PROGRAM
from ansible_collections.virtnet.rss.plugins.module_utils._bpf.libbpf import load_libbpf
from ansible_collections.virtnet.rss.tests.kernel.reader import HeldTap

CLONE_NEWNET = 0x40000000


def pytest_sessionstart() -> None:
    if os.geteuid() != 0 or not os.path.exists("/dev/net/tun"):
        pytest.exit("these tests need root and /dev/net/tun (modprobe tun)", returncode=1)


def enter_new_network_namespace() -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(CLONE_NEWNET):
        raise OSError(ctypes.get_errno(), "unshare")


def enter_network_namespace(descriptor: int) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.setns(descriptor, CLONE_NEWNET):
        raise OSError(ctypes.get_errno(), "setns")


def our_programs() -> set[int]:
    """Ids of the loaded programs with our name."""
    libbpf = load_libbpf()
    found = set()
    for number in inventory.program_ids(libbpf):
        descriptor = inventory.open_program(libbpf, number)
        if descriptor is None:
            continue
        if inventory.program_of(libbpf, descriptor).name == PROGRAM:
            found.add(number)
        os.close(descriptor)
    return found


@pytest.fixture(autouse=True)
def own_namespace() -> t.Iterator[None]:
    """A fresh network namespace; at the end no descriptor and no program of ours is left."""
    load_libbpf()  # stays open for the life of the process
    before, programs = len(os.listdir("/proc/self/fd")), our_programs()
    home = os.open("/proc/thread-self/ns/net", os.O_RDONLY)
    enter_new_network_namespace()
    try:
        yield
    finally:
        enter_network_namespace(home)
        os.close(home)
    assert len(os.listdir("/proc/self/fd")) == before, "the test leaks descriptors"
    deadline = (
        time.monotonic() + 5
    )  # the kernel frees a program a grace period after its device, a namespace even later
    while not our_programs() <= programs:
        assert time.monotonic() < deadline, "the test leaks BPF programs"
        time.sleep(0.02)


@pytest.fixture
def tap() -> t.Iterator[HeldTap]:
    """A four-queue TAP device that another process holds and reads."""
    with HeldTap("tap0", 4) as held:
        yield held
