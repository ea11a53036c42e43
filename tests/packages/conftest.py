# SPDX-License-Identifier: GPL-3.0-or-later
"""Packages are built once, as the release and as an older one; each test has a network namespace of its own."""

from __future__ import annotations

import typing as t
from pathlib import Path

import pytest

from ansible_collections.virtnet.rss.tests.support.fixtures import own_namespace, pytest_sessionstart, tap
from ansible_collections.virtnet.rss.tests.support.other_root import OtherRoot
from ansible_collections.virtnet.rss.tests.support.packages import OLDER, Packages, build

__all__ = ("built", "older", "other", "own_namespace", "pytest_sessionstart", "tap")


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Packages:
    return build(tmp_path_factory.mktemp("release"))


@pytest.fixture(scope="session")
def older(tmp_path_factory: pytest.TempPathFactory) -> Packages:
    return build(tmp_path_factory.mktemp("older"), OLDER)


@pytest.fixture
def other(tmp_path: Path) -> t.Iterator[OtherRoot]:
    (tmp_path / "other").mkdir()
    with OtherRoot(str(tmp_path / "other")) as made:
        yield made
