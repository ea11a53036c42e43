# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from ansible_collections.virtnet.rss.plugins.module_utils._service.status_file import read_status, status_text


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "status.json"


def test_of_a_running_process(path: Path) -> None:
    path.write_text(status_text({"rules": 2}), encoding="utf-8")
    found = read_status(str(path))
    assert found and (found["pid"], found["rules"]) == (os.getpid(), 2)


def test_the_number_belongs_to_another_process_now(path: Path) -> None:
    """What a process wrote that was killed, and whose number came again."""
    content = json.loads(status_text({}))
    path.write_text(json.dumps({**content, "started": content["started"] - 1}), encoding="utf-8")
    assert read_status(str(path)) is None


def test_a_process_that_may_not_be_signalled_runs(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As for a user who is not root."""

    def refuse(_pid: int, _signal: int) -> None:
        raise PermissionError

    path.write_text(status_text({}), encoding="utf-8")
    monkeypatch.setattr(os, "kill", refuse)
    assert read_status(str(path))


@pytest.mark.parametrize(
    "text", ["", "[]", "{}", '{"pid": "x", "started": 1}', f'{{"pid": {1 << 70}, "started": 1}}', '{"pid": 1}']
)
def test_what_is_no_status(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8")
    assert read_status(str(path)) is None


def test_no_file(path: Path) -> None:
    assert read_status(str(path)) is None
