# SPDX-License-Identifier: GPL-3.0-or-later
"""What the program that a rollback has put back is asked, and what comes of answers that are none."""

from __future__ import annotations

import json
import shlex
import typing as t
from pathlib import Path

import pytest

from ansible_collections.virtnet.rss.plugins.module_utils._host import former


@pytest.fixture(name="program")
def _program(tmp_path: Path) -> t.Callable[[str], str]:
    def made(answer: str) -> str:
        path = tmp_path / "virtnet-rss"
        path.write_text(f'#!/bin/sh\necho "$@" >> {tmp_path}/asked\nprintf %s {shlex.quote(answer)}\n')
        path.chmod(0o755)
        return str(path)

    return made


def test_what_it_takes_for_foreign(program: t.Callable[[str], str], tmp_path: Path) -> None:
    taps = [{"netns_inode": 7, "ifindex": number, "state": state} for number, state in ((3, "foreign"), (4, "steered"))]
    assert former.strangers(program(json.dumps({"service": None, "taps": taps}))) == {(7, 3)}
    assert (tmp_path / "asked").read_text() == "status --json\n"


def test_it_applies_the_policy(program: t.Callable[[str], str], tmp_path: Path) -> None:
    assert former.apply(program("[]"), "/etc/virtnet-rss/policy.d")
    assert (tmp_path / "asked").read_text() == "apply --json --policy /etc/virtnet-rss/policy.d\n"


@pytest.mark.parametrize("answer", ["", "no JSON", "{}", "null"])
def test_no_answer(program: t.Callable[[str], str], answer: str) -> None:
    assert former.strangers(program(answer)) == set()
    assert not former.apply(program(answer), "/nowhere")


def test_no_program() -> None:
    assert former.strangers("/nowhere/virtnet-rss") == set()
    assert not former.apply("/nowhere/virtnet-rss", "/nowhere")
