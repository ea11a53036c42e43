# SPDX-License-Identifier: GPL-3.0-or-later
"""One log line for each change and minute (K6, rows 2 and 3), with rule, guest, programs and why (K8, row 12)."""

from __future__ import annotations

import pytest

from ansible_collections.virtnet.rss.plugins.module_utils._policy.rules import Match, Rule
from ansible_collections.virtnet.rss.plugins.module_utils._program.model import AttachedProgram
from ansible_collections.virtnet.rss.plugins.module_utils._service.journal import Journal
from ansible_collections.virtnet.rss.plugins.module_utils._service.reconcile import Result
from ansible_collections.virtnet.rss.plugins.module_utils._steering.model import (
    STEERED,
    Desired,
    Device,
    Fallback,
    Outcome,
    Step,
)
from ansible_collections.virtnet.rss.plugins.module_utils._tun.device_id import DeviceId
from ansible_collections.virtnet.rss.plugins.module_utils._tun.netns import Namespace


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def result(number: int = 0, *, name: str = "tap", fallback: Fallback | None = None, program: int = 12) -> Result:
    before = Device(f"{name}{number}", DeviceId(1, number), 0, 4)
    after = Device(
        before.name, before.id, 0, 4, state=STEERED, program=None if fallback else AttachedProgram(program, "x", "y")
    )
    outcome = Outcome(
        Step(before, "attach"), "fallback" if fallback else "attach", after, changed=not fallback, fallback=fallback
    )
    return Result(Namespace(1, "x"), after, Rule("web servers", Match(), Desired()), outcome, guest="web-1")


REFUSED = Fallback("load", "Operation not permitted")


def test_rule_guest_programs_and_why(capsys: pytest.CaptureFixture[str]) -> None:
    Journal(Clock()).tell([(result(name="tap\udcff"), "somebody had taken it off")])
    assert capsys.readouterr().out == (
        "tap\\xff0: attach: somebody had taken it off (rule web servers; guest web-1; program 12 in place of none)\n"
    )


def test_the_same_change_is_told_once_a_minute(capsys: pytest.CaptureFixture[str]) -> None:
    clock = Clock()
    journal = Journal(clock)
    for second in range(600):
        clock.now = second / 10
        journal.tell([(result(program=second), "somebody had taken it off")])
    assert len(capsys.readouterr().out.splitlines()) == 1
    clock.now = 61
    journal.tell([(result(), "somebody had taken it off")])
    assert capsys.readouterr().out.rstrip().endswith(", 600 times")


def test_a_failure_that_lasts_is_told_once(capsys: pytest.CaptureFixture[str]) -> None:
    clock = Clock()
    journal = Journal(clock)
    for minute in range(50):
        clock.now = minute * 60.0
        journal.tell([(result(number, fallback=REFUSED), "") for number in range(100)])
    assert capsys.readouterr().out == "tap0, tap1, tap2 and 97 more: fallback: load: Operation not permitted\n"
    journal.tell([(result(fallback=Fallback("load", "Cannot allocate memory")), "")])
    assert "Cannot allocate memory" in capsys.readouterr().out


def test_a_line_has_an_end(capsys: pytest.CaptureFixture[str]) -> None:
    Journal(Clock()).tell([(result(fallback=Fallback("load", "x" * 10**6)), "")])
    assert len(capsys.readouterr().out) <= 1001
