# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# The programs that can be put back: of whom, how many, and what becomes of their descriptors (here of /dev/null).

from __future__ import annotations

import os
import resource
import typing as t
from contextlib import suppress

import pytest

from ansible_collections.virtnet.rss.plugins.module_utils._program.model import AttachedProgram
from ansible_collections.virtnet.rss.plugins.module_utils._steering.kept import KeptPrograms
from ansible_collections.virtnet.rss.plugins.module_utils._steering.model import Device
from ansible_collections.virtnet.rss.plugins.module_utils._tun.device_id import DeviceId

PROGRAM = AttachedProgram(7, "steer", "0123456789abcdef")


def device(ifindex: int = 1, birth: int = 1) -> Device:
    return Device(f"tap{ifindex}", DeviceId(4, ifindex), 0, 4, birth=birth)


@pytest.fixture
def null() -> t.Iterator[int]:
    descriptor = os.open("/dev/null", os.O_RDONLY)
    yield descriptor
    os.close(descriptor)


def is_open(descriptor: int) -> bool:
    with suppress(OSError):
        os.fstat(descriptor)
        return True
    return False


def descriptor_of(kept: KeptPrograms, which: Device) -> int:
    found = kept.of(which, b"rodata", proven=True)
    assert found
    return found.descriptor


def test_for_the_same_device_and_the_same_configuration(null: int) -> None:
    kept = KeptPrograms(2)
    kept.keep(device(), PROGRAM, b"rodata", null, proven=True)
    own = descriptor_of(kept, device())
    assert own != null and is_open(own) and not os.get_inheritable(own)
    assert kept.of(device(), b"other", proven=True) is None
    assert kept.of(device(birth=2), b"rodata", proven=True) is None
    assert kept.of(device(2), b"rodata", proven=True) is None
    kept.forget(device().id)
    assert not is_open(own) and is_open(null)
    assert kept.of(device(), b"rodata", proven=True) is None


@pytest.mark.parametrize(("was", "wanted", "found"), [(True, True, True), (True, False, True), (False, True, False)])
def test_what_was_not_proven_is_not_taken_for_proven(null: int, was: bool, wanted: bool, found: bool) -> None:
    kept = KeptPrograms(1)
    kept.keep(device(), PROGRAM, b"rodata", null, proven=was)
    assert bool(kept.of(device(), b"rodata", proven=wanted)) == found
    kept.forget(device().id)


def test_one_of_each_device(null: int) -> None:
    kept = KeptPrograms(2)
    kept.keep(device(), PROGRAM, b"former", null, proven=True)
    former = kept.of(device(), b"former", proven=True)
    kept.keep(device(), PROGRAM, b"rodata", null, proven=True)
    assert former and kept.of(device(), b"former", proven=True) is None
    kept.forget_all_but([])


def test_one_that_somebody_has_replaced_does_not_come_back(null: int) -> None:
    """Nor does its key, which may be why it was replaced."""
    kept = KeptPrograms(1)
    kept.keep(device(), PROGRAM, b"rodata", null, proven=True)
    kept.forget_unless(device(2).id, PROGRAM.id + 1)
    kept.forget_unless(device().id, PROGRAM.id)
    assert kept.of(device(), b"rodata", proven=True)
    kept.forget_unless(device().id, PROGRAM.id + 1)
    assert kept.of(device(), b"rodata", proven=True) is None


def test_those_used_last_stay(null: int) -> None:
    kept = KeptPrograms(2)
    for ifindex in (1, 2):
        kept.keep(device(ifindex), PROGRAM, b"rodata", null, proven=True)
    assert descriptor_of(kept, device(1))  # put back
    before = len(os.listdir("/proc/self/fd"))
    kept.keep(device(3), PROGRAM, b"rodata", null, proven=True)
    assert len(os.listdir("/proc/self/fd")) == before
    assert kept.of(device(2), b"rodata", proven=True) is None
    kept.forget_all_but([device(3).id])
    assert kept.of(device(1), b"rodata", proven=True) is None
    assert is_open(descriptor_of(kept, device(3)))
    kept.forget_all_but([])


def test_nothing_where_none_is_wanted(null: int) -> None:
    before = os.listdir("/proc/self/fd")
    kept = KeptPrograms()
    kept.keep(device(), PROGRAM, b"rodata", null, proven=True)
    assert kept.of(device(), b"rodata", proven=True) is None
    assert os.listdir("/proc/self/fd") == before


def test_a_quarter_of_the_descriptors_at_most(null: int) -> None:
    limits = resource.getrlimit(resource.RLIMIT_NOFILE)
    kept = KeptPrograms(100)
    resource.setrlimit(resource.RLIMIT_NOFILE, (80, limits[1]))
    try:
        for ifindex in range(40):
            kept.keep(device(ifindex), PROGRAM, b"rodata", null, proven=True)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, limits)
    assert sum(kept.of(device(ifindex), b"rodata", proven=True) is not None for ifindex in range(40)) == 20
    kept.forget_all_but([])


def test_none_to_be_had(null: int) -> None:
    """Nothing is kept then, and nobody is told: the next one is loaded anew."""
    limits = resource.getrlimit(resource.RLIMIT_NOFILE)
    kept = KeptPrograms(100)
    resource.setrlimit(resource.RLIMIT_NOFILE, (4, limits[1]))  # fewer than are open already
    try:
        kept.keep(device(), PROGRAM, b"rodata", null, proven=True)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, limits)
    assert kept.of(device(), b"rodata", proven=True) is None
