# SPDX-License-Identifier: GPL-3.0-or-later
"""A host that is short of something for a while: the service stays, says so, and goes on when it is over."""

from __future__ import annotations

import os
import resource
import subprocess
import time
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from ansible_collections.virtnet.rss.plugins.module_utils._tun.lock import exclusive
from ansible_collections.virtnet.rss.tests.support import foreign
from ansible_collections.virtnet.rss.tests.support.bpf_objects import CLANG
from ansible_collections.virtnet.rss.tests.support.eventually import eventually
from ansible_collections.virtnet.rss.tests.support.held_tap import HeldTap
from ansible_collections.virtnet.rss.tests.support.running import Running
from ansible_collections.virtnet.rss.tests.support.steered import OTHER_KEY, RULE, assert_steered, info


def limit_descriptors(service: Running, most: int) -> None:
    """Fewer than it has open already: every open() of it is EMFILE from now on."""
    assert service.process
    _soft, hard = resource.prlimit(service.process.pid, resource.RLIMIT_NOFILE)
    resource.prlimit(service.process.pid, resource.RLIMIT_NOFILE, (most, hard))


def used_by(pid: int) -> float:
    """Seconds of a CPU."""
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def last_pass(service: Running) -> float:
    text = service.metrics_file.read_text(encoding="utf-8")
    families = {family.name: family for family in text_string_to_metric_families(text)}
    return float(families["virtnet_rss_last_pass_timestamp_seconds"].samples[0].value)


def test_no_descriptors(service: Running, tap: HeldTap) -> None:
    service.write(RULE)
    service.start("--full", "1")
    assert_steered(tap)
    limit_descriptors(service, 4)
    eventually(lambda: "a pass failed, the next one tries again: " in service.status_text())
    failed = last_pass(service)
    assert service.process
    used = used_by(service.process.pid)
    time.sleep(1.5)
    assert service.process.poll() is None
    assert used_by(service.process.pid) - used < 0.5  # it waits for its next turn (K6, row 4)
    assert last_pass(service) == failed
    foreign.detach(tap)
    with HeldTap("tap1"):  # an event that cannot be read stays
        used = used_by(service.process.pid)
        time.sleep(1)
        assert used_by(service.process.pid) - used < 0.5
    limit_descriptors(service, 1024)
    eventually(lambda: service.status_text() == "STATUS=1 of 1 devices steered", 3)
    assert_steered(tap)
    eventually(lambda: last_pass(service) > failed)
    assert not service.status()["error"]


@pytest.fixture
def no_memory(tmp_path: Path) -> tuple[Path, list[str]]:
    """A file; while it is there, what begins with these words gets no memory for a program from bpf()."""
    library, file = tmp_path / "no_memory.so", tmp_path / "no_memory"
    source = Path(__file__).parents[1] / "support" / "no_memory.c"
    subprocess.run([CLANG, "-shared", "-fPIC", "-Wall", "-Werror", "-o", library, source, "-ldl"], check=True)
    return file, ["env", f"LD_PRELOAD={library}", f"VIRTNET_RSS_NO_MEMORY={file}"]


def test_no_memory_for_a_moment(service: Running, tap: HeldTap, no_memory: tuple[Path, list[str]]) -> None:
    """K6, row 5: what works stays, though the policy wants something else by now; the rest is done soon afterwards."""
    file, beginning = no_memory
    service.write(RULE)
    service.start(wrapper=beginning)
    assert_steered(tap)
    file.touch()
    service.write({**RULE, "hash_key": OTHER_KEY.hex()})
    with HeldTap("tap1") as late:
        eventually(lambda: "Cannot allocate memory" in service.status_text())
        deadline = time.monotonic() + 1.5
        while time.monotonic() < deadline:
            assert_steered(tap)
        assert info("tap1")["state"] == "automatic"
        file.unlink()
        eventually(lambda: service.status_text() == "STATUS=2 of 2 devices steered", 3)
        assert_steered(late, OTHER_KEY)
    assert_steered(tap, OTHER_KEY)


def test_another_writer_keeps_the_lock(service: Running, tap: HeldTap) -> None:
    """For longer than systemd waits for a sign of life, which is 2 seconds here."""
    service.write(RULE)
    service.start()
    with exclusive():
        foreign.detach(tap)
        for _round in range(3):
            service.forget_notifications()
            eventually(lambda: service.notified("WATCHDOG=1"), 1.9)
        eventually(lambda: "another run holds" in service.status_text(), 2)
        assert "another run holds" in service.status()["error"]
        assert "another run holds" in service.command("status", check=False).stdout
    service.wait_until_put_back(1, seconds=3)
    eventually(lambda: service.status_text() == "STATUS=1 of 1 devices steered")


def test_a_trouble_is_told_each_time_that_it_begins(service: Running, tap: HeldTap) -> None:
    assert tap.pid
    service.write(RULE)
    service.start("--full", "1")
    sentence = f"{service.metrics_file} cannot be written, the old one stays: "
    for _round in range(2):
        service.metrics_file.unlink(missing_ok=True)
        service.metrics_file.mkdir()
        eventually(lambda: sentence in service.status_text())
        eventually(lambda: sentence in service.status()["error"])
        service.metrics_file.rmdir()
        eventually(lambda: sentence not in service.status_text())
    assert service.stop().count(sentence) == 2
