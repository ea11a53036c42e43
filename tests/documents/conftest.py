# SPDX-License-Identifier: GPL-3.0-or-later
"""Each document has a hypervisor of its own, with the devices that it speaks of."""

from __future__ import annotations

import typing as t
from pathlib import Path

import pytest

from ansible_collections.virtnet.rss.tests.support.desk import Desk
from ansible_collections.virtnet.rss.tests.support.fixtures import own_namespace, pytest_sessionstart
from ansible_collections.virtnet.rss.tests.support.other_root import OtherRoot

__all__ = ("desk", "own_namespace", "pytest_sessionstart")


@pytest.fixture
def desk(tmp_path: Path) -> t.Iterator[Desk]:
    for name in ("other", "desk", "desk/sent"):
        (tmp_path / name).mkdir()
    with OtherRoot(str(tmp_path / "other"), shared=str(tmp_path / "desk" / "sent")) as host:
        yield Desk(tmp_path / "desk", host)
