# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from pathlib import Path

import pytest

from ansible_collections.virtnet.rss.plugins.module_utils._host.record import (
    ACCEPTED,
    CHANGED,
    CHANGING,
    NONE,
    UNDONE,
    Record,
    read_record,
    write_record,
)

MOMENT = {"taps": [{"name": "tap0", "ifindex": 3}]}
WHOLE = Record(
    CHANGED,
    "a rollout",
    1.5,
    new=True,
    service=(True, False),
    parts=("policy", "unit"),
    absent=("unit",),
    spared=(4, 5),
    watched=(MOMENT,),
    before=(MOMENT, MOMENT),
    after=MOMENT,
)


@pytest.mark.parametrize("record", [Record(), WHOLE, WHOLE.accepted()])
def test_there_and_back(tmp_path: Path, record: Record) -> None:
    write_record(str(tmp_path / "etc"), record)
    assert read_record(str(tmp_path / "etc")) == record


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"stage": "changed", "time": "never"}', "null"])
def test_what_nobody_understands_is_no_record(tmp_path: Path, text: str) -> None:
    (tmp_path / "last-change.json").write_text(text, encoding="ascii")
    assert read_record(str(tmp_path)) is None


def test_pending() -> None:
    stages = (NONE, CHANGING, CHANGED, ACCEPTED, UNDONE)
    assert [Record(stage).is_pending for stage in stages] == [False, True, True, False, False]
    assert WHOLE.is_unjudged and not WHOLE.accepted().is_unjudged
    assert not Record(CHANGING).is_unjudged  # a task's that failed half-way: nobody has watched the guests before it


def test_a_verdict_keeps_what_a_rollback_needs() -> None:
    accepted = WHOLE.accepted()
    assert (accepted.stage, accepted.parts, accepted.spared, accepted.new) == (
        ACCEPTED,
        WHOLE.parts,
        WHOLE.spared,
        True,
    )
    assert (accepted.before, accepted.after) == ((), None)
