# SPDX-License-Identifier: GPL-3.0-or-later
"""The service on real devices: new ones are steered, what was taken off is put back, no failure breaks a guest."""

from __future__ import annotations

import json
import subprocess
import time
from pathlib import Path

import pytest

from ansible_collections.virtnet.rss.tests.support import foreign
from ansible_collections.virtnet.rss.tests.support.eventually import eventually
from ansible_collections.virtnet.rss.tests.support.held_tap import HeldTap
from ansible_collections.virtnet.rss.tests.support.refuse_call import refusing
from ansible_collections.virtnet.rss.tests.support.run_module import run_module
from ansible_collections.virtnet.rss.tests.support.running import Running
from ansible_collections.virtnet.rss.tests.support.steered import (
    FRAMES,
    RULE,
    assert_steered,
    attach_foreign,
    info,
    samples,
    wait_until_steered,
)


def test_devices_before_and_after_its_start(service: Running, tap: HeldTap) -> None:
    service.write(RULE)
    service.start()
    assert_steered(tap)
    with HeldTap("tap1") as late, HeldTap("other0") as unspoken:
        wait_until_steered("tap1")
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
        service.wait_until_put_back(number)
        assert time.monotonic() - begin < 1
        assert_steered(tap)
    assert "put back 3 times" in service.command("status", check=False).stdout


def test_queues_that_the_guest_enables_and_disables(service: Running, tap: HeldTap) -> None:
    """The table is for all queues that the guest has, so none of this asks for another program."""
    service.write(RULE)
    tap.set_queue(3, enabled=False)
    service.start()
    program = info()["program"]["id"]
    assert info()["config"]["indirection"]["equal"] == 4
    for enabled in (True, False, True):
        tap.set_queue(3, enabled=enabled)
        time.sleep(1)
        assert info()["program"]["id"] == program
    assert_steered(tap)
    assert service.status()["reapplied"] == 0  # nobody took it off


def test_a_foreign_program_is_left_alone(service: Running, tap: HeldTap) -> None:
    attach_foreign(tap)
    before = info()["program"]["id"]
    service.write(RULE)
    service.start()
    time.sleep(1)
    assert info()["program"]["id"] == before
    service.write({**RULE, "foreign": "replace"})
    wait_until_steered(seconds=3)


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
    service.start(wrapper=refusing("EPERM"))
    assert len({queue for queue, _frame in tap.send(FRAMES)}) > 1
    assert service.process and service.process.poll() is None
    output = service.stop()
    assert "Operation not permitted" in output
    (fallback,) = samples(service.metrics_file.read_text(encoding="utf-8"))["virtnet_rss_fallback"]
    assert fallback[0]["stage"] == "wait" and "Operation not permitted" in fallback[0]["reason"]


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
    service.wait_until_put_back(1)


def test_devices_that_come_and_go(service: Running) -> None:
    """While one is dealt with the next one is made: it must not be taken for one that was dealt with."""
    service.write(RULE)
    service.start()
    for number in range(20):
        with HeldTap(f"tap{number}") as held:
            wait_until_steered(held.name)


def test_a_new_device_is_seen_by_its_event(service: Running) -> None:
    """The regular look is so rare here that it cannot be what finds all five."""
    service.write(RULE)
    service.start("--watch", "1")
    for number in range(5):
        with HeldTap(f"tap{number}") as held:
            wait_until_steered(held.name, 0.4)


def test_what_a_start_leaves_out(service: Running) -> None:
    """pyroute2 would cost 15 MiB and a third of the start, OpenSSL 4 MiB, a pool of threads with its logging 1 MiB."""
    service.write(RULE)
    started = service.command("check", wrapper=("env", "PYTHONPROFILEIMPORTTIME=1")).stderr
    assert "_service.daemon" in started
    assert not {"pyroute2", "_hashlib", "logging"} & {line.rpartition("|")[2].strip() for line in started.splitlines()}


def test_the_same_sources_give_the_same_file(program: Path, tmp_path: Path) -> None:
    again = tmp_path / "again"
    assert run_module("host_service", {"path": str(again)}, check=True)["changed"] and not again.exists()
    run_module("host_service", {"path": str(again)})
    assert again.read_bytes() == program.read_bytes()
    assert run_module("host_service", {"path": str(again)})["changed"] is False
    assert run_module("host_service", {"path": str(again), "state": "absent"})["changed"] and not again.exists()
