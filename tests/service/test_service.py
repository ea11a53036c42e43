# SPDX-License-Identifier: GPL-3.0-or-later
"""The service on real devices: new ones are steered, what was taken off is put back, no failure breaks a guest."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
import typing as t
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from ansible_collections.virtnet.rss.plugins.module_utils._rss.config import RssConfig
from ansible_collections.virtnet.rss.plugins.module_utils._rss.hashing import steer
from ansible_collections.virtnet.rss.plugins.module_utils._steering.model import Configuration
from ansible_collections.virtnet.rss.plugins.module_utils._steering.rodata import Identity, encode
from ansible_collections.virtnet.rss.tests.kernel import foreign
from ansible_collections.virtnet.rss.tests.kernel.module import run_module
from ansible_collections.virtnet.rss.tests.kernel.reader import HeldTap
from ansible_collections.virtnet.rss.tests.packets.generate import random_frames
from ansible_collections.virtnet.rss.tests.service.running import Running, eventually

KEY = bytes(range(40))
OTHER_KEY = KEY[::-1]
RULE: dict[str, t.Any] = {"name": "guests", "match": {"device": "tap*"}, "hash_key": KEY.hex()}
FRAMES = [frame for frame in random_frames(seed=6, count=300) if 60 <= len(frame) <= 1500]
REFUSE_BPF = [sys.executable, str(Path(__file__).parents[1] / "kernel" / "refuse_bpf.py"), "EPERM"]


def info(name: str = "tap0") -> dict[str, t.Any]:
    found: dict[str, t.Any] = run_module("tap_steering_info", {"taps": [name]})["taps"][0]
    return found


def expected(key: bytes = KEY, queues: int = 4) -> list[tuple[int, bytes]]:
    rss = RssConfig(key, 63, tuple(entry % queues for entry in range(128)))
    return sorted((steer(frame, rss).queue, frame) for frame in FRAMES)


def assert_steered(tap: HeldTap, key: bytes = KEY) -> None:
    assert sorted(tap.send(FRAMES)) == expected(key)


def samples(text: str) -> dict[str, list[tuple[dict[str, str], float]]]:
    """Labels and value of each sample, by its name, as Prometheus reads them."""
    found: dict[str, list[tuple[dict[str, str], float]]] = {}
    for family in text_string_to_metric_families(text):
        assert family.type in ("counter", "gauge") and family.documentation
        for sample in family.samples:
            found.setdefault(sample.name, []).append((sample.labels, sample.value))
    return found


def test_devices_before_and_after_its_start(service: Running, tap: HeldTap) -> None:
    service.write(RULE)
    service.start()
    assert_steered(tap)
    with HeldTap("tap1") as late, HeldTap("other0") as unspoken:
        eventually(lambda: info("tap1")["state"] == "steered", 2)
        assert_steered(late)
        assert info("other0")["state"] == "automatic"
        assert unspoken.pid
    assert "tap1: attach" in service.stop()
    assert_steered(tap)  # what is attached stays


def test_put_back_within_a_second(service: Running, tap: HeldTap) -> None:
    """As QEMU 7.2 takes it off at each `ethtool -L` of the guest."""
    service.write(RULE)
    service.start()
    for number in range(1, 4):
        foreign.detach(tap)
        begin = time.monotonic()
        eventually(lambda wanted=number: service.status()["reapplied"] == wanted, 2)
        assert time.monotonic() - begin < 1
        assert_steered(tap)
    assert "put back 3 times" in service.command("status").stdout


def test_queues_that_the_guest_enables_and_disables(service: Running, tap: HeldTap) -> None:
    service.write(RULE)
    service.start()
    tap.set_queue(3, enabled=False)
    eventually(lambda: info()["config"]["indirection"]["equal"] == 3, 2)
    tap.set_queue(3, enabled=True)
    eventually(lambda: info()["config"]["indirection"]["equal"] == 4, 2)
    assert_steered(tap)
    assert service.status()["reapplied"] == 0  # nobody took it off


def test_a_foreign_program_is_left_alone(service: Running, tap: HeldTap) -> None:
    rodata = bytearray(encode(Identity("tap0", 2, 1), Configuration(RssConfig(KEY, 63, (3,)))))
    rodata[-100] ^= 1
    foreign.attach(tap, bytes(rodata))
    before = info()["program"]["id"]
    service.write(RULE)
    service.start()
    time.sleep(1)
    assert info()["program"]["id"] == before
    service.write({**RULE, "foreign": "replace"})
    eventually(lambda: info()["state"] == "steered", 3)


def test_rules(service: Running, tap: HeldTap) -> None:
    """The first that matches decides."""
    service.write({"match": {"device": "tap0"}, "state": "ignore"}, RULE)
    service.start()
    with HeldTap("tap1") as second:
        eventually(lambda: info("tap1")["state"] == "steered", 2)
        assert info()["state"] == "automatic"
        service.write({"match": {"holder": "no such*"}, "state": "absent"}, RULE)
        eventually(lambda: info()["state"] == "steered", 2)
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
    ('{"rules": [', "it is no JSON"),
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
    eventually(lambda: info()["state"] == "steered", 2)
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


def test_a_file_that_shall_be_part_of_the_policy_may_belong_to_who_brings_it(service: Running) -> None:
    """The role has it checked as the user that Ansible connects as has brought it, before it takes its place."""
    service.write(RULE)
    os.chown(service.policy / "10.json", 65534, 65534)
    assert service.command("check", str(service.policy / "10.json"), check=False).returncode == 0


def test_killed_at_any_moment(service: Running, tap: HeldTap) -> None:
    """The guest keeps its steering, and a new start finds nothing to do."""
    service.write(RULE)
    for delay in (0.0, 0.05, 0.3):
        service.start()
        foreign.detach(tap)
        time.sleep(delay)
        service.kill()
    service.start()
    program = info()["program"]["id"]
    assert_steered(tap)
    service.kill()
    service.start()
    assert info()["program"]["id"] == program
    assert "attach" not in service.stop()


@pytest.mark.parametrize("size", ["0 bytes left", "read-only"])
def test_a_disk_that_takes_nothing(service: Running, tap: HeldTap, size: str) -> None:
    """Status and metrics keep their old content; guests are steered all the same."""
    disk = service.folder / "disk"
    disk.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=4k", "none", str(disk)], check=True)
    try:
        service.status_file, service.metrics_file = disk / "status.json", disk / "metrics.prom"
        if size == "read-only":
            subprocess.run(["mount", "-o", "remount,ro", str(disk)], check=True)
        else:
            service.status_file.write_text(json.dumps({"old": "x" * 4000}), encoding="utf-8")
        service.write(RULE)
        service.start()
        assert_steered(tap)
        assert size == "read-only" or "old" in service.status()
        assert "cannot be written, the old one stays" in service.stop()
    finally:
        subprocess.run(["umount", "--lazy", str(disk)], check=True)


def test_bpf_is_refused(service: Running, tap: HeldTap) -> None:
    """The host cannot steer: automatic selection, one clear line, and no end."""
    service.write(RULE)
    service.start(wrapper=REFUSE_BPF)
    assert len({queue for queue, _frame in tap.send(FRAMES)}) > 1
    assert service.process and service.process.poll() is None
    output = service.stop()
    assert "tap0: fallback: load: " in output and "Operation not permitted" in output
    (fallback,) = samples(service.metrics_file.read_text(encoding="utf-8"))["virtnet_rss_fallback"]
    assert fallback[0]["stage"] == "load" and "Operation not permitted" in fallback[0]["reason"]


def test_what_systemd_is_told(service: Running, tap: HeldTap) -> None:
    assert tap.pid
    service.write(RULE)
    service.start()
    eventually(lambda: service.notified("WATCHDOG=1"))
    assert service.status_text() == "STATUS=1 of 1 devices steered"
    service.stop()
    assert service.notified("STOPPING=1")


def test_a_systemd_that_does_not_listen(service: Running, tap: HeldTap) -> None:
    """Its socket takes some ten messages that nobody reads; devices are steered all the same."""
    service.write(RULE)
    service.start("--watch", "0.05")
    time.sleep(1)
    foreign.detach(tap)
    eventually(lambda: service.status()["reapplied"] == 1, 2)


def test_devices_that_come_and_go(service: Running) -> None:
    """While one is dealt with the next one is made: it must not be taken for one that was dealt with."""
    service.write(RULE)
    service.start()
    for number in range(20):
        with HeldTap(f"tap{number}") as held:
            eventually(lambda name=held.name: info(name)["state"] == "steered", 2)


def test_metrics(service: Running, tap: HeldTap) -> None:
    service.write(RULE)
    service.start()
    tap.send(FRAMES)
    told = samples(service.command("metrics", "--measure", "0.2").stdout)
    inode = os.stat("/proc/self/ns/net").st_ino
    where = {"device": "tap0", "netns": str(inode)}
    assert ({**where, "state": "steered"}, 1) in told["virtnet_rss_state"]
    packets = [count for _labels, count in told["virtnet_rss_packets_total"]]
    assert len(packets) == 4 and sum(packets) == len(FRAMES)
    assert set(samples(service.metrics_file.read_text(encoding="utf-8"))) >= {
        "virtnet_rss_state",
        "virtnet_rss_queues",
        "virtnet_rss_reapplied_total",
        "virtnet_rss_last_pass_timestamp_seconds",
    }


def counts(service: Running) -> bool:
    """Whether the service has the kernel's BPF statistics on now."""
    assert service.process
    links = []
    for path in Path(f"/proc/{service.process.pid}/fd").iterdir():
        with contextlib.suppress(FileNotFoundError):  # closed since
            links.append(os.readlink(path))
    return "anon_inode:bpf-stats" in links


def test_the_cost_of_the_programs(service: Running, tap: HeldTap) -> None:
    """Asked for, it is in the metrics, nothing waits for it, and the kernel counts for a part of the time only."""
    service.write(RULE)
    service.start("--full", "1.5", "--measure")

    def counted() -> bool:
        tap.send(FRAMES)
        return "virtnet_rss_program_seconds" in service.metrics_file.read_text(encoding="utf-8")

    eventually(counted, 10)
    ((labels, cost),) = samples(service.metrics_file.read_text(encoding="utf-8"))["virtnet_rss_program_seconds"]
    assert labels["device"] == "tap0" and 1e-9 < cost < 1e-3
    looks = []
    for _look in range(40):
        looks.append(counts(service))
        time.sleep(0.05)
    assert 0 < sum(looks) < 30  # a third of the time here
    foreign.detach(tap)
    eventually(lambda: service.status()["reapplied"] == 1, 2)
    assert service.status_text() == "STATUS=1 of 1 devices steered"


def test_metrics_tell_only_what_is_known(service: Running, tap: HeldTap) -> None:
    """Without the service nobody knows when everything was looked at, and how often something was put back."""
    assert tap.pid
    service.write({**RULE, "indirection": {"equal": 9}})
    of_service = {f"virtnet_rss_{name}" for name in ("reapplied_total", "policy_error", "last_pass_timestamp_seconds")}
    assert not of_service & set(samples(service.command("metrics").stdout))
    service.start()
    for text in (service.command("metrics").stdout, service.metrics_file.read_text(encoding="utf-8")):
        told = samples(text)
        assert of_service < set(told)
        ((labels, value),) = told["virtnet_rss_fallback"]
        assert (labels["device"], labels["stage"], value) == ("tap0", "wait", 1)
        assert labels["reason"].startswith("indirection: 8 is not allowed; tap0 has 4 queues attached")
        assert told["virtnet_rss_last_pass_timestamp_seconds"][0][1] == service.status()["last_pass"]


def test_status_for_a_user_who_is_not_root(service: Running, tap: HeldTap) -> None:
    """Who may read these folders, and nothing else."""
    assert tap.pid
    service.write(RULE)
    service.start()
    reads = ("--inh-caps=+dac_read_search", "--ambient-caps=+dac_read_search")
    nobody = ("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", *reads)
    assert "the service runs as process" in service.command("status", wrapper=nobody).stdout
    service.stop()
    assert "the service does not run" in service.command("status", wrapper=nobody).stdout


def test_hostile_names(service: Running) -> None:
    """A device's name has whatever its maker wants in it, and all that is said of it goes to terminals and logs."""
    name = 'tap\x1b[2J"\\<b>{'
    service.write(RULE)
    service.start()
    with HeldTap(name):
        eventually(lambda: info("tap*")["state"] == "steered", 2)
        flow = ("tcp 66.9.149.187:2794 161.142.100.80:1766", "--device", "tap*")
        said = [
            service.command(*words, check=False).stdout
            for words in (("status",), ("status", "--json"), ("top", "--rounds", "1"), ("explain", *flow), ("metrics",))
        ]
    said.append(service.stop())
    assert all("tap" in text and text.replace("\n", "").isprintable() for text in said)
    assert name in [device["name"] for device in json.loads(said[1])["taps"]]
    states = {(labels["device"], labels["state"]): value for labels, value in samples(said[4])["virtnet_rss_state"]}
    assert states[name.replace("\x1b", "?"), "steered"] == 1


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
    lines = service.command("explain", flow, "--device", "tap0").stdout.splitlines()
    assert lines[1].startswith("it is hashed as tcpv4: 0x") and "indirection table names queue" in lines[2]
    refused = service.command("explain", "nonsense", "--device", "tap0", check=False)
    assert refused.returncode == 1 and "write tcp 192.0.2.1:1234" in refused.stderr


def test_top(service: Running, tap: HeldTap) -> None:
    service.write(RULE)
    service.command("apply")
    tap.send(FRAMES)
    output = service.command("top", "--rounds", "1", "--interval", "0.2").stdout
    assert output.splitlines()[0] == "tap0: steered, ebpf decides" and output.count("queue") == 4


def test_the_same_sources_give_the_same_file(program: Path, tmp_path: Path) -> None:
    again = tmp_path / "again"
    assert run_module("host_service", {"path": str(again)}, check=True)["changed"] and not again.exists()
    run_module("host_service", {"path": str(again)})
    assert again.read_bytes() == program.read_bytes()
    assert run_module("host_service", {"path": str(again)})["changed"] is False
    assert run_module("host_service", {"path": str(again), "state": "absent"})["changed"] and not again.exists()
