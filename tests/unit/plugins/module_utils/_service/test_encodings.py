# SPDX-License-Identifier: GPL-3.0-or-later
"""Whatever the terminal is, no name ends a command or the service (K1, row 7)."""

from __future__ import annotations

import io
import sys

import pytest

from ansible_collections.virtnet.rss.plugins.module_utils._service.terminal import block, say

TEXT = "tap\udcff \u5317\u4eac \u00e9\n\x1b[2J"


@pytest.mark.parametrize(
    ("encoding", "expected"),
    [
        ("utf-8", "tap\\xff \u5317\u4eac \u00e9\n\\x1b[2J\n"),
        ("latin-1", "tap\\xff \\u5317\\u4eac \u00e9\n\\x1b[2J\n"),
        ("ascii", "tap\\xff \\u5317\\u4eac \\xe9\n\\x1b[2J\n"),
    ],
)
def test_every_terminal(monkeypatch: pytest.MonkeyPatch, encoding: str, expected: str) -> None:
    terminal = io.TextIOWrapper(io.BytesIO(), encoding=encoding)
    monkeypatch.setattr(sys, "stdout", terminal)
    say(TEXT)
    terminal.seek(0)
    assert terminal.read() == expected
    assert block() == ("\N{FULL BLOCK}" if encoding == "utf-8" else "#")
