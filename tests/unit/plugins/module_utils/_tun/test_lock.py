# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from ansible_collections.virtnet.rss.plugins.module_utils._errors import StateError
from ansible_collections.virtnet.rss.plugins.module_utils._tun.lock import exclusive


def test_only_its_owner_may_open_it(tmp_path: Path) -> None:
    """Who may open it may hold it, and so keep every run waiting."""
    path = tmp_path / "lock"
    before = os.umask(0)
    try:
        with exclusive(path=str(path)):
            assert stat.S_IMODE(path.stat().st_mode) == 0o600
    finally:
        os.umask(before)


@pytest.mark.parametrize("target", ["there", "missing"])
def test_a_link_is_not_followed(tmp_path: Path, target: str) -> None:
    """Neither to a file of root's, nor to make one."""
    victim = tmp_path / "victim"
    if target == "there":
        victim.write_text("as it was", encoding="ascii")
    (tmp_path / "lock").symlink_to(victim)
    refused = pytest.raises(StateError, match=rf"cannot open the lock file {tmp_path}/lock: Too many levels")
    with refused, exclusive(path=str(tmp_path / "lock")):
        pass
    assert victim.exists() == (target == "there")
    assert target == "missing" or victim.read_text(encoding="ascii") == "as it was"


def test_a_second_writer_is_told_when_it_waited_long_enough(tmp_path: Path) -> None:
    path = str(tmp_path / "lock")
    refused = pytest.raises(StateError, match=rf"another run holds {path} for more than 0 seconds; nothing was changed")
    with exclusive(path=path), refused, exclusive(path=path, timeout=0.1):
        pass
    with exclusive(path=path, timeout=0.1) as waited:
        assert waited < 0.1
