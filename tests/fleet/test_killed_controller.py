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

from ansible_collections.virtnet.rss.tests.support.namespaces import Fleet
from ansible_collections.virtnet.rss.tests.support.rollouts import GOOD, MORE, QUICK, busy_fleet, states

UNJUDGED = ("changing", "changed")


@pytest.fixture
def fleet(tmp_path: Path) -> t.Iterator[Fleet]:
    with busy_fleet(tmp_path, 1, "rsskc") as made:
        yield made


def kill_at(fleet: Fleet, task: str, rules: list[dict[str, t.Any]]) -> None:
    """Start a rollout and kill it, with all its children, as soon as it begins a task of this name."""
    variables = json.dumps({"steering_rules": rules, **QUICK})
    command = ["ansible-playbook", "-i", str(fleet.inventory), "-e", variables, "virtnet.rss.rollout"]
    environment = {**os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}", "PYTHONUNBUFFERED": "1"}
    with subprocess.Popen(
        command, env=environment, stdout=subprocess.PIPE, text=True, start_new_session=True
    ) as process:
        assert process.stdout
        met = any(f"TASK [{task}" in line for line in process.stdout)
        os.killpg(process.pid, signal.SIGKILL)
    assert met, f"the rollout has no task {task}"


def on_host(fleet: Fleet) -> tuple[list[dict[str, t.Any]], str]:
    """The rules in force, and the stage of the last change; empty when it was undone."""
    folder = fleet.folder / fleet.names[0] / "etc"
    rules = json.loads((folder / "policy.d" / "50-steering.json").read_text(encoding="utf-8"))["rules"]
    record = folder / "last-change.json"
    return rules, json.loads(record.read_text(encoding="utf-8"))["stage"] if record.exists() else ""


@pytest.mark.parametrize(
    "task", ["Look at the guests", "Watch the guests", "Make the change", "Let it soak", "Judge", "Compare the batch"]
)
def test_killed(fleet: Fleet, task: str) -> None:
    """A host with the new rules that has no verdict says so itself, and the next rollout ends with one."""
    first = fleet.playbook("virtnet.rss.rollout", steering_rules=GOOD, **QUICK)
    assert first.returncode == 0, first.stdout + first.stderr
    kill_at(fleet, task, MORE)
    rules, stage = on_host(fleet)
    unjudged = stage in UNJUDGED
    assert unjudged or stage == "accepted"
    assert unjudged or rules == GOOD or task == "Compare the batch"
    if task in ("Let it soak", "Judge"):
        assert (rules, unjudged) == (MORE, True) or task == "Judge"
    assert states(fleet.audit()) == ["steered"]

    again = fleet.playbook("virtnet.rss.rollout", steering_rules=MORE, **QUICK)
    assert again.returncode == 0, again.stdout + again.stderr
    assert ("without a verdict" in again.stdout) == unjudged
    assert on_host(fleet) == (MORE, "accepted")
    assert states(fleet.audit()) == ["steered"]


def test_what_was_left_without_a_verdict_is_rolled_back_to_what_was_before_it(fleet: Fleet) -> None:
    assert fleet.playbook("virtnet.rss.rollout", steering_rules=GOOD, **QUICK).returncode == 0
    kill_at(fleet, "Let it soak", MORE)
    assert on_host(fleet)[1] in UNJUDGED
    other = [{"name": "guests", "match": {"device": "tap*"}, "default_queue": 2}]
    stopped = fleet.playbook("virtnet.rss.rollout", steering_rules=other, **{**QUICK, "rollout_max_drops": -1})
    assert stopped.returncode != 0 and "Rolled back" in stopped.stdout
    assert on_host(fleet) == (GOOD, "")
    assert states(fleet.audit()) == ["steered"]
