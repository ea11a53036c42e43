# SPDX-License-Identifier: GPL-3.0-or-later
"""Queues that libvirt opens itself and hands to QEMU later: until then nobody can tell whose they will be."""

from __future__ import annotations

import time
import typing as t
from pathlib import Path

import pytest

from ansible_collections.virtnet.rss.tests.support.eventually import eventually
from ansible_collections.virtnet.rss.tests.support.libvirt import Libvirt
from ansible_collections.virtnet.rss.tests.support.running import Running
from ansible_collections.virtnet.rss.tests.support.steered import info, wait_until_steered

IGNORED = {"name": "routers", "match": {"domain": "router-*"}, "state": "ignore"}
GUESTS = {"name": "guests", "match": {"device": "vnet*"}}


@pytest.fixture(params=["libvirtd", "virtqemud"])
def libvirt(request: pytest.FixtureRequest, service: Running, tmp_path: Path) -> t.Iterator[Libvirt]:
    """The service runs, then the daemon makes a device."""
    service.write(IGNORED, GUESTS)
    service.start()
    daemon = Libvirt(tmp_path, request.param, "vnet0")
    try:
        yield daemon
    finally:
        daemon.end()


@pytest.mark.parametrize(("domain", "state"), [("router-1", "automatic"), ("web-1", "steered")])
def test_nothing_is_decided_before_the_guest_runs(service: Running, libvirt: Libvirt, domain: str, state: str) -> None:
    eventually(lambda: "vnet0: libvirt holds it, so its guest does not run yet" in service.status_text())
    time.sleep(0.6)  # the next look finds the same
    assert info("vnet0")["state"] == "automatic"
    libvirt.start_guest(domain)
    eventually(lambda: "libvirt holds it" not in service.status_text(), 2)
    assert info("vnet0")["state"] == state
    assert ("vnet0: attach" in service.stop()) == (state == "steered")


def test_a_rule_that_asks_for_no_guest_does_not_wait(service: Running, libvirt: Libvirt) -> None:
    assert libvirt
    service.write(GUESTS)
    wait_until_steered("vnet0")
