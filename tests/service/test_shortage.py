# SPDX-License-Identifier: GPL-3.0-or-later
"""A host that is short of something for a while: the service stays, says so, and goes on when it is over."""

from __future__ import annotations

import resource
import time

from prometheus_client.parser import text_string_to_metric_families

from ansible_collections.virtnet.rss.plugins.module_utils._tun.lock import exclusive
from ansible_collections.virtnet.rss.tests.support import foreign
from ansible_collections.virtnet.rss.tests.support.eventually import eventually
from ansible_collections.virtnet.rss.tests.support.held_tap import HeldTap
from ansible_collections.virtnet.rss.tests.support.running import Running
from ansible_collections.virtnet.rss.tests.support.steered import RULE, assert_steered


def limit_descriptors(service: Running, most: int) -> None:
    """Fewer than it has open already: every open() of it is EMFILE from now on."""
    assert service.process
    _soft, hard = resource.prlimit(service.process.pid, resource.RLIMIT_NOFILE)
    resource.prlimit(service.process.pid, resource.RLIMIT_NOFILE, (most, hard))


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
    time.sleep(1.5)
    assert service.process and service.process.poll() is None
    assert last_pass(service) == failed
    foreign.detach(tap)
    limit_descriptors(service, 1024)
    eventually(lambda: service.status_text() == "STATUS=1 of 1 devices steered", 3)
    assert_steered(tap)
    eventually(lambda: last_pass(service) > failed)
    assert not service.status()["error"]


def test_another_writer_keeps_the_lock(service: Running, tap: HeldTap) -> None:
    """For longer than systemd waits for a sign of life, which is 2 seconds here."""
    service.write(RULE)
    service.start()
    with exclusive():
        foreign.detach(tap)
        for _round in range(3):
            service.forget_notifications()
            eventually(lambda: service.notified("WATCHDOG=1"), 1.9)
        assert "another run holds" in service.status_text()
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
