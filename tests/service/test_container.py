# SPDX-License-Identifier: GPL-3.0-or-later
"""The service in a container with the host's network and process ids of its own, and guests in one that has no name."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import typing as t
from pathlib import Path

import pytest

from ansible_collections.virtnet.rss.tests.support.eventually import eventually
from ansible_collections.virtnet.rss.tests.support.held_tap import HeldTap
from ansible_collections.virtnet.rss.tests.support.run_module import COLLECTION, TREE, run_module
from ansible_collections.virtnet.rss.tests.support.running import Running
from ansible_collections.virtnet.rss.tests.support.steered import (
    RULE,
    assert_steered,
    info,
    samples,
    wait_until_steered,
)

OWN_PIDS = ("unshare", "--pid", "--fork", "--kill-child", "--mount-proc")
HERE = ("--netns", "")


@pytest.fixture
def contained(service: Running) -> tuple[str, ...]:
    """It runs; what is in front of a command to be run beside it."""
    service.write({"name": "web servers", "match": {"device": "web*", "domain": "web-*"}}, RULE)
    service.start(wrapper=OWN_PIDS)
    assert service.process
    children = Path(f"/proc/{service.process.pid}/task/{service.process.pid}/children")
    (first,) = children.read_text(encoding="ascii").split()
    return ("nsenter", f"--target={first}", "--pid", "--mount")


def test_guests_are_steered_from_a_container(tap: HeldTap, service: Running, contained: tuple[str, ...]) -> None:
    """Their holders are not to be seen there, so a queue of the service's own joins, and leaves at once."""
    wait_until_steered()
    assert_steered(tap)
    assert info()["queues"] == 4
    told = json.loads(service.command("status", "--json", *HERE, wrapper=contained).stdout)
    assert [each["state"] for each in told["taps"]] == ["steered"] and told["service"]["pid"] == 1


def test_what_takes_off_a_program_is_put_right(tap: HeldTap, service: Running, contained: tuple[str, ...]) -> None:
    wait_until_steered()
    run_module("tap_steering", {"taps": ["tap0"], "state": "absent"})
    wait_until_steered()
    assert_steered(tap)


def test_a_rule_by_name_waits_where_no_name_can_be_known(service: Running, contained: tuple[str, ...]) -> None:
    """And no later rule takes its place."""
    with HeldTap("web0", 4):
        eventually(lambda: rows(service, contained, "web0"), 5)
        assert [(row["action"], row["state"]) for row in rows(service, contained, "web0")] == [("wait", "automatic")]


def test_without_the_tun_driver_s_device_the_reason_is_told(tap: HeldTap, service: Running) -> None:
    """It was "No such file or directory"."""
    assert tap.pid
    service.write(RULE)
    no_tun = ("unshare", "--mount", "sh", "-c", 'mount -t tmpfs none /dev/net && exec "$@"', "sh")
    done = service.command("apply", *HERE, wrapper=(*OWN_PIDS, *no_tun), check=False)
    assert done.returncode == 1 and "cannot open /dev/net/tun: No such file" in " ".join(done.stdout.split()), done


def rows(service: Running, contained: tuple[str, ...], name: str) -> list[dict[str, t.Any]]:
    told = service.command("apply", "--dry-run", "--json", *HERE, wrapper=contained, check=False)
    return [row for row in json.loads(told.stdout) if row["name"] == name]


@pytest.fixture
def nameless() -> t.Iterator[tuple[int, str]]:
    """tap0 with four queues in a network namespace without a name, as of a pod: its process, and what it is called."""
    code = f"import sys\nfrom {COLLECTION}.tests.support.held_tap import HeldTap\n"
    code += "with HeldTap('tap0', 4): print(flush=True); sys.stdin.read()"
    command = ["unshare", "--net", sys.executable, "-c", code]
    with subprocess.Popen(command, cwd=TREE, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdin and process.stdout and process.stdout.readline() == b"\n"
        yield process.pid, f"ns:{os.stat(f'/proc/{process.pid}/ns/net').st_ino}"
        process.stdin.close()


def test_guests_of_a_namespace_without_a_name(service: Running, nameless: tuple[int, str]) -> None:
    """A rule names it by its inode or a pattern, a task also by a process; results, commands and metrics tell it."""
    pid, netns = nameless
    service.write({**RULE, "match": {"device": "tap0", "netns": netns}})
    service.start()

    def found(which: str) -> dict[str, t.Any]:
        (device,) = run_module("tap_steering_info", {"netns": which})["taps"]
        return t.cast("dict[str, t.Any]", device)

    eventually(lambda: found(str(pid))["state"] == "steered", 5)
    programs = {found(which)["program"]["id"] for which in (netns, str(pid), f"/proc/{pid}/ns/net")}
    assert len(programs) == 1 and found(netns)["netns"] == netns
    told = json.loads(service.command("status", "--json", "--netns", netns).stdout)["taps"]
    assert [(each["name"], each["netns"], each["state"]) for each in told] == [("tap0", netns, "steered")]
    queues = samples(service.command("metrics", "--netns", netns).stdout)["virtnet_rss_queues"]
    assert queues == [({"device": "tap0", "netns": netns}, 4.0)]
