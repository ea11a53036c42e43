# SPDX-License-Identifier: GPL-3.0-or-later
"""What tests on real devices are given. The conftest of a folder takes of it what its tests need."""

from __future__ import annotations

import os
import typing as t
from pathlib import Path

import pytest

from ansible_collections.virtnet.rss.plugins.module_utils._bpf.libbpf import load_libbpf
from ansible_collections.virtnet.rss.plugins.module_utils._tun.netns import current_namespace
from ansible_collections.virtnet.rss.tests.support.eventually import eventually
from ansible_collections.virtnet.rss.tests.support.held_tap import HeldTap
from ansible_collections.virtnet.rss.tests.support.loaded import our_programs, steering_elsewhere
from ansible_collections.virtnet.rss.tests.support.netns import own_network_namespace
from ansible_collections.virtnet.rss.tests.support.run_module import run_module
from ansible_collections.virtnet.rss.tests.support.running import Running

__all__ = ("own_namespace", "program", "pytest_sessionstart", "service", "tap")


def pytest_sessionstart() -> None:
    if os.geteuid() != 0 or not os.path.exists("/dev/net/tun"):
        pytest.exit("these tests need root and /dev/net/tun (modprobe tun)", returncode=1)


@pytest.fixture(autouse=True)
def own_namespace() -> t.Iterator[None]:
    """A fresh network namespace; at the end no descriptor and no program of ours is left."""
    load_libbpf()  # stays open for the life of the process
    before, programs = len(os.listdir("/proc/self/fd")), our_programs()
    with own_network_namespace():
        inode = current_namespace().inode
        yield
    assert len(os.listdir("/proc/self/fd")) == before, "the test leaks descriptors"
    # The kernel frees a program a grace period after its device, a namespace even later.
    left = our_programs() - programs  # what comes from now on is not the test's
    eventually(lambda: not _leaked(left, inode), told="the test leaks BPF programs")


def _leaked(programs: set[int], inode: int) -> set[int]:
    """What steers a device of another namespace than the test's is other people's."""
    there = programs & our_programs()
    return there and there - steering_elsewhere(inode)


@pytest.fixture
def tap() -> t.Iterator[HeldTap]:
    """A four-queue TAP device that another process holds and reads."""
    with HeldTap("tap0", 4) as held:
        yield held


@pytest.fixture(scope="session")
def program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The service's one file, as it is installed."""
    path = tmp_path_factory.mktemp("service") / "virtnet-rss"
    result = run_module("host_service", {"path": str(path)})
    assert result["changed"], result
    return path


@pytest.fixture
def service(program: Path, tmp_path: Path) -> t.Iterator[Running]:
    """Not started yet; its policy has no rules."""
    running = Running(program, tmp_path)
    yield running
    running.kill()
