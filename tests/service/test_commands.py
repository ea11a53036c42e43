# SPDX-License-Identifier: GPL-3.0-or-later
"""The commands beside the service."""

from __future__ import annotations

import concurrent.futures
import json
import os
import time
import typing as t
from collections import Counter
from pathlib import Path

import pytest

from ansible_collections.virtnet.rss.plugins.module_utils._service.version import VERSION
from ansible_collections.virtnet.rss.tests.support.eventually import eventually
from ansible_collections.virtnet.rss.tests.support.held_tap import HeldTap
from ansible_collections.virtnet.rss.tests.support.running import Running
from ansible_collections.virtnet.rss.tests.support.steered import (
    FRAMES,
    OTHER_KEY,
    RULE,
    assert_steered,
    attach_foreign,
    info,
    samples,
    wait_until_steered,
)


def test_status_for_a_user_who_is_not_root(service: Running, tap: HeldTap) -> None:
    """Who may read these folders, and nothing else."""
    assert tap.pid
    service.write(RULE)
    service.start()
    reads = ("--inh-caps=+dac_read_search", "--ambient-caps=+dac_read_search")
    nobody = ("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", *reads)
    runs = service.command("status", wrapper=nobody)
    assert "the service runs as process" in runs.stdout
    service.stop()
    stopped = service.command("status", wrapper=nobody, check=False)
    assert "the service does not run" in stopped.stdout and stopped.returncode == 3


def test_hostile_names(service: Running) -> None:
    """A device's name has whatever its maker wants in it, and all that is said of it goes to terminals and logs."""
    name = 'tap\x1b[2J"\\<b>{'
    shown = name.replace("\x1b", r"\x1b")
    service.write(RULE)
    service.start()
    with HeldTap(name):
        wait_until_steered("tap*")
        flow = ("tcp 66.9.149.187:2794 161.142.100.80:1766", "--device", "tap*")
        said = [
            service.command(*words, check=False).stdout
            for words in (
                ("status",),
                ("status", "--json"),
                ("top", "--rounds", "1"),
                ("explain", *flow),
                ("metrics",),
                ("advise", "--seconds", "0.1"),
                ("advise", "--seconds", "0.1", "--json"),
            )
        ]
    said.append(service.stop())
    assert all("tap" in text and text.replace("\n", "").isprintable() for text in said)
    assert shown in [device["name"] for device in json.loads(said[1])["taps"]]
    states = {(labels["device"], labels["state"]): value for labels, value in samples(said[4])["virtnet_rss_state"]}
    assert states[shown, "steered"] == 1


def test_apply_without_the_service(service: Running, tap: HeldTap) -> None:
    service.write(RULE)
    plan = json.loads(service.command("apply", "--dry-run", "--json").stdout)
    assert [(row["name"], row["action"]) for row in plan] == [("tap0", "attach")]
    assert info()["state"] == "automatic"
    service.command("apply")
    assert_steered(tap)
    assert [row["action"] for row in json.loads(service.command("apply", "--dry-run", "--json").stdout)] == ["none"]


def test_explain(service: Running, tap: HeldTap) -> None:
    assert tap.pid
    service.write(RULE)
    service.command("apply")
    flow = "tcp 66.9.149.187:2794 161.142.100.80:1766"
    lines = service.command("explain", flow, "--device", "tap0", "--netns", "").stdout.splitlines()
    assert lines[1].startswith("it is hashed as tcpv4: 0x") and "indirection table names queue" in lines[2]
    refused = service.command("explain", "nonsense", "--device", "tap0", check=False)
    assert refused.returncode == 1 and "write tcp 192.0.2.1:1234" in refused.stderr


def test_explain_for_a_device_that_is_not_there(service: Running) -> None:
    flow = "tcp 66.9.149.187:2794 161.142.100.80:1766"
    for words in (("nothere",), ("nothere*",), ("--device", "nothere*")):
        refused = service.command("explain", flow, *words, check=False)
        assert refused.returncode == 1 and "nothere" in refused.stderr and not refused.stdout


def test_top(service: Running, tap: HeldTap) -> None:
    service.write(RULE)
    service.command("apply")
    tap.send(FRAMES)
    output = service.command("top", "tap0", "--netns", "", "--rounds", "1", "--interval", "0.2").stdout
    assert output.splitlines()[0] == "tap0: steered, ebpf decides" and output.count("queue") == 4


def test_top_for_programs(service: Running, tap: HeldTap) -> None:
    """The busiest first; of one that is not steered the device's own counter tells."""
    with HeldTap("tap1") as busy:
        words = ("top", "tap*", "--netns", "", "--rounds", "2", "--interval", "2", "--json")
        with concurrent.futures.ThreadPoolExecutor() as workers:
            said = workers.submit(service.command, *words)
            while not said.done():
                tap.send(FRAMES[:5])
                busy.send(FRAMES)
                time.sleep(0.1)
    first = json.loads(said.result().stdout.splitlines()[0])
    assert [each["name"] for each in first] == ["tap1", "tap0"]
    assert first[0]["packets_per_second"] > first[1]["packets_per_second"] > 0 and first[0]["queues"] == []


STATUSES = [
    ("as the policy wants it", RULE, True, 0),
    ("a device that cannot be steered", {**RULE, "indirection": {"equal": 9}}, True, 1),
    ("no service", RULE, False, 3),
]


@pytest.mark.parametrize(("what", "rule", "runs", "status"), STATUSES, ids=[row[0] for row in STATUSES])
def test_the_exit_status_of_status(
    service: Running, tap: HeldTap, what: str, rule: dict[str, t.Any], runs: bool, status: int
) -> None:
    assert what and tap.pid
    service.write(rule)
    if runs:
        service.start()
    for words in ((), ("--json",), ("tap0", "--netns", "")):
        assert service.command("status", *words, check=False).returncode == status
    (told,) = json.loads(service.command("status", "tap0", "--netns", "", "--json", check=False).stdout)["taps"]
    assert told["shortfall"].startswith("wait: indirection: ") == (status == 1)


def test_status_of_a_refused_policy(service: Running) -> None:
    service.start()
    service.write({"match": {"colour": "red"}})
    eventually(lambda: service.command("status", check=False).returncode == 1)


def test_a_second_service_does_not_start(service: Running) -> None:
    """Two with two policies would take each other's programs off for ever."""
    service.start()
    assert service.process
    refused = service.command("run", check=False)
    assert refused.returncode == 1 and f"runs already, as process {service.process.pid}" in refused.stderr


def test_another_service_with_a_policy_of_its_own_does_not_start(
    service: Running, tap: HeldTap, tmp_path: Path
) -> None:
    """K6, row 6: it knows nothing of the first one's files."""
    service.write(RULE)
    service.start()
    (tmp_path / "other").mkdir()
    other = Running(service.program, tmp_path / "other")
    other.write({**RULE, "hash_key": OTHER_KEY.hex()})
    refused = other.command("run", wrapper=("timeout", "10"), check=False)
    assert refused.returncode == 1 and "another virtnet-rss steers the devices of this network" in refused.stderr
    assert_steered(tap)
    assert service.status()["reapplied"] == 0
    assert service.process
    service.process.kill()  # the kernel gives the lock back, however it ended
    service.process.wait()
    other.start()
    assert_steered(tap, OTHER_KEY)
    other.kill()


def test_a_service_that_cannot_steer_does_not_start(service: Running) -> None:
    without = ("setpriv", "--bounding-set=-net_admin", "--inh-caps=-net_admin")
    refused = service.command("run", wrapper=without, check=False)
    assert refused.returncode == 1 and "the service needs CAP_NET_ADMIN" in refused.stderr


def test_version(service: Running) -> None:
    assert service.command("--version", files=False).stdout == f"virtnet-rss {VERSION}\n"


def test_a_table_fits_a_terminal(service: Running, tap: HeldTap) -> None:
    assert tap.pid
    service.write({**RULE, "indirection": {"equal": 9}})
    service.start()
    for words in (("status",), ("apply", "--dry-run")):
        lines = service.command(*words, "tap0", "--netns", "", check=False).stdout.splitlines()
        assert len(lines) > 2 and max(map(len, lines[1:])) <= 80


def test_advise_asks_what_the_policy_wants(service: Running, tap: HeldTap) -> None:
    """A foreign program steers the device, which the rule leaves alone; what the rule wants is asked all the same."""
    attach_foreign(tap)
    service.write({**RULE, "indirection": {"weight": [3, 1, 0, 0]}})
    service.start()
    with concurrent.futures.ThreadPoolExecutor() as workers:
        before = packet_sockets()
        said = workers.submit(service.command, "advise", "tap0", "--netns", "", "--seconds", "3", "--json")
        eventually(lambda: packet_sockets() > before, 30)
        tap.send(FRAMES)
        (report,) = json.loads(said.result().stdout)
    busiest, second, *others = report["steered"]["queues"]
    assert busiest > second > 0 and others == [0, 0] and report["packets"] == len(FRAMES)


LOOKING = ("status", "advise", "explain --frame 00", "balance", "metrics")
NAMING = (*LOOKING, "top --rounds 1", "apply")
NO_DEVICE = [
    ("vnett*", "no TAP device matches"),
    ("--domain=nobody", "no guest"),
    ("--mac=52:54:00:ff:ff:ff", "no guest"),
]
NO_PATTERN = ["vnet[9-2]", "--domain=[9-2]", "--mac=5[9-2]*", "--netns=[9-2]"]


@pytest.mark.parametrize("command", LOOKING)
def test_words_that_mean_no_device(service: Running, tap: HeldTap, command: str) -> None:
    """An empty table, or empty metrics, would say that all is well."""
    assert tap.pid
    for word, why in NO_DEVICE:
        done = service.command(*command.split(), word, check=False)
        assert done.returncode == 1 and not done.stdout and why in done.stderr and done.stderr.count("\n") == 1, done


def test_a_pattern_that_means_nothing_beside_one_that_does(service: Running, tap: HeldTap) -> None:
    assert tap.pid
    service.start()
    done = service.command("status", "tap*", "vnett*")
    assert "tap0" in done.stdout and done.stderr == "virtnet-rss: taps: no TAP device matches 'vnett*'\n"


@pytest.mark.parametrize("command", NAMING)
def test_words_that_are_no_pattern(service: Running, tap: HeldTap, command: str) -> None:
    assert tap.pid
    for word in NO_PATTERN:
        done = service.command(*command.split(), word, check=False)
        assert done.returncode == 1 and not done.stdout and "has the range 9-2, which is backwards\n" in done.stderr, (
            done
        )


def test_apply_to_named_devices(service: Running, tap: HeldTap) -> None:
    with HeldTap("tap1"):
        service.write(RULE)
        service.command("apply", "tap1")
        assert [info(name)["state"] for name in ("tap0", "tap1")] == ["automatic", "steered"] and tap.pid


def packet_sockets() -> int:
    with open("/proc/net/packet", encoding="ascii") as lines:
        return len(lines.readlines())


def test_advise(service: Running, tap: HeldTap) -> None:
    """The installed file brings the observer along; what it tells is what arrived."""
    with HeldTap("tap1", 2), concurrent.futures.ThreadPoolExecutor() as workers:
        before = packet_sockets()
        said = workers.submit(service.command, "advise", "tap*", "--netns", "", "--seconds", "3", "--json")
        eventually(lambda: packet_sockets() >= before + 2, 30)
        arrived = tap.send(FRAMES * 2)
        reports = json.loads(said.result().stdout)
        lines = service.command("advise", "tap*", "--netns", "", "--seconds", "0.1").stdout.splitlines()
    ours = os.stat("/proc/self/ns/net").st_ino  # a command tells of every namespace
    busy, idle = (report for report in reports if report["netns_inode"] == ours)
    assert (busy["name"], busy["state"], busy["netns"], idle["name"]) == ("tap0", "automatic", "", "tap1")
    received = Counter(queue for queue, _frame in arrived)
    assert busy["now"]["queues"] == [received[queue] for queue in range(4)]
    assert sum(busy["steered"]["queues"]) == busy["packets"] == len(arrived)
    assert busy["verdict"] in ("steer", "leave") and idle["verdict"] == "unknown"
    assert idle["now"] == {"queues": [0, 0], "spread": None} and "0 packets in 3 s" in idle["advice"]
    assert set(lines[0].split()) >= {"device", "state", "packets"}
    assert any(line.startswith("tap0: ") for line in lines) and max(map(len, lines)) <= 80
