# SPDX-License-Identifier: GPL-3.0-or-later
"""Each test has a network namespace of its own, and must give back every descriptor and every BPF program."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from ansible_collections.virtnet.rss.tests.kernel.conftest import own_namespace, pytest_sessionstart
from ansible_collections.virtnet.rss.tests.service.conftest import program, service

__all__ = ("own_namespace", "program", "pytest_sessionstart", "service")

sys.path.append(str(Path(__file__).parents[1] / "vm"))  # the files there import each other as a script's do


@pytest.fixture(scope="session", autouse=True)
def images() -> None:
    """Built before the first test, for there is no way to a package mirror out of a test's namespace."""
    from ansible_collections.virtnet.rss.tests.guests.image import guest_kernel, qemu_10

    guest_kernel()
    qemu_10()
