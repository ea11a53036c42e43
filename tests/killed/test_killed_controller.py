# SPDX-License-Identifier: GPL-3.0-or-later
"""A controller that is killed at any task of a rollout: no host is left without either a verdict or a mark, no guest
loses its steering, and the next rollout judges what this one did not."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import typing as t
from pathlib import Path

import pytest
import yaml

from ansible_collections.virtnet.rss.tests.support.namespaces import NOBODY_LISTENS, Fleet
from ansible_collections.virtnet.rss.tests.support.rollouts import GOOD, MORE, QUICK, busy_fleet

UNJUDGED = ("changing", "changed")
PLAYBOOK = Path(__file__).parents[2] / "playbooks" / "rollout.yml"
TASKS = [task["name"] for task in yaml.safe_load(PLAYBOOK.read_text(encoding="utf-8"))[0]["tasks"]]
BACK = TASKS.index("Roll the batch back")
TOGETHER = {**QUICK, "rollout_serial": ["100%"]}
WORSE = {**TOGETHER, "rollout_max_drops": -1}  # whatever happens


@pytest.fixture
def fleet(tmp_path: Path) -> t.Iterator[Fleet]:
    with busy_fleet(tmp_path, 2, "rsskc") as made:
        yield made


def kill_at(fleet: Fleet, task: str, rules: list[dict[str, t.Any]], variables: dict[str, t.Any]) -> None:
    """Start a rollout and kill it, with all its children, as soon as it begins a task of this name."""
    command = ["ansible-playbook", "-i", str(fleet.inventory), "virtnet.rss.rollout"]
    command += ["-e", json.dumps({"steering_rules": rules, **variables})]
    environment = {**os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}", "PYTHONUNBUFFERED": "1"}
    with subprocess.Popen(
        command, env=environment, stdout=subprocess.PIPE, text=True, start_new_session=True
    ) as process:
        assert process.stdout
        met = any(f"TASK [{task}" in line or f": {task}]" in line for line in process.stdout)
        os.killpg(process.pid, signal.SIGKILL)
    assert met, f"the rollout has no task {task}"


def on_host(fleet: Fleet, name: str) -> tuple[list[dict[str, t.Any]], str]:
    """The rules in force, and the stage of the last change."""
    folder = fleet.folder / name / "etc"
    rules = json.loads((folder / "policy.d" / "50-steering.json").read_text(encoding="utf-8"))["rules"]
    return rules, json.loads((folder / "last-change.json").read_text(encoding="utf-8"))["stage"]


def everywhere(fleet: Fleet) -> list[tuple[list[dict[str, t.Any]], str]]:
    return [on_host(fleet, name) for name in fleet.names]


def roll_out(fleet: Fleet, rules: list[dict[str, t.Any]], **variables: t.Any) -> str:
    done = fleet.playbook("virtnet.rss.rollout", steering_rules=rules, **{**TOGETHER, **variables})
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.parametrize("task", TASKS)
def test_killed(fleet: Fleet, task: str) -> None:
    """A host with the new rules that has no verdict says so itself, and the next rollout ends with one. The tasks that
    roll back are reached where the guests are worse off."""
    roll_out(fleet, GOOD)
    kill_at(fleet, task, MORE, WORSE if TASKS.index(task) >= BACK else TOGETHER)
    left = everywhere(fleet)
    for rules, stage in left:
        assert stage in UNJUDGED or (rules, stage) in ((GOOD, "accepted"), (GOOD, "undone"), (MORE, "accepted"))
        assert rules == GOOD or stage in UNJUDGED or TASKS.index(task) >= TASKS.index("Judge")
    if task == "Let it soak, and watch the guests after the change":
        assert left == [(MORE, "changed")] * 2
    assert fleet.states() == ["steered"] * 2

    said = roll_out(fleet, MORE)
    for name, (_rules, stage) in zip(fleet.names, left, strict=True):
        assert (f"{name}: changed by a rollout of" in said) == (stage in UNJUDGED)
    assert everywhere(fleet) == [(MORE, "accepted")] * 2
    assert fleet.states() == ["steered"] * 2


def test_what_was_left_without_a_verdict_is_rolled_back_to_what_was_before_it(fleet: Fleet) -> None:
    roll_out(fleet, GOOD)
    kill_at(fleet, "Let it soak", MORE, TOGETHER)
    assert [stage for _rules, stage in everywhere(fleet)] == ["changed"] * 2
    other = [{"name": "guests", "match": {"device": "tap*"}, "default_queue": 2}]
    stopped = fleet.playbook("virtnet.rss.rollout", steering_rules=other, **WORSE)
    assert stopped.returncode != 0 and "Rolled back" in stopped.stdout
    assert everywhere(fleet) == [(GOOD, "undone")] * 2
    assert fleet.states() == ["steered"] * 2


@pytest.mark.parametrize(
    ("lost_from", "mark", "outcome"),
    [
        ("true", "accepted", ""),
        ("rollout_begin is defined", "accepted", "Rolled back"),
        ("(rollout_change | default({})).changed | default(false)", "changed", "Rolled back"),
        ("rollout_judge is defined", "accepted", "Rolled back"),
    ],
)
def test_a_host_that_vanishes(fleet: Fleet, lost_from: str, mark: str, outcome: str) -> None:
    """Before the look, the change, the verdict and the way back: its neighbour is rolled back, and it has a verdict or
    says that it has none. Once it answers again, the next rollout ends with one."""
    lost, neighbour = fleet.names
    roll_out(fleet, GOOD)
    away = {"ansible_connection": f"{{{{ 'ssh' if {lost_from} else 'local' }}}}"}
    fleet.give({**NOBODY_LISTENS, **away}, lost)
    judged = lost_from == "rollout_judge is defined"
    stopped = fleet.playbook("virtnet.rss.rollout", steering_rules=MORE, **(WORSE if judged else TOGETHER))
    assert stopped.returncode != 0 and (f"{neighbour}: {outcome}" in stopped.stdout) == bool(outcome)
    assert on_host(fleet, neighbour) == (GOOD, "undone" if outcome else "accepted")
    rules, stage = on_host(fleet, lost)
    assert stage == ("changed" if judged else mark) and rules == (MORE if stage == "changed" else GOOD)
    fleet.give({"ansible_connection": "local"}, lost)
    assert fleet.states() == ["steered"] * 2
    said = roll_out(fleet, MORE)
    assert (f"{lost}: changed by a rollout of" in said) == (stage == "changed")
    assert everywhere(fleet) == [(MORE, "accepted")] * 2
