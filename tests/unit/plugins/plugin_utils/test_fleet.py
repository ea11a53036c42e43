# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.virtnet.rss.plugins.module_utils._errors import InputError
from ansible_collections.virtnet.rss.plugins.plugin_utils._fleet import fleet_report, fleet_text
from ansible_collections.virtnet.rss.tests.support.fleet_answers import NETNS_INODE, answers, dry_run

FLEET = answers(4, 3)
REPORT = fleet_report(list(FLEET), FLEET)


def status_of(given: dict[str, t.Any]) -> tuple[str, list[str]]:
    (host,) = fleet_report(["a"], {"a": given})["hosts"]
    return host["status"], host["reasons"]


def test_hosts() -> None:
    assert [(host["name"], host["status"]) for host in REPORT["hosts"]] == [
        ("hv000", "supported"),
        ("hv001", "unsupported"),
        ("hv002", "unreachable"),
        ("hv003", "supported"),
    ]


def test_a_host_that_was_never_asked() -> None:
    assert status_of({}) == ("unreachable", ["no answer"])


@pytest.mark.parametrize("lost_at", ["audit_facts", "audit_info", "audit_dry_run"])
def test_a_host_that_is_lost_on_the_way(lost_at: str) -> None:
    answer = {**FLEET["hv003"], lost_at: {"unreachable": True, "msg": "timed out"}}
    assert status_of(answer) == ("unreachable", ["timed out"])


def test_a_host_that_told_nothing_of_its_devices() -> None:
    assert status_of({"audit_facts": FLEET["hv003"]["audit_facts"]}) == ("unreachable", ["no answer"])


def test_a_module_that_failed() -> None:
    assert status_of({"audit_facts": {"failed": True, "msg": "no Python"}}) == ("failed", ["no Python"])
    facts = FLEET["hv000"]["audit_facts"]
    assert status_of({"audit_facts": facts, "audit_info": {"failed": True}}) == ("failed", ["no reason was given"])


def test_devices() -> None:
    first = REPORT["devices"][0]
    assert (first["host"], first["name"], first["drift"]) == ("hv000", "vnet0", "would replace")
    assert first["uneven"] and first["spread"] > 2
    assert [device["dropped"] for device in REPORT["devices"]] == [0, 1, 2] * 3


@pytest.mark.parametrize(
    ("action", "drift"),
    [
        ("none", ""),
        ("keep", ""),
        ("ignore", ""),
        ("attach", "would attach"),
        ("detach", "would detach"),
        ("fallback", "fallback"),
        ("wait", "wait"),
    ],
)
def test_drift(action: str, drift: str) -> None:
    plan = [{"netns_inode": NETNS_INODE, "ifindex": 1, "action": action}]
    report = fleet_report(["hv003"], {"hv003": {**FLEET["hv003"], "audit_dry_run": dry_run(plan)}})
    assert [device["drift"] for device in report["devices"]] == [drift, "", ""]


def test_totals() -> None:
    totals = REPORT["totals"]
    assert (totals["hosts"], totals["devices"], totals["drift"]) == (4, 9, 1)
    assert totals["status"] == {"unreachable": 1, "failed": 0, "unsupported": 1, "supported": 2}
    assert sum(totals["state"].values()) == 9


def test_text() -> None:
    lines = fleet_text(REPORT).splitlines()
    assert lines[0] == "4 hosts: 1 unreachable, 1 unsupported, 2 supported; 1 services stopped"
    assert "host hv002: unreachable: no route to host" in lines
    assert any(
        line.startswith("hv000 vnet0 (guest-0): steered: would replace; another table; spread") for line in lines
    )


def tap(**changes: t.Any) -> dict[str, t.Any]:
    return {**FLEET["hv003"]["audit_info"]["taps"][0], "observed": None, **changes}


def device_of(given: dict[str, t.Any]) -> dict[str, t.Any]:
    answer = {**FLEET["hv003"], "audit_info": {"exact": True, "taps": [given]}}
    (device,) = fleet_report(["hv003"], {"hv003": answer})["devices"]
    found: dict[str, t.Any] = device
    return found


@pytest.mark.parametrize(
    ("counters", "uneven"),
    [
        ({"queues": [400, 100, 100, 100], "spread": 2.286, "excess": 2.286}, True),
        ({"queues": [1, 0, 0, 1], "spread": 2.0, "excess": 2.0}, False),  # an accident
        ({"queues": [400, 100, 100, 100], "spread": 2.286, "excess": 1.01}, False),  # its weights want it so
        ({"queues": [400, 100, 100, 100], "spread": 2.286}, True),  # what release 0.1.0 tells
        ({"queues": [0, 0, 0, 0], "spread": None, "excess": None}, False),
    ],
)
def test_uneven(counters: dict[str, t.Any], uneven: bool) -> None:
    assert device_of(tap(counters=counters))["uneven"] is uneven


def test_what_was_observed() -> None:
    observed = {
        "now": {"queues": [9, 1], "spread": 1.8},
        "steered": {"queues": [5, 5], "spread": 1.0},
        "verdict": "steer",
        "words": {"symmetric": True},
        "advice": "steer it",
    }
    device = device_of(tap(state="automatic", counters=None, observed=observed))
    assert (device["packets"], device["spread"], device["would_be"]) == ([9, 1], 1.8, 1.0)
    assert device["words"] == {"symmetric": True}
    given = {"hv003": {**FLEET["hv003"], "audit_info": {"exact": True, "taps": [tap(observed=observed)]}}}
    lines = fleet_text(fleet_report(["hv003"], given)).splitlines()
    assert "1 devices would gain by what their packets say" in lines and "steer it" in lines[-1]


def test_what_was_not_observed() -> None:
    assert device_of(tap())["would_be"] is None and "would gain" not in fleet_text(fleet_report(["hv003"], FLEET))


def test_a_service_that_is_stopped() -> None:
    """Its guests may be as wanted still, so the host is supported, and needs a look."""
    assert [host["service"] for host in REPORT["hosts"]] == ["stopped", "running", "", "running"]
    assert REPORT["totals"]["services_stopped"] == 1
    assert "host hv000: supported: the service is stopped" in fleet_text(REPORT).splitlines()


def test_a_host_that_cannot_tell_what_it_would_change_needs_a_look() -> None:
    answer = {**FLEET["hv003"], "audit_dry_run": {"stdout": "", "stderr": "virtnet-rss: 60-broken.json: not JSON"}}
    (host,) = fleet_report(["hv003"], {"hv003": answer})["hosts"]
    assert (host["status"], host["reasons"]) == ("failed", ["virtnet-rss: 60-broken.json: not JSON"])


def test_control_characters_do_not_reach_a_terminal() -> None:
    report = fleet_report(["a\x1b[2J"], {})
    assert "\x1b" not in fleet_text(report)


def test_no_list_of_names() -> None:
    with pytest.raises(InputError, match="_input: 'hv000' is not allowed; a list of host names"):
        fleet_report("hv000", FLEET)
