# SPDX-License-Identifier: GPL-3.0-or-later
"""How often a playbook runs something on a host: each run costs the controller and the host."""

from __future__ import annotations

import json
import re
import typing as t
from pathlib import Path

import pytest

from ansible_collections.virtnet.rss.tests.support.namespaces import Fleet
from ansible_collections.virtnet.rss.tests.support.rollouts import GOOD, QUICK, busy_fleet, states


@pytest.fixture
def fleet(tmp_path: Path) -> t.Iterator[Fleet]:
    with busy_fleet(tmp_path, 2, "rssmr") as made:
        for name in made.names:
            interpreter = made.folder / name / "python3"
            script = interpreter.read_text(encoding="ascii")
            counted = script.replace("\nexec ", f"\necho >>{made.folder / name}/runs\nexec ")
            interpreter.write_text(counted, encoding="ascii")
        yield made


def runs(fleet: Fleet, playbook: str, **variables: t.Any) -> set[int]:
    """How often each host's Python was started; with pipelining, once for a module."""
    files = [fleet.folder / name / "runs" for name in fleet.names]
    for file in files:
        file.write_text("", encoding="ascii")
    done = fleet.playbook(playbook, **variables)
    assert done.returncode == 0, done.stdout + done.stderr
    return {len(file.read_text(encoding="ascii")) for file in files}


def test_the_seconds_that_are_told_are_those_of_all_batches(fleet: Fleet, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two of one host each, with five seconds of waiting; by them it is reckoned what is left. No facts are needed."""
    monkeypatch.setenv("ANSIBLE_INJECT_FACT_VARS", "false")
    done = fleet.playbook("virtnet.rss.rollout", steering_rules=GOOD, **{**QUICK, "rollout_serial": 1})
    told = re.search(r"2 hosts in (\d+) s", done.stdout)
    assert told and int(told[1]) >= 10, done.stdout + done.stderr


def seen(report: str) -> list[list[str]]:
    """The states of the devices before and after a rollout, of each of which there is a page too."""
    assert all(Path(f"{report}-{when}.html").stat().st_size for when in ("before", "after"))
    found = [json.loads(Path(f"{report}-{when}.json").read_text(encoding="utf-8")) for when in ("before", "after")]
    return [states(each) for each in found]


def test_runs(fleet: Fleet) -> None:
    report = str(fleet.folder / "rollout")
    assert runs(fleet, "virtnet.rss.rollout", steering_rules=GOOD, rollout_report=report, **QUICK) == {3}
    assert seen(report) == [["automatic"] * 2, ["steered"] * 2]
    assert runs(fleet, "virtnet.rss.rollout", steering_rules=GOOD, **QUICK) == {1}
    assert runs(fleet, "virtnet.rss.rollout", steering_rules=GOOD, rollout_report=report, **QUICK) == {1}
    assert seen(report) == [["steered"] * 2] * 2
    assert runs(fleet, "virtnet.rss.audit", audit_report=str(fleet.folder / "audit")) == {1}
    assert runs(fleet, "virtnet.rss.rollback", rollback_hosts="all", rollback_remove=True) == {1}
