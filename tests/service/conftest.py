# SPDX-License-Identifier: GPL-3.0-or-later
"""Each test has a network namespace of its own, and must give back every descriptor and every BPF program."""

from __future__ import annotations

import typing as t
from pathlib import Path

import pytest

from ansible_collections.virtnet.rss.tests.kernel.conftest import own_namespace, pytest_sessionstart, tap
from ansible_collections.virtnet.rss.tests.kernel.module import run_module
from ansible_collections.virtnet.rss.tests.service.running import Running

__all__ = ("own_namespace", "pytest_sessionstart", "tap")


@pytest.fixture(scope="session")
def program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The one file, as it is installed."""
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
