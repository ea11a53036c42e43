# SPDX-License-Identifier: GPL-3.0-or-later
"""What the service makes of its policy: the first rule that matches, and what it refuses to obey."""

from __future__ import annotations

import json
import os
import signal

import pytest

from ansible_collections.virtnet.rss.tests.support import foreign
from ansible_collections.virtnet.rss.tests.support.eventually import eventually
from ansible_collections.virtnet.rss.tests.support.held_tap import HeldTap
from ansible_collections.virtnet.rss.tests.support.running import Running
from ansible_collections.virtnet.rss.tests.support.steered import (
    FRAMES,
    KEY,
    OTHER_KEY,
    RULE,
    assert_steered,
    expected,
    info,
    wait_until_steered,
)


def test_rules(service: Running, tap: HeldTap) -> None:
    """The first that matches decides."""
    service.write({"match": {"device": "tap0"}, "state": "ignore"}, RULE)
    service.start()
    with HeldTap("tap1") as second:
        wait_until_steered("tap1")
        assert info()["state"] == "automatic"
        service.write({"match": {"holder": "no such*"}, "state": "absent"}, RULE)
        wait_until_steered()
        service.write({"match": {"holder": "python*"}, "state": "absent"}, RULE)
        eventually(lambda: info()["state"] == info("tap1")["state"] == "automatic", 2)
        assert second.pid


def test_another_policy_needs_no_restart(service: Running, tap: HeldTap) -> None:
    service.write(RULE)
    service.start()
    service.write({**RULE, "hash_key": OTHER_KEY.hex()})
    eventually(lambda: sorted(tap.send(FRAMES)) == expected(OTHER_KEY), 3)
    assert service.process
    service.forget_notifications()
    service.process.send_signal(signal.SIGHUP)
    eventually(lambda: service.notified("RELOADING=1") and service.notified("READY=1"))


BROKEN = [
    ('{"rules": [', "the document is no JSON"),
    ('{"rules": [{"match": {"devise": "tap*"}}]}', "rules[0].match: 'devise' is not allowed"),
    ('{"rules": [{"hash_types": ["tcp"]}]}', "rules[0].hash_types[0]: 'tcp' is not allowed"),
]


@pytest.mark.parametrize(("text", "sentence"), BROKEN)
def test_a_broken_policy_leaves_the_one_in_force(service: Running, tap: HeldTap, text: str, sentence: str) -> None:
    service.write(RULE)
    service.start()
    (service.policy / "20.json").write_text(text, encoding="utf-8")
    eventually(lambda: sentence in service.status_text())
    foreign.detach(tap)
    wait_until_steered()
    assert_steered(tap)
    assert sentence in service.command("check", check=False).stderr
    (service.policy / "20.json").unlink()
    eventually(lambda: "policy refused" not in service.status_text())


def test_a_refused_folder_is_read_again_when_its_mode_is_right(service: Running, tap: HeldTap) -> None:
    """Nothing in it changes."""
    service.write(RULE)
    service.policy.chmod(0o777)
    service.start()
    assert "others may write the folder" in service.status_text() and info()["state"] == "automatic"
    service.policy.chmod(0o755)
    eventually(lambda: service.status_text() == "STATUS=1 of 1 devices steered", 2)
    assert_steered(tap)
    assert "the policy is refused, none is in force, so devices stay as they are: " in service.stop()


def test_a_key_that_everybody_may_read_is_refused(service: Running) -> None:
    service.write(RULE, mode=0o644)
    refused = service.command("check", check=False)
    assert refused.returncode == 1 and "its mode is 0600" in refused.stderr
    assert KEY.hex() not in refused.stderr


@pytest.mark.parametrize(
    ("what", "sentence"), [("owner", "belongs to root"), ("folder", "others may write the folder")]
)
def test_a_policy_that_others_could_change_is_refused(service: Running, what: str, sentence: str) -> None:
    service.write(RULE)
    assert service.command("check", check=False).returncode == 0
    if what == "owner":
        os.chown(service.policy / "10.json", 65534, 65534)
    else:
        service.policy.chmod(0o777)
    refused = service.command("check", check=False)
    assert refused.returncode != 0 and sentence in refused.stderr + refused.stdout


@pytest.mark.parametrize("command", ["apply", "check"])
def test_a_folder_that_is_not_there_is_no_empty_policy(service: Running, command: str) -> None:
    """K8, row 14: a mistyped path ended well."""
    missing = str(service.policy / "none")
    refused = service.command(command, "--policy", missing, files=False, check=False)
    assert refused.returncode == 1 and f"{missing}: the folder cannot be read" in refused.stderr


def test_a_file_that_shall_be_part_of_the_policy_may_belong_to_who_brings_it(service: Running) -> None:
    """The role has it checked as the user that Ansible connects as has brought it, before it takes its place."""
    service.write(RULE)
    os.chown(service.policy / "10.json", 65534, 65534)
    assert service.command("check", str(service.policy / "10.json"), check=False).returncode == 0


def test_a_large_file_that_is_no_policy(service: Running, tap: HeldTap) -> None:
    """K6, row 1: a datagram that repeats it would not reach systemd, which takes the silence for a death. As the first
    policy, and in the place of one."""
    path = service.policy / "10.json"
    path.write_text("x" * 400_000, encoding="utf-8")
    path.chmod(0o600)
    service.start()  # until it says that it is ready
    eventually(lambda: service.status_text().startswith("STATUS=0 of 0 devices steered; policy refused: "))
    service.write(RULE)
    eventually(lambda: service.status_text() == "STATUS=1 of 1 devices steered")
    path.write_text(json.dumps(["x" * 400_000]), encoding="utf-8")
    eventually(lambda: "policy refused" in service.status_text())
    for _round in range(2):
        service.forget_notifications()
        eventually(lambda: service.notified("WATCHDOG=1"), 1.9)
    assert len(service.status_text()) < 1000 and len(service.status_file.read_text(encoding="utf-8")) < 4000
    assert_steered(tap)
    assert len(service.stop()) < 4000
