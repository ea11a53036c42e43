# SPDX-License-Identifier: GPL-3.0-or-later
"""The playbooks over a small fleet, with guests that get packets all the time."""

from __future__ import annotations

import json
import re
import shlex
import subprocess
import sys
import typing as t
from pathlib import Path

import pytest

from ansible_collections.virtnet.rss.tests.support.namespaces import NOBODY_LISTENS, Fleet
from ansible_collections.virtnet.rss.tests.support.refuse_call import refusing
from ansible_collections.virtnet.rss.tests.support.rollouts import BAD, GOOD, MORE, QUICK, busy_fleet, states
from ansible_collections.virtnet.rss.tests.support.run_module import run_module


@pytest.fixture
def fleet(tmp_path: Path) -> t.Iterator[Fleet]:
    with busy_fleet(tmp_path, 3) as made:
        yield made


def test_rollout(fleet: Fleet) -> None:
    """A bad change stops at the first host and is rolled back there; a good one goes everywhere, and a bad one after it
    gives way to the good one again."""
    bad = fleet.playbook("virtnet.rss.rollout", steering_rules=BAD, **QUICK)
    assert bad.returncode != 0
    assert (
        f"Rolled back, for the batch is worse off: {fleet.names[0]}: tap0: one of 4 queues gets 100 % of" in bad.stdout
    )
    assert fleet.names[1] not in bad.stdout
    assert fleet.states() == ["automatic"] * 3

    good = fleet.playbook("virtnet.rss.rollout", steering_rules=GOOD, **QUICK)
    assert good.returncode == 0, good.stdout + good.stderr
    report = fleet.audit()
    assert states(report) == ["steered"] * 3 and report["totals"]["drift"] == 0
    assert [device["packets"] for device in report["devices"] if device["spread"] >= 2] == []

    worse = fleet.playbook("virtnet.rss.rollout", steering_rules=BAD, **QUICK)
    assert worse.returncode != 0 and ", before " in worse.stdout
    report = fleet.audit()
    assert states(report) == ["steered"] * 3 and report["totals"]["drift"] == 0


def test_a_host_on_which_nothing_would_change_is_left_alone(fleet: Fleet) -> None:
    """It is not watched, judged or rolled back, however bad its guests fare: no change of ours made them so."""
    first = fleet.names[0]
    assert fleet.playbook("virtnet.rss.rollout", steering_rules=GOOD, rollout_hosts=first, **QUICK).returncode == 0
    any_is_worse = {**QUICK, "rollout_max_drops": -1}
    again = fleet.playbook("virtnet.rss.rollout", steering_rules=GOOD, rollout_hosts=first, **any_is_worse)
    assert again.returncode == 0, again.stdout + again.stderr
    assert "Watch the guests" not in again.stdout and "Judge" not in again.stdout
    assert fleet.states() == ["steered", "automatic", "automatic"]


def test_a_host_that_an_interrupted_run_left_half_way_is_rolled_back(fleet: Fleet) -> None:
    """Its policy is as wanted, but nobody obeyed it: what the second run changes is the steering itself."""
    first = fleet.names[0]
    path = str(fleet.folder / first / "etc" / "policy.d" / "50-steering.json")
    assert run_module("host_policy", {"path": path, "rules": GOOD})["changed"]
    any_is_worse = {**QUICK, "rollout_max_drops": -1}
    stopped = fleet.playbook("virtnet.rss.rollout", steering_rules=GOOD, rollout_hosts=first, **any_is_worse)
    assert stopped.returncode != 0 and "the batch is worse off" in stopped.stdout
    assert fleet.states() == ["automatic"] * 3


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
    module = "ansible_collections.virtnet.rss.tests.support.run_module"
    work = "run_module('tap_steering', {'taps': ['tap0'], 'state': 'absent'})['changed']"
    script = f"from {module} import run_module; assert {work}"
    subprocess.run(["ip", "netns", "exec", first, sys.executable, "-c", script], check=True)
    for _time in range(2):
        report = fleet.audit()
        assert states(report) == ["automatic"] * 3
        assert [device["drift"] for device in report["devices"]] == ["would attach", "", ""]
    text = (fleet.folder / "audit.txt").read_text(encoding="utf-8")
    assert f"{first} {first}/tap0: automatic: would attach" in text


def test_nothing_is_changed_where_a_host_cannot_be_looked_at(fleet: Fleet) -> None:
    blind = fleet.names[0]
    fleet.give({"rollout_netns": "no-such-namespace"}, blind)
    stopped = fleet.playbook("virtnet.rss.rollout", steering_rules=GOOD, **{**QUICK, "rollout_serial": ["100%"]})
    assert stopped.returncode != 0
    assert f"Nothing was changed in this batch: {blind}: it cannot be looked at: " in stopped.stdout
    assert not any((fleet.folder / name / "etc" / "policy.d").exists() for name in fleet.names)


@pytest.mark.parametrize("required", [False, True])
def test_a_host_that_cannot_steer(fleet: Fleet, required: bool) -> None:
    """It is told, and keeps automatic selection; where steering is required, nothing of it is changed."""
    first = fleet.names[0]
    interpreter = fleet.folder / first / "python3"
    denied = f"exec {shlex.join(refusing('EPERM'))} ip netns exec"
    interpreter.write_text(
        interpreter.read_text(encoding="ascii").replace("exec ip netns exec", denied), encoding="ascii"
    )
    done = fleet.playbook(
        "virtnet.rss.rollout", steering_rules=GOOD, rollout_hosts=first, steering_required=required, **QUICK
    )
    assert (done.returncode != 0) == required, done.stdout + done.stderr
    assert "a seccomp filter" in done.stdout
    assert ("This host cannot steer: " in done.stdout) == required
    assert (fleet.folder / first / "etc").exists() == (not required)
    assert states(fleet.audit()) == ["unknown", "automatic", "automatic"]


def test_a_host_that_fails_has_its_whole_batch_rolled_back(fleet: Fleet) -> None:
    """Its neighbours have the change already when it fails, and their guests are no worse."""
    at_once = {**QUICK, "rollout_serial": ["100%"]}
    assert fleet.playbook("virtnet.rss.rollout", steering_rules=GOOD, **at_once).returncode == 0
    program = fleet.folder / fleet.names[1] / "virtnet-rss"
    program.write_text("#!/bin/sh\nexit 3\n", encoding="ascii")
    subprocess.run(["chattr", "+i", str(program)], check=True)  # the role can neither replace nor run it
    try:
        failed = fleet.playbook("virtnet.rss.rollout", steering_rules=MORE, **at_once)
    finally:
        subprocess.run(["chattr", "-i", str(program)], check=True)
    assert failed.returncode != 0
    outcomes = re.findall(r"^(\S+): (Rolled back|NOT rolled back)", failed.stdout, re.MULTILINE)
    assert f"{fleet.names[1]}: the change failed: " in failed.stdout
    assert ("Rolled back" in dict(outcomes)[fleet.names[0]], "Rolled back" in dict(outcomes)[fleet.names[2]]) == (
        True,
        True,
    )
    for name in fleet.names:
        path = fleet.folder / name / "etc" / "policy.d" / "50-steering.json"
        assert json.loads(path.read_text(encoding="utf-8"))["rules"] == GOOD, name


def test_a_host_that_is_lost_has_its_batch_rolled_back(fleet: Fleet) -> None:
    """A change that takes a host off the network must not go on to the next batch."""
    lost, neighbour, untouched = fleet.names
    connection = "{{ 'ssh' if (rollout_change | default({})).changed | default(false) else 'local' }}"
    fleet.give({**NOBODY_LISTENS, "ansible_connection": connection}, lost)
    stopped = fleet.playbook("virtnet.rss.rollout", steering_rules=GOOD, **{**QUICK, "rollout_serial": [2, 1]})
    assert stopped.returncode != 0
    assert f"for the batch is worse off: {lost}: it does not answer any more" in stopped.stdout
    assert f"{neighbour}: Rolled back\n{lost}: NOT rolled back" in stopped.stdout or (
        f"{lost}: NOT rolled back (it does not answer any more)\n{neighbour}: Rolled back" in stopped.stdout
    )
    assert untouched not in stopped.stdout
    assert not (fleet.folder / neighbour / "virtnet-rss").exists()


def test_what_only_the_newer_policy_steered_is_given_back(fleet: Fleet) -> None:
    """A policy leaves alone what it does not speak of: going back to it would leave the newer one's program there."""
    first = fleet.names[0]
    here = {**QUICK, "rollout_hosts": first}
    others = [{"name": "others", "match": {"device": "vnet*"}}]
    assert fleet.playbook("virtnet.rss.rollout", steering_rules=others, **here).returncode == 0
    assert fleet.states() == ["automatic"] * 3
    bad = fleet.playbook("virtnet.rss.rollout", steering_rules=BAD, **here)
    assert bad.returncode != 0 and "Rolled back" in bad.stdout
    assert fleet.states() == ["automatic"] * 3


def test_a_host_without_an_older_policy_is_not_rolled_back_unless_asked(fleet: Fleet) -> None:
    first = fleet.names[0]
    assert fleet.playbook("virtnet.rss.rollout", steering_rules=GOOD, rollout_hosts=first, **QUICK).returncode == 0
    kept = fleet.playbook("virtnet.rss.rollback", rollback_hosts=first)
    assert kept.returncode == 0 and "No older policy is kept" in kept.stdout
    assert fleet.states() == ["steered", "automatic", "automatic"]
    # As one gives it on the command line, where every value is a text.
    kept = fleet.playbook("virtnet.rss.rollback", "-e", "rollback_remove=false", rollback_hosts=first)
    assert kept.returncode == 0 and "No older policy is kept" in kept.stdout
    assert fleet.states() == ["steered", "automatic", "automatic"]
    removed = fleet.playbook("virtnet.rss.rollback", "-e", "rollback_remove=true", rollback_hosts=first)
    assert removed.returncode == 0, removed.stdout + removed.stderr
    assert fleet.states() == ["automatic"] * 3


@pytest.mark.parametrize("had_service", [False, True])
def test_what_a_task_had_steered_before_the_rollout_stays(fleet: Fleet, had_service: bool) -> None:
    """It is rolled back, on a host without service or with a policy for others: the device keeps the program it had."""
    first = fleet.names[0]
    fleet.hold(first, "tap1")
    if had_service:
        others = [{"name": "others", "match": {"device": "vnet*"}}]
        before = fleet.playbook("virtnet.rss.rollout", steering_rules=others, rollout_hosts=first, **QUICK)
        assert before.returncode == 0, before.stdout + before.stderr
    steered = fleet.playbook("virtnet.rss.steer", steer_hosts=first, steering_taps=["tap0"])
    assert steered.returncode == 0, steered.stdout + steered.stderr
    since = [device["since"] for device in fleet.audit()["devices"]]
    here = {**QUICK, "rollout_hosts": first, "rollout_max_drops": -1}
    stopped = fleet.playbook("virtnet.rss.rollout", steering_rules=GOOD, **here)
    assert stopped.returncode != 0 and "Rolled back" in stopped.stdout
    report = fleet.audit()
    assert states(report) == ["steered", "automatic", "automatic", "automatic"]
    assert [device["since"] for device in report["devices"]] == since


def test_metrics_in_a_place_that_nobody_reads_are_refused(fleet: Fleet) -> None:
    """Before anything is changed."""
    wrong = {"steering_metrics_file": "/var/lib/metrics"}
    done = fleet.playbook("virtnet.rss.rollout", steering_rules=GOOD, **wrong, **QUICK)
    assert done.returncode != 0
    assert "metrics_file: '/var/lib/metrics' is not allowed; an absolute path that ends in .prom" in (
        " ".join(done.stdout.split())
    )
    assert not any((fleet.folder / name / "etc").exists() for name in fleet.names)


def test_an_absent_role_leaves_no_man_page(fleet: Fleet, tmp_path: Path) -> None:
    first = fleet.names[0]
    program = fleet.folder / first / "sbin" / "virtnet-rss"
    program.parent.mkdir()
    play = tmp_path / "play.yml"
    play.write_text("- {hosts: all, gather_facts: false, roles: [virtnet.rss.steering]}\n", encoding="ascii")
    for state, files, changed in (("present", 3, True), ("absent", 0, True), ("absent", 0, False)):
        done = fleet.playbook(
            str(play), "--limit", first, steering_program=str(program), steering_state=state, steering_rules=GOOD
        )
        assert done.returncode == 0 and ("changed=0" in done.stdout) != changed, done.stdout + done.stderr
        assert sum(path.is_file() for path in (program.parents[1] / "share").rglob("*")) == files, done.stdout
