# SPDX-License-Identifier: GPL-3.0-or-later
"""A part of `tests/robustness/run hostile`: a few devices beside each way that can be had quickly (K1, rows 1, 2 and 4;
K6, row 2). The times are those of a machine that tests other things as well."""

from __future__ import annotations

import typing as t
from pathlib import Path

import pytest

from ansible_collections.virtnet.rss.tests.robustness.hostile import MOST_MIB, WAYS, beside
from ansible_collections.virtnet.rss.tests.support.run_module import run_module
from ansible_collections.virtnet.rss.tests.support.running import Running

DEVICES, SECONDS = 6, 1.0


@pytest.fixture
def service(tmp_path: Path) -> t.Iterator[Running]:
    """Not started yet."""
    program = tmp_path / "virtnet-rss"
    run_module("host_service", {"path": str(program)})
    running = Running(program, tmp_path)
    yield running
    running.kill()


QUICK = ["odd words and names", "1.5 GiB of arguments", "100 devices cleared ten times a second"]


@pytest.mark.parametrize("way", QUICK)
def test_another_guest_is_steered_soon(service: Running, way: str) -> None:
    seen = beside(WAYS[way], service, DEVICES)
    assert sorted(seen.waits)[DEVICES // 2] < SECONDS and seen.mib < MOST_MIB
    commands = [service.command(*words, check=False) for words in (("status",), ("metrics",), ("apply", "--dry-run"))]
    assert not [done.stderr for done in commands if "Traceback" in done.stderr]
