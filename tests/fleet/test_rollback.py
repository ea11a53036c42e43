# SPDX-License-Identifier: GPL-3.0-or-later
"""What a rollback takes back, and that check mode tells the same beforehand."""

from __future__ import annotations

import json
import subprocess
import typing as t
from pathlib import Path

import pytest

from ansible_collections.virtnet.rss.tests.support.namespaces import Fleet
from ansible_collections.virtnet.rss.tests.support.rollouts import GOOD, MORE, QUICK, busy_fleet
from ansible_collections.virtnet.rss.tests.support.run_module import run_module

OTHERS = [{"name": "others", "match": {"device": "vnet*"}}]
OLD_PROGRAM = "#!/bin/sh\n# of an older release\n"
OTHER_PROGRAM = "#!/bin/sh\n# of the release between\n"
EVEN_MORE = [{"name": "guests", "match": {"device": "tap*"}, "default_queue": 2}]


@pytest.fixture
def fleet(tmp_path: Path) -> t.Iterator[Fleet]:
    with busy_fleet(tmp_path, 1, "rssrb") as made:
        yield made


class Host:
    """The one host of a fleet, by its module."""

    def __init__(self, fleet: Fleet) -> None:
        self.name = fleet.names[0]
        self.folder = fleet.folder / self.name
        self.program = self.folder / "virtnet-rss"

    def run(self, *, check: bool = False, fails: bool = False, **options: t.Any) -> dict[str, t.Any]:
        given = {"program": str(self.program), "folder": str(self.folder / "etc"), **options}
        inside = ("ip", "netns", "exec", self.name)
        result = run_module("host_steering", given, check=check, diff=True, wrapper=inside)
        assert bool(result.get("failed")) == fails, result
        return result

    def files(self) -> dict[str, bytes]:
        return {str(path): path.read_bytes() for path in sorted(self.folder.rglob("*")) if path.is_file()}


def of_the_service(files: dict[str, bytes]) -> dict[str, bytes]:
    """What it reads and runs."""
    return {
        path: content for path, content in files.items() if not path.endswith((".previous", ".lock", "-change.json"))
    }


def told(result: dict[str, t.Any]) -> tuple[t.Any, ...]:
    """What a reader of a result goes by; a device that was changed is as wanted afterwards."""
    devices = [(row["name"], row["rule"]) for row in result["devices"]]
    return result["changed"], result["undone"], result["diff"], result["parts"], result["given_back"], devices


def test_policy_and_program_go_back_and_check_mode_tells_it(fleet: Fleet) -> None:
    host = Host(fleet)
    host.run(rules=GOOD)
    host.program.write_text(OLD_PROGRAM, encoding="ascii")
    before = host.files()
    assert host.run(rules=MORE)["parts"] == {"policy": True, "program": True}
    changed = host.files()

    foretold = host.run(state="previous", check=True)
    assert host.files() == changed and fleet.states() == ["steered"]
    done = host.run(state="previous")
    assert told(foretold) == told(done)
    assert done["changed"] and done["parts"] == {"policy": True, "program": True}
    assert ["default_queue" in difference["before"] for difference in done["diff"]] == [True, False]
    assert not any("default_queue" in difference["after"] for difference in done["diff"])
    assert of_the_service(host.files()) == of_the_service(before)
    assert host.program.read_text(encoding="ascii") == OLD_PROGRAM
    for check in (True, False):  # as one does where another host of the pattern did not answer
        again = host.run(state="previous", check=check)
        assert (again["changed"], again["undone"]) == (False, False)
    assert of_the_service(host.files()) == of_the_service(before)


def test_a_second_try_with_a_newer_release_goes_back_to_the_program_before_it(fleet: Fleet) -> None:
    """Though the first try, which nobody has judged, had changed the policy alone."""
    host = Host(fleet)
    host.run(rules=GOOD)
    host.program.write_text(OLD_PROGRAM, encoding="ascii")
    host.run(rules=GOOD)  # of which the older one is kept
    host.run(rules=MORE, step="change", rollout="1.0")
    host.program.write_text(OTHER_PROGRAM, encoding="ascii")
    before = host.files()
    assert host.run(rules=EVEN_MORE, step="change", rollout="2.0")["parts"] == {"policy": True, "program": True}
    host.run(state="previous", rollout="2.0")
    policy = next(path for path in before if path.endswith(".json") and "policy" in path)
    assert host.program.read_text(encoding="ascii") == OTHER_PROGRAM
    assert json.loads(host.files()[policy])["rules"] == GOOD


def test_a_change_that_a_full_disk_stopped_goes_back_to_what_was_before_it(fleet: Fleet) -> None:
    """The policy was written, the program was not: of this the older one is two releases old."""
    host = Host(fleet)
    small = host.folder / "small"
    small.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", small], check=True)
    try:
        host.program = small / "virtnet-rss"
        host.run(rules=GOOD)
        host.program.write_text(OLD_PROGRAM, encoding="ascii")
        host.run(rules=GOOD)
        host.program.write_text(OTHER_PROGRAM, encoding="ascii")
        subprocess.run(["mount", "-o", "remount,size=32k", small], check=True)
        failed = host.run(rules=MORE, step="change", rollout="1.0", fails=True)
        assert "No space left on device" in failed["msg"]
        host.run(state="previous", rollout="1.0")
        assert host.program.read_text(encoding="ascii") == OTHER_PROGRAM
        (policy,) = (host.folder / "etc" / "policy.d").glob("*.json")
        assert json.loads(policy.read_text(encoding="utf-8"))["rules"] == GOOD
    finally:
        subprocess.run(["umount", "--lazy", small], check=True)


def test_a_change_to_a_place_that_is_not_there_takes_nothing_away(fleet: Fleet) -> None:
    """The host has a service, so it is not new, though the place of its program is."""
    host = Host(fleet)
    host.run(rules=GOOD)
    before = host.files()
    elsewhere = host.folder / "none" / "virtnet-rss"
    failed = host.run(program=str(elsewhere), rules=MORE, step="change", rollout="1.0", fails=True)
    assert "No such file or directory" in failed["msg"]
    assert host.run(program=str(elsewhere), state="previous", rollout="1.0")["undone"]
    assert of_the_service(host.files()) == of_the_service(before) and fleet.states() == ["steered"]


def test_a_policy_in_another_folder_goes_again(fleet: Fleet) -> None:
    host = Host(fleet)
    host.run(rules=OTHERS)
    other = host.folder / "other"
    host.run(folder=str(other), rules=GOOD)
    assert fleet.states() == ["steered"]
    host.run(folder=str(other), state="previous")
    assert not list((other / "policy.d").glob("*.json"))
    assert json.loads((host.folder / "etc" / "policy.d" / "50-steering.json").read_text())["rules"] == OTHERS


def test_a_task_that_failed_half_way_and_came_to_its_end_needs_no_verdict(fleet: Fleet) -> None:
    """Nobody has watched the guests before it: a rollout has nothing to judge it by, and undoes nothing."""
    host = Host(fleet)
    host.run(rules=GOOD)
    record = host.folder / "etc" / "last-change.json"
    half_way = {**json.loads(record.read_text()), "stage": "changing"}
    record.write_text(json.dumps(half_way))
    begun = host.run(rules=GOOD, step="begin")
    assert (begun["would_change"], begun["pending"]) == (False, False)
    assert host.run(rules=GOOD, step="change", rollout="1.0")["changed"] is False
    assert not host.run(state="previous", rollout="2.0")["undone"]
    record.write_text(json.dumps(half_way))
    host.run(rules=GOOD)
    assert json.loads(record.read_text())["stage"] == "accepted"


def test_a_change_without_a_verdict_is_undone_with_the_next_rollout(fleet: Fleet) -> None:
    """Also where the next one's change has failed before it had begun."""
    host = Host(fleet)
    host.run(rules=GOOD)
    for step in ("begin", "change"):
        host.run(rules=MORE, step=step, rollout="killed")
    assert host.run(rules=MORE, step="begin")["pending"]
    assert host.run(state="previous", rollout="next")["undone"]
    (policy,) = (host.folder / "etc" / "policy.d").glob("*.json")
    assert json.loads(policy.read_text(encoding="utf-8"))["rules"] == GOOD


@pytest.mark.parametrize("name", ["10-site.json", "50-steering.json"])
def test_a_broken_policy_is_no_hindrance(fleet: Fleet, name: str) -> None:
    host = Host(fleet)
    for rules in (GOOD, MORE):
        host.run(rules=rules)
    policies = host.folder / "etc" / "policy.d"
    (policies / name).write_text("{", encoding="utf-8")
    (policies / name).chmod(0o600)
    result = host.run(state="previous")
    assert result["undone"] and any("refused" in warning for warning in result["warnings"]), result["warnings"]
    assert json.loads((policies / "50-steering.json").read_text(encoding="utf-8"))["rules"] == GOOD


def test_what_would_be_given_back(fleet: Fleet) -> None:
    host = Host(fleet)
    host.run(rules=OTHERS)
    host.run(rules=GOOD)
    foretold = host.run(state="previous", check=True)
    assert fleet.states() == ["steered"]
    done = host.run(state="previous")
    assert told(foretold) == told(done) and done["given_back"] == ["tap0"]
    assert fleet.states() == ["automatic"]


def test_a_removal_shows_what_it_takes_away(fleet: Fleet) -> None:
    host = Host(fleet)
    host.run(rules=GOOD)
    before = host.files()
    foretold = host.run(state="absent", check=True)
    assert host.files() == before and fleet.states() == ["steered"]
    done = host.run(state="absent")
    assert (foretold["diff"], foretold["given_back"]) == (done["diff"], done["given_back"])
    assert [difference["after"] for difference in done["diff"]] == ["", ""] and done["given_back"] == ["tap0"]
    assert not host.program.exists() and fleet.states() == ["automatic"]
    assert not (host.folder / "etc").exists()
    assert not host.run(state="absent")["changed"]


def test_the_playbook_tells_the_difference(fleet: Fleet) -> None:
    for rules in (GOOD, MORE):
        assert fleet.playbook("virtnet.rss.rollout", steering_rules=rules, **QUICK).returncode == 0
    foretold = fleet.playbook("virtnet.rss.rollback", "--check", "--diff", rollback_hosts="all")
    assert foretold.returncode == 0 and '-            "default_queue": 1' in foretold.stdout, foretold.stdout
    done = fleet.playbook("virtnet.rss.rollback", "--diff", rollback_hosts="all")
    assert done.returncode == 0 and done.stdout == foretold.stdout


def test_hosts_must_be_named(fleet: Fleet) -> None:
    """K8, row 14: without them nothing is done, and that is no success."""
    refused = fleet.playbook("virtnet.rss.rollback")
    assert refused.returncode != 0 and "-e rollback_hosts=PATTERN" in refused.stdout + refused.stderr
    assert fleet.names[0] not in refused.stdout


def test_a_removal_takes_nothing_of_others(fleet: Fleet) -> None:
    """The folder may be one that others use, and an operator may have rules of his own beside ours."""
    host = Host(fleet)
    policies = host.folder / "etc" / "policy.d"
    host.run(rules=GOOD)
    site, other = policies / "10-site.json", host.folder / "etc" / "other"
    site.write_text(json.dumps({"rules": OTHERS}), encoding="utf-8")
    site.chmod(0o600)
    other.mkdir()
    (policies / ".50-steering.json.0123456789ab").touch()  # of one that was killed
    for check in (True, False):
        told_of = host.run(state="absent", check=check)
        assert told_of["changed"] and sorted(told_of["warnings"]) == [
            f"{other} is none of ours, and stays",
            f"{site} is none of ours, and stays",
        ]
    assert sorted(policies.iterdir()) == [site] and sorted((host.folder / "etc").iterdir()) == [other, policies]
    assert not host.run(state="absent")["changed"]


TABLE = {"table": [entry % 4 for entry in range(512)]}
NOT_ALLOWED: list[tuple[dict[str, t.Any], str]] = [
    ({"folder": "etc/kvm"}, "folder: 'etc/kvm' is not allowed; it is an absolute path"),
    ({"folder": "/"}, "folder: '/' is not allowed"),
    ({"folder": "/etc/../kvm"}, "folder: '/etc/../kvm' is not allowed"),
    ({"folder": "/etc/k v m", "state": "absent"}, "folder: '/etc/k v m' is not allowed"),
    ({"program": "/usr/local/bin/%i"}, "program: '/usr/local/bin/%i' is not allowed"),
    ({"max_share": 90}, "max_share: 90.0 is not allowed; it is a part of the packets, 0 to 1"),
    ({"max_drops": 5}, "max_drops: 5.0 is not allowed"),
    ({"max_growth": "nan"}, "max_growth: a large number is not allowed"),
    ({"min_packets": -1}, "min_packets: -1 is not allowed"),
    ({"wait": "inf"}, "wait: a large number is not allowed; it is a number of seconds"),
    ({"observe": -1, "state": "look"}, "observe: -1.0 is not allowed"),
    (
        {"rules": [{"match": {"device": f"a{number}"}, "indirection": TABLE} for number in range(200)]},
        "policy: it would have",
    ),
]


def test_what_is_refused_before_anything_is_done(fleet: Fleet) -> None:
    host = Host(fleet)
    host.run(rules=GOOD)
    before = host.files()
    for options, sentence in NOT_ALLOWED:
        refused = host.run(**{"rules": MORE, **options}, fails=True)
        assert refused["msg"].startswith(sentence), refused["msg"]
        assert host.files() == before
    assert fleet.states() == ["steered"]
