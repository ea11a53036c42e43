# SPDX-License-Identifier: GPL-3.0-or-later
"""Each test has a network namespace of its own, and must give back every descriptor and every BPF program."""

from __future__ import annotations

import pytest

from ansible_collections.virtnet.rss.tests.support.fixtures import own_namespace, program, pytest_sessionstart, service
from ansible_collections.virtnet.rss.tests.support.qemu.image import guest_kernel, qemu_10

__all__ = ("own_namespace", "program", "pytest_sessionstart", "service")


@pytest.fixture(scope="session", autouse=True)
def images() -> None:
    """Built before the first test, for there is no way to a package mirror out of a test's namespace."""
    guest_kernel()
    qemu_10()
