# SPDX-License-Identifier: GPL-3.0-or-later
"""The playbooks over a small fleet, with guests that get packets all the time."""

from __future__ import annotations

import os
import subprocess
import sys
import typing as t
from pathlib import Path

import pytest

from ansible_collections.virtnet.rss.tests.fleet.hosts import PYTHON, Fleet
from ansible_collections.virtnet.rss.tests.kernel.module import run_module

SEND = str(Path(__file__).with_name("send.py"))
GOOD = [{"name": "guests", "match": {"device": "tap*"}}]
BAD = [{"name": "guests", "match": {"device": "tap*"}, "indirection": {"table": [2]}}]
QUICK = {"rollout_window": 2, "rollout_soak": 1, "rollout_min_packets": 300}


@pytest.fixture
def fleet(tmp_path: Path) -> t.Iterator[Fleet]:
    with Fleet(tmp_path, 3, f"rss{os.getpid()}-") as made:
        for name in made.names:
            made.hold(name, "tap0")
            made.start(name, PYTHON, SEND, "tap0")
        yield made


def states(report: dict[str, t.Any]) -> list[str]:
    return [device["state"] for device in report["devices"]]


def test_rollout(fleet: Fleet) -> None:
    """A bad change stops at the first host and is rolled back there; a good one goes everywhere, and a bad one after it
    gives way to the good one again."""
    bad = fleet.playbook("virtnet.rss.rollout", steering_rules=BAD, **QUICK)
    assert bad.returncode != 0
    assert "Rolled back, for guests are worse off: tap0: one of 4 queues gets 100 % of the packets" in bad.stdout
    assert fleet.names[1] not in bad.stdout
    assert states(fleet.audit()) == ["automatic"] * 3

    good = fleet.playbook("virtnet.rss.rollout", steering_rules=GOOD, **QUICK)
    assert good.returncode == 0, good.stdout + good.stderr
    report = fleet.audit()
    assert states(report) == ["steered"] * 3 and report["totals"]["drift"] == 0
    assert all(device["spread"] < 2 for device in report["devices"])

    worse = fleet.playbook("virtnet.rss.rollout", steering_rules=BAD, **QUICK)
    assert worse.returncode != 0 and ", before " in worse.stdout
    report = fleet.audit()
    assert states(report) == ["steered"] * 3 and report["totals"]["drift"] == 0

    back = fleet.playbook("virtnet.rss.rollback")
    assert back.returncode == 0, back.stdout + back.stderr


def test_a_host_that_was_as_wanted_before_is_not_rolled_back(fleet: Fleet) -> None:
    """It has had no other policy, so a rollback would take the service away."""
    first = fleet.names[0]
    assert fleet.playbook("virtnet.rss.rollout", steering_rules=GOOD, rollout_hosts=first, **QUICK).returncode == 0
    any_is_worse = {**QUICK, "rollout_max_drops": -1}
    stopped = fleet.playbook("virtnet.rss.rollout", steering_rules=GOOD, rollout_hosts=first, **any_is_worse)
    assert stopped.returncode != 0 and "guests are worse off" in stopped.stdout
    assert states(fleet.audit()) == ["steered", "automatic", "automatic"]


def test_a_host_that_an_interrupted_run_left_half_way_is_rolled_back(fleet: Fleet) -> None:
    """Its policy is as wanted, but nobody obeyed it: what the second run changes is the steering itself."""
    first = fleet.names[0]
    path = str(fleet.folder / first / "etc" / "policy.d" / "50-steering.json")
    assert run_module("host_policy", {"path": path, "rules": GOOD})["changed"]
    any_is_worse = {**QUICK, "rollout_max_drops": -1}
    stopped = fleet.playbook("virtnet.rss.rollout", steering_rules=GOOD, rollout_hosts=first, **any_is_worse)
    assert stopped.returncode != 0 and "guests are worse off" in stopped.stdout
    assert states(fleet.audit()) == ["automatic"] * 3


def test_audit_tells_of_a_policy_that_is_refused(fleet: Fleet) -> None:
    """Without a plan there is no drift to be seen, which must not look like a host that is as wanted."""
    first = fleet.names[0]
    assert fleet.playbook("virtnet.rss.rollout", steering_rules=GOOD, rollout_hosts=first, **QUICK).returncode == 0
    (fleet.folder / first / "etc" / "policy.d" / "60-broken.json").write_text("{", encoding="ascii")
    hosts = {host["name"]: host for host in fleet.audit()["hosts"]}
    assert hosts[first]["status"] == "failed" and "60-broken.json" in hosts[first]["reasons"][0]
    assert {hosts[name]["status"] for name in fleet.names[1:]} == {"supported"}


def test_audit_tells_drift_and_changes_nothing(fleet: Fleet) -> None:
    first = fleet.names[0]
    assert fleet.playbook("virtnet.rss.rollout", steering_rules=GOOD, rollout_hosts=first, **QUICK).returncode == 0
    module = "ansible_collections.virtnet.rss.tests.kernel.module"
    work = "run_module('tap_steering', {'taps': ['tap0'], 'state': 'absent'})['changed']"
    script = f"from {module} import run_module; assert {work}"
    subprocess.run(["ip", "netns", "exec", first, sys.executable, "-c", script], check=True)
    for _time in range(2):
        report = fleet.audit()
        assert states(report) == ["automatic"] * 3
        assert [device["drift"] for device in report["devices"]] == ["would attach", "", ""]
    text = (fleet.folder / "audit.txt").read_text(encoding="utf-8")
    assert f"{first} {first}/tap0: automatic: would attach" in text
