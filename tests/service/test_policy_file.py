# SPDX-License-Identifier: GPL-3.0-or-later
"""virtnet.rss.host_policy, and the service that reads what it writes."""

from __future__ import annotations

import json
import os
import stat
import subprocess
import typing as t
from pathlib import Path

import pytest

from ansible_collections.virtnet.rss.tests.support.eventually import eventually
from ansible_collections.virtnet.rss.tests.support.held_tap import HeldTap
from ansible_collections.virtnet.rss.tests.support.run_module import answer, run_module
from ansible_collections.virtnet.rss.tests.support.running import Running
from ansible_collections.virtnet.rss.tests.support.steered import info

FIRST = [{"name": "guests", "match": {"device": "tap*"}}]
SECOND = [{"name": "guests", "match": {"device": "tap*"}, "indirection": {"weight": [3, 1]}}]
KEY = ":".join(["5a"] * 40)


def policy(path: Path, *, check: bool = False, **options: t.Any) -> dict[str, t.Any]:
    return run_module("host_policy", {"path": str(path), **options}, check=check, diff=True)


def rules(path: Path) -> t.Any:
    return json.loads(path.read_text(encoding="utf-8"))["rules"]


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_the_service_obeys_it(service: Running, tap: HeldTap) -> None:
    path = service.policy / "50-steering.json"
    assert policy(path, rules=[{"match": {"device": tap.name}}])["changed"]
    service.start()
    eventually(lambda: info(tap.name)["state"] == "steered")
    assert policy(path, rules=[{"match": {"device": tap.name}, "state": "absent"}])["changed"]
    eventually(lambda: info(tap.name)["state"] == "automatic")
    assert policy(path, state="previous")["changed"]
    eventually(lambda: info(tap.name)["state"] == "steered")


def test_it_tells_what_it_would_do_and_does_it_once(tmp_path: Path) -> None:
    path = tmp_path / "virtnet-rss" / "policy.d" / "50-steering.json"
    told = policy(path, rules=FIRST, check=True)
    assert told["changed"] and '"device": "tap*"' in told["diff"]["after"] and told["diff"]["before"] == ""
    assert not path.parent.parent.exists()
    assert policy(path, rules=FIRST)["changed"]
    assert (mode(path), mode(path.parent), mode(path.parent.parent)) == (0o600, 0o700, 0o700)
    assert rules(path) == FIRST
    assert not policy(path, rules=FIRST)["changed"]
    path.chmod(0o644)
    right = policy(path, rules=FIRST)
    assert right["changed"] and mode(path) == 0o600
    assert not right["replaced"]  # the policy is the same: a rollback would go one too far back


def test_the_policy_before_the_last_change_comes_back(tmp_path: Path) -> None:
    path = tmp_path / "policy.d" / "50-steering.json"
    none = policy(path, state="previous")
    assert none["failed"] and "state: there is no way back: no older policy is kept in" in none["msg"]
    replaced = [policy(path, rules=wanted)["replaced"] for wanted in (FIRST, SECOND, SECOND)]
    assert replaced == [False, True, False]  # the same again is no change that could be taken back
    assert policy(path, state="previous", check=True)["changed"] and rules(path) == SECOND
    assert policy(path, state="previous")["changed"] and rules(path) == FIRST
    assert not policy(path, state="previous")["changed"]
    assert policy(path, state="absent")["changed"] and os.listdir(path.parent) == []
    assert not policy(path, state="absent")["changed"]


def test_what_is_no_policy_is_not_kept_for_a_rollback(tmp_path: Path) -> None:
    path = tmp_path / "policy.d" / "50-steering.json"
    policy(path, rules=FIRST)
    policy(path, rules=SECOND)
    path.write_text("edited by hand, and broken", encoding="utf-8")
    told = policy(path, rules=SECOND)
    assert told["diff"]["before"] == "not a policy\n"
    assert policy(path, state="previous")["changed"] and rules(path) == FIRST


@pytest.mark.parametrize(
    ("rule", "sentence"),
    [
        ({"hash_types": ["tcp4"]}, "policy: rules[1].hash_types[0]: 'tcp4' is not allowed; choose of ipv4, tcpv4"),
        ({"indirection": {"equal": 2, "table": [0]}}, "policy: rules[1].indirection"),
        ({"hash_key": "00ff"}, "policy: rules[1].hash_key: a key of 2 bytes is not allowed"),
        ({"match": {"divice": "tap*"}}, "divice"),
    ],
)
def test_a_wrong_rule_refuses_the_whole(tmp_path: Path, rule: dict[str, t.Any], sentence: str) -> None:
    path = tmp_path / "policy.d" / "50-steering.json"
    policy(path, rules=FIRST)
    for check in (True, False):
        refused = policy(path, rules=[*FIRST, rule], check=check)
        assert refused["failed"] and sentence in refused["msg"], refused
    assert rules(path) == FIRST and sorted(os.listdir(path.parent)) == ["50-steering.json"]


def test_a_key_is_told_by_its_fingerprint_only(tmp_path: Path) -> None:
    path = tmp_path / "policy.d" / "50-steering.json"
    other = ":".join(["6b"] * 40)
    policy(path, rules=[{"hash_key": KEY}])
    said = answer("host_policy", {"path": str(path), "rules": [{"hash_key": other}]}, diff=True)
    assert said.result["changed"] and said.result["diff"]["before"] != said.result["diff"]["after"]
    for key in (KEY, other):
        assert key not in said.output and key.replace(":", "") not in said.output
    assert said.result["diff"]["after"].count("SHA256:") == 1


def test_a_folder_that_others_may_write_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "policy.d" / "50-steering.json"
    path.parent.mkdir()
    path.parent.chmod(0o777)
    for check in (True, False):
        refused = policy(path, rules=FIRST, check=check)
        assert refused["failed"] and "others may write the folder" in refused["msg"]
    assert os.listdir(path.parent) == []


@pytest.mark.parametrize("name", ["50-steering.yml", ".50-steering.json"])
def test_a_file_that_the_service_would_not_read_is_refused(tmp_path: Path, name: str) -> None:
    for check in (True, False):
        refused = policy(tmp_path / name, rules=FIRST, check=check)
        assert refused["failed"] and refused["msg"].startswith(f"path: the name {name} is not allowed; it ends in")
    assert os.listdir(tmp_path) == []


def test_a_full_disk_leaves_the_policy_in_force(tmp_path: Path) -> None:
    path = tmp_path / "policy.d" / "50-steering.json"
    path.parent.mkdir(mode=0o700)
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=12k,mode=0700", "none", str(path.parent)], check=True)
    try:
        policy(path, rules=FIRST)
        refused = policy(path, rules=SECOND * 500)
        assert refused["failed"] and refused["msg"] == f"path: {path}: No space left on device"
        assert rules(path) == FIRST and not [name for name in os.listdir(path.parent) if name.startswith(".")]
    finally:
        subprocess.run(["umount", "--lazy", str(path.parent)], check=True)
