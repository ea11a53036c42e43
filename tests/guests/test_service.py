# SPDX-License-Identifier: GPL-3.0-or-later
"""The service beside real guests: whenever QEMU 7.2 takes the program off, it is put back within a second."""

from __future__ import annotations

import time
import typing as t

import pytest

from ansible_collections.virtnet.rss.tests.support.eventually import eventually
from ansible_collections.virtnet.rss.tests.support.qemu.guest import Guest, multi_queue_tap
from ansible_collections.virtnet.rss.tests.support.qemu.received import KEY, assert_received_as, rss
from ansible_collections.virtnet.rss.tests.support.running import Running
from ansible_collections.virtnet.rss.tests.support.steered import info, wait_until_steered

RULE = {"name": "guests", "match": {"device": "tap*"}, "hash_key": KEY.hex()}
REAPPLIED = "virtnet_rss_reapplied_total "


@pytest.fixture
def guest(service: Running) -> t.Iterator[Guest]:
    """A guest with four queues that the running service has steered."""
    with multi_queue_tap("tap0"):
        service.write(RULE)
        service.start("--full", "1")  # the metrics are written as often
        with Guest("tap0") as guest:
            eventually(lambda: info()["state"] == "steered" and info()["queues"] == 4)
            yield guest


def reapplied(service: Running) -> int:
    return int(service.status()["reapplied"])


def metric(service: Running) -> int:
    """As node_exporter reads it."""
    lines = service.metrics_file.read_text(encoding="utf-8").splitlines()
    return next(int(line[len(REAPPLIED) :]) for line in lines if line.startswith(REAPPLIED))


def assert_put_back(service: Running, before: int, begin: float) -> None:
    eventually(lambda: reapplied(service) > before)
    assert time.monotonic() - begin < 1
    eventually(lambda: metric(service) == reapplied(service))


def test_ethtool_in_the_guest(service: Running, guest: Guest) -> None:
    for queues in (2, 4):
        before, program = reapplied(service), info()["program"]["id"]
        begin = time.monotonic()
        guest.set_queues(queues)
        assert_put_back(service, before, begin)
        assert (info()["queues"], info()["state"], info()["program"]["id"]) == (queues, "steered", program)
        assert_received_as(guest, rss(queues=queues), queues=queues)


def test_reboot(service: Running, guest: Guest) -> None:
    """When the guest's driver is there again, its device is steered within a second."""
    before = reapplied(service)
    guest.reboot()
    assert_put_back(service, before, time.monotonic())
    assert (info()["queues"], info()["state"]) == (4, "steered")
    assert_received_as(guest, rss())


def test_another_qemu(service: Running) -> None:
    """A guest starts again with a new device, as libvirt makes one for each start."""
    service.write(RULE)
    service.start()
    for name in ("tap0", "tap1"):
        with multi_queue_tap(name), Guest(name) as guest:
            begin = time.monotonic()
            wait_until_steered(name, 5)
            assert time.monotonic() - begin < 1
            assert_received_as(guest, rss())
