# SPDX-License-Identifier: GPL-3.0-or-later
"""A guest is told, and found, by the name and the address that its owner knows."""

from __future__ import annotations

import json
import typing as t
from pathlib import Path

import pytest

from ansible_collections.virtnet.rss.tests.support.held_tap import HeldTap
from ansible_collections.virtnet.rss.tests.support.libvirt import MAC, Libvirt
from ansible_collections.virtnet.rss.tests.support.run_module import run_module
from ansible_collections.virtnet.rss.tests.support.running import Running
from ansible_collections.virtnet.rss.tests.support.steered import info, samples, wait_until_steered

RULE = {"name": "web servers", "match": {"domain": "web-*"}}
REST = {"name": "the rest", "match": {"device": "tap*"}}
HERE = ("--netns", "")


@pytest.fixture
def guest(service: Running, tmp_path: Path, tap: HeldTap) -> t.Iterator[None]:
    """web-1 with its device vnet0, beside a device that no QEMU holds; the service has steered both."""
    service.write(RULE, REST)
    service.start()
    libvirt = Libvirt(tmp_path, "libvirtd", "vnet0")
    try:
        libvirt.start_guest("web-1")
        wait_until_steered("vnet0")
        wait_until_steered(tap.name)
        yield
    finally:
        libvirt.end()


@pytest.mark.usefixtures("guest")
def test_the_guest_is_told(service: Running) -> None:
    told = json.loads(service.command("status", "--json", *HERE).stdout)["taps"]
    found = {each["name"]: (each["domain"], each["interface"], each["mac"], each["rule"]) for each in told}
    assert found == {"vnet0": ("web-1", 0, MAC, "web servers"), "tap0": ("", None, "", "the rest")}
    assert "web-1  web servers" in service.command("status", *HERE).stdout
    labels = [labels for labels, _value in samples(service.command("metrics", *HERE).stdout)["virtnet_rss_guest_info"]]
    known = {"device": "vnet0", "netns": "", "domain": "web-1", "mac": MAC, "rule": "web servers"}
    assert labels == [{"device": "tap0", "netns": "", "domain": "", "mac": "", "rule": "the rest"}, known]


SELECTORS = [{"domain": "web-1"}, {"domain": "w*"}, {"mac": MAC}, {"mac": MAC.upper()}, {"domain": "*", "mac": "52:*"}]


@pytest.mark.usefixtures("guest")
@pytest.mark.parametrize("selector", SELECTORS, ids=[str(each) for each in SELECTORS])
def test_the_guest_is_found(service: Running, selector: dict[str, str]) -> None:
    (found,) = run_module("tap_steering_info", selector)["taps"]
    assert (found["name"], found["domain"], found["mac"]) == ("vnet0", "web-1", MAC)
    words = [word for name, text in selector.items() for word in (f"--{name}", text)]
    for command in (("status", "--json"), ("apply", "--dry-run", "--json")):
        told = json.loads(service.command(*command, *HERE, *words).stdout)
        assert [each["name"] for each in (told["taps"] if command[0] == "status" else told)] == ["vnet0"]


@pytest.mark.usefixtures("guest")
def test_a_guest_is_released_by_its_name(service: Running) -> None:
    service.stop()
    assert service.command("release", "--domain", "nobody", check=False).returncode == 1
    service.command("release", "--domain", "web-1")
    assert [info(name)["state"] for name in ("vnet0", "tap0")] == ["automatic", "steered"]


NO_SELECTORS = [
    {"domain": ""},
    {"domain": "[z-a]"},
    {"mac": "41135085296"},
    {"mac": "not an address"},
    {"mac": "5[9-2]:*"},
]


@pytest.mark.parametrize("selector", NO_SELECTORS)
def test_selectors_that_cannot_be(selector: dict[str, str]) -> None:
    result = run_module("tap_steering_info", selector)
    assert result["failed"] and result["option"] == next(iter(selector))


def test_a_guest_that_is_not_there(tap: HeldTap) -> None:
    assert tap.pid
    result = run_module("tap_steering_info", {"domain": "nobody"})
    assert result["taps"] == [] and "no guest with domain nobody has one of these devices" in result["warnings"]


@pytest.mark.usefixtures("guest")
def test_a_task_steers_a_guest_by_its_name(service: Running) -> None:
    service.stop()
    for selector in ({"domain": "web-1"}, {"mac": MAC, "taps": ["vnet*"]}):
        gone = run_module("tap_steering", {**selector, "state": "absent"})
        assert gone["changed"] and [each["name"] for each in gone["taps"]] == ["vnet0"]
        back = run_module("tap_steering", selector)
        assert [(each["name"], each["state"]) for each in back["taps"]] == [("vnet0", "steered")]
    assert info("tap0")["state"] == "steered"
    for nobody in ({"domain": "web-2"}, {"domain": "web-1", "taps": ["tap0"]}):
        refused = run_module("tap_steering", {**nobody, "state": "absent"})
        assert refused["failed"] and refused["option"] == "domain" and info("vnet0")["state"] == "steered"
