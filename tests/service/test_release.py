# SPDX-License-Identifier: GPL-3.0-or-later
"""Devices are given back: all of them, or those that are named, and never one that a policy still speaks of."""

from __future__ import annotations

import json
import os
import subprocess
import typing as t

import pytest

from ansible_collections.virtnet.rss.tests.support.held_tap import HeldTap
from ansible_collections.virtnet.rss.tests.support.running import Running
from ansible_collections.virtnet.rss.tests.support.steered import RULE, attach_foreign, info


@pytest.fixture
def both(service: Running, tap: HeldTap) -> t.Iterator[None]:
    """tap0 and tap1, steered."""
    with HeldTap("tap1") as second:
        service.write(RULE)
        service.command("apply")
        assert states() == ["steered", "steered"] and tap.pid and second.pid
        yield


def states() -> list[str]:
    return [info(name)["state"] for name in ("tap0", "tap1")]


def released(service: Running, *words: str, netns: str = "") -> list[tuple[str, str]]:
    """In this network namespace: this host may have others' devices."""
    rows = json.loads(service.command("release", "--json", "--netns", netns, *words).stdout)
    return sorted((row["name"], row["action"]) for row in rows)


def key(name: str) -> str:
    found = info(name)
    return f"{found['netns_inode']}/{found['ifindex']}"


@pytest.mark.usefixtures("both")
def test_named(service: Running) -> None:
    """The other one keeps its program, and one that has gone is no error."""
    gone = f"{info('tap0')['netns_inode']}/99999"
    assert released(service, "--dry-run", key("tap0"), gone) == [("tap0", "detach")]
    assert states() == ["steered", "steered"]
    assert released(service, key("tap0"), gone) == [("tap0", "detach")]
    assert states() == ["automatic", "steered"]
    assert released(service, key("tap0")) == []


@pytest.mark.usefixtures("both")
def test_unless_a_program_steers_it(service: Running) -> None:
    kept = str(info("tap0")["program"]["id"])
    assert released(service, "--unless-program", kept, "--dry-run") == [("tap1", "detach")]
    assert released(service, "--unless-program", kept, "--unless-program", "1") == [("tap1", "detach")]
    assert states() == ["steered", "automatic"]


@pytest.mark.usefixtures("both")
def test_unless_a_policy_speaks_of_it(service: Running) -> None:
    service.write({"match": {"device": "tap1"}, "state": "ignore"}, RULE)
    assert released(service, "--unless-policy", str(service.policy), key("tap0"), key("tap1")) == [("tap1", "detach")]
    assert states() == ["steered", "automatic"]


def test_all_but_what_is_not_ours(service: Running, tap: HeldTap) -> None:
    """Also in a namespace that has no name, as a container's."""
    command = ["unshare", "--net", "sh", "-c", "ip tuntap add tap7 mode tap multi_queue; echo; exec sleep 60"]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as container:
        try:
            assert container.stdout and container.stdout.readline() == b"\n"
            queues = {"indirection": {"equal": 4}, "allow_future_queues": True}
            service.write({**RULE, "match": {"device": "tap7", "netns": "*"}, **queues})
            service.command("apply")
            attach_foreign(tap)
            netns = f"ns:{os.stat(f'/proc/{container.pid}/ns/net').st_ino}"
            assert released(service, "--all", "--dry-run") == []
            assert released(service, "--all", "--dry-run", netns=netns) == [("tap7", "detach")]
            assert released(service, "--all", netns=netns) == [("tap7", "detach")]
            assert released(service, "--all", netns=netns) == [] and info()["state"] == "foreign"
        finally:
            container.kill()


@pytest.mark.usefixtures("both")
def test_by_name(service: Running) -> None:
    """In this network namespace: others have devices of the same names."""
    assert released(service, "tap[0]") == [("tap0", "detach")]
    assert released(service, "tap1") == [("tap1", "detach")]
    assert released(service, "tap1") == []


@pytest.mark.usefixtures("both")
@pytest.mark.parametrize(("words", "status"), [(("nothere",), 1), (("nothere*",), 1), ((), 2), (("tap0", "--all"), 2)])
def test_words_that_mean_nothing(service: Running, words: tuple[str, ...], status: int) -> None:
    """Above all, nobody releases everything by leaving something out."""
    refused = service.command("release", *words, check=False)
    assert refused.returncode == status and refused.stderr.startswith("virtnet-rss: ") and not refused.stdout
    assert states() == ["steered", "steered"]
