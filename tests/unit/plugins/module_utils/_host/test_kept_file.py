# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from pathlib import Path

import pytest

from ansible_collections.virtnet.rss.plugins.module_utils._host.kept_file import KeptFile


@pytest.fixture
def file(tmp_path: Path) -> KeptFile:
    return KeptFile(str(tmp_path / "virtnet-rss"), 0o755)


def put(file: KeptFile, content: bytes) -> None:
    file.keep()
    file.write(content)


def test_content_and_mode_are_wanted(file: KeptFile) -> None:
    assert file.is_as_wanted(None) and not file.is_as_wanted(b"one")
    put(file, b"one")
    assert file.is_as_wanted(b"one") and not file.is_as_wanted(b"two") and not file.is_as_wanted(None)
    Path(file.path).chmod(0o700)
    assert not file.is_as_wanted(b"one")


def test_the_one_before_the_last_change_is_kept_until_it_is_forgotten(file: KeptFile) -> None:
    put(file, b"one")
    assert file.previous() is None
    put(file, b"two")
    file.write(b"three")  # of a change that nobody has judged
    assert file.previous() == b"one"
    file.forget()
    assert file.previous() is None and file.is_as_wanted(b"three")


def test_a_kept_program_cannot_be_run(file: KeptFile) -> None:
    put(file, b"one")
    put(file, b"two")
    assert Path(file.previous_path).stat().st_mode & 0o111 == 0


def test_nothing_is_left_of_it(file: KeptFile, tmp_path: Path) -> None:
    put(file, b"one")
    put(file, b"two")
    file.remove()
    assert list(tmp_path.iterdir()) == []
