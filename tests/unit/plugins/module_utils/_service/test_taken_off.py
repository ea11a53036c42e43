# SPDX-License-Identifier: GPL-3.0-or-later
"""Whole passes do not end the memory of a holder that takes its program off all the time."""

from __future__ import annotations

import typing as t
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest

from ansible_collections.virtnet.rss.plugins.module_utils._policy.rules import Match, Rule
from ansible_collections.virtnet.rss.plugins.module_utils._program.model import AttachedProgram
from ansible_collections.virtnet.rss.plugins.module_utils._service import daemon, telling, turns
from ansible_collections.virtnet.rss.plugins.module_utils._service.reconcile import How, Result
from ansible_collections.virtnet.rss.plugins.module_utils._service.signature import of_device
from ansible_collections.virtnet.rss.plugins.module_utils._steering.model import (
    AUTOMATIC,
    STEERED,
    Desired,
    Device,
    Fallback,
    Outcome,
    Step,
)
from ansible_collections.virtnet.rss.plugins.module_utils._tun.device_id import DeviceId
from ansible_collections.virtnet.rss.plugins.module_utils._tun.netns import Namespace, current_namespace

BARE = Device("tap0", DeviceId(1, 1), 0, 4, state=AUTOMATIC)
STEERED_ONE = BARE._replace(state=STEERED, program=AttachedProgram(12, "x", "y"))
LEFT = Result(Namespace(1, "x"), BARE, Rule("guests", Match(), Desired()))
ATTACHED = replace(LEFT, device=STEERED_ONE, outcome=Outcome(Step(BARE, "attach"), "attach", STEERED_ONE, changed=True))
RESTS = replace(LEFT, reason="taken off 4 times in a row, the next try is in 1 s")
FAILED = replace(
    LEFT,
    outcome=Outcome(
        Step(BARE, "attach"), "fallback", BARE, changed=False, fallback=Fallback("attach", "the holder makes it wait")
    ),
)
RELEASED = replace(LEFT, outcome=Outcome(Step(STEERED_ONE, "detach"), "detach", BARE, changed=True))
GIVEN_UP = replace(
    LEFT,
    outcome=Outcome(
        Step(STEERED_ONE, "replace"), "fallback", BARE, changed=True, fallback=Fallback("load", "Not permitted")
    ),
)
LET_GO = replace(LEFT, device=BARE._replace(queues=0))
UNWANTED = replace(
    LEFT,
    rule=Rule("guests", Match(), Desired(present=False)),
    outcome=Outcome(Step(BARE, "none"), "none", BARE, changed=False),
)
NEW, TAKEN_OFF = "it is new to the policy", "somebody had taken it off"


@pytest.mark.parametrize(
    ("between", "why"),
    [
        ([], TAKEN_OFF),
        ([RESTS], TAKEN_OFF),
        ([RESTS, FAILED, RESTS], TAKEN_OFF),
        ([RELEASED], NEW),
        ([GIVEN_UP], NEW),
        ([LEFT], NEW),  # a policy that did not speak of it
        ([LET_GO], TAKEN_OFF),  # by a holder who has closed it meanwhile
        ([UNWANTED], NEW),
    ],
)
def test_why_it_is_attached_again(
    between: list[Result], why: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    service = daemon.Service(daemon.Settings(str(tmp_path), status_file=str(tmp_path / "status")))
    for number, result in enumerate([ATTACHED, *between, ATTACHED]):
        # Another program each time, else the journal gathers its lines.
        monkeypatch.setattr(daemon, "reconcile", lambda *_, result=result, **__: [result])
        service._pass(t.cast("t.Any", None), {}, everything=True)
        assert number or NEW in capsys.readouterr().out
    assert service._state.reapplied == (why == TAKEN_OFF)


def test_a_whole_pass_leaves_what_was_taken_off_to_its_turn(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A new guest would wait for all of a neighbour's devices whose programs were taken off at once."""
    service = daemon.Service(daemon.Settings(str(tmp_path), status_file=str(tmp_path / "status")))
    hows: list[How] = []

    def pass_of(*_: object, how: How, **__: object) -> list[Result]:
        hows.append(how)
        return [ATTACHED]

    monkeypatch.setattr(daemon, "reconcile", pass_of)
    service._pass(t.cast("t.Any", None), {}, everything=True)
    new = DeviceId(1, 2)
    service._pass(t.cast("t.Any", None), {BARE.id: of_device(BARE), new: of_device(BARE)}, everything=True)
    assert [list(how.resting) for how in hows] == [[], [BARE.id]]
    assert BARE.id in service._turns.waiting


def test_the_metrics_do_not_say_for_long_that_it_waits(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """They are written after a whole pass, and once more when nothing waits for its turn any longer."""
    service = daemon.Service(daemon.Settings(str(tmp_path), status_file=str(tmp_path / "status")))
    told: list[set[DeviceId]] = []
    monkeypatch.setattr(service._telling, "write_metrics", lambda _observer: told.append(set(service._turns.waiting)))
    monkeypatch.setattr(daemon, "reconcile", lambda *_, **__: [ATTACHED])
    observer = t.cast("t.Any", SimpleNamespace(try_inspector=lambda: None, inspector_reason="", snapshot=lambda: b""))
    monkeypatch.setattr(daemon, "current_namespace", lambda: Namespace(1, "x"))
    service._reload()
    for looked_at in (STEERED_ONE, BARE):
        monkeypatch.setattr(daemon, "signature", lambda _observer, it=looked_at: {it.id: of_device(it)})
        service._full_pass(observer)
    assert told == [set(), {BARE.id}]
    for _turn in range(3):
        service._turn(observer, None)
    assert told == [set(), {BARE.id}, set()]


@pytest.mark.parametrize("neighbour", [1, 2], ids=["in this namespace", "in one of his own"])
def test_devices_that_change_all_the_time_keep_nobody_from_his_turn(
    neighbour: int, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """New ones at every look; some that are ours and have lower numbers; and in between one whose program is gone."""
    service = daemon.Service(daemon.Settings(str(tmp_path), status_file=str(tmp_path / "status")))
    service._reload()
    victim = BARE._replace(id=DeviceId(1, 99))
    ours = [STEERED_ONE._replace(id=DeviceId(1, number)) for number in range(2, 30)]
    service._ours = {victim.id, *(each.id for each in ours)}
    dealt_with: list[set[DeviceId]] = []
    monkeypatch.setattr(daemon, "current_namespace", lambda: Namespace(1, "x"))
    monkeypatch.setattr(turns, "PAUSE", 0)
    monkeypatch.setattr(service, "_pass", lambda _observer, looked_at: dealt_with.append(set(looked_at)))
    for look in range(20):
        new = BARE._replace(id=DeviceId(neighbour, 1000 + look))
        now = victim._replace(program=STEERED_ONE.program if look else None)
        found = [new, now, *(each._replace(queues=look) for each in ours)]
        monkeypatch.setattr(daemon, "signature", lambda _observer, found=found: {it.id: of_device(it) for it in found})
        service._watch(t.cast("t.Any", SimpleNamespace(snapshot=lambda look=look: bytes([look]))))
        if look == 0:
            assert victim.id in set().union(*dealt_with)
    assert max(len(each) for each in dealt_with) <= turns.AT_ONCE
    assert all(any(each.id in group for group in dealt_with) for each in ours)
    assert any(new.id in group for group in dealt_with) == (neighbour == 1)


def test_the_balance_of_a_device_whose_rule_has_ended_is_not_told_any_longer(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    service = daemon.Service(daemon.Settings(str(tmp_path), status_file=str(tmp_path / "status")))
    told: list[list[t.Any]] = []
    monkeypatch.setattr(service._telling, "write_status", lambda: told.append(service._state.balance))
    service._state.balance = [[1, 1, {"imbalance": 1.07}]]
    service._telling.troubles.tell("balance", "tap0 is not balanced: no memory")
    service._state.results = {}
    service._balance()
    assert told == [[]] and not service._telling.troubles.of("balance")
    service._balance()
    assert told == [[]]


def test_the_metrics_are_of_the_namespaces_of_the_policy(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Anybody may make others, with devices in them."""
    settings = daemon.Settings(
        str(tmp_path), status_file=str(tmp_path / "status"), metrics_file=str(tmp_path / "a.prom")
    )
    service = daemon.Service(settings)
    asked: list[list[Namespace]] = []

    def look(_taps: object, namespaces: list[Namespace], **_: object) -> SimpleNamespace:
        asked.append(namespaces)
        return SimpleNamespace(sightings=())

    monkeypatch.setattr(telling, "look", look)
    service._telling.write_metrics(t.cast("t.Any", None))
    assert [[each.inode for each in namespaces] for namespaces in asked] == [[current_namespace().inode]]
