# SPDX-License-Identifier: GPL-3.0-or-later
"""Who is asked by virtnet.rss.audit, and that its report is written whatever they answer."""

from __future__ import annotations

import os
import typing as t
from pathlib import Path

import pytest

from ansible_collections.virtnet.rss.tests.support.namespaces import NOBODY_LISTENS, Fleet
from ansible_collections.virtnet.rss.tests.support.run_module import run_module

ASKED = "show --property=LoadState,ActiveState,UnitFileState virtnet-rss.service"
NO_BECOMING = {"ansible_become": True, "ansible_become_method": "ansible.builtin.su", "ansible_become_user": "nemo"}


@pytest.fixture
def fleet(tmp_path: Path) -> t.Iterator[Fleet]:
    with Fleet(tmp_path, 2, f"rssau{os.getpid()}-") as made:
        yield made


def install(fleet: Fleet, name: str, rules: list[dict[str, t.Any]]) -> None:
    """The program and its policy, and nothing that runs."""
    run_module("host_service", {"path": str(fleet.folder / name / "virtnet-rss")})
    run_module("host_policy", {"path": str(fleet.folder / name / "etc/policy.d/50-steering.json"), "rules": rules})


def put_systemctl(fleet: Fleet, name: str, active: str) -> None:
    """There is no systemd on this machine; what the tool prints is of systemd 252."""
    folder = fleet.folder / name
    tool, interpreter = folder / "systemctl", folder / "python3"
    tool.write_text(
        f'#!/bin/sh\n[ "$*" = "{ASKED}" ] && printf "LoadState=loaded\nActiveState={active}\n"\n', encoding="ascii"
    )
    tool.chmod(0o755)
    text = interpreter.read_text(encoding="ascii")
    interpreter.write_text(text.replace("\nexec ", f'\nPATH="{folder}:$PATH" exec '), encoding="ascii")


def statuses(fleet: Fleet, *words: str) -> dict[str, str]:
    return {host["name"]: host["status"] for host in fleet.audit(*words)["hosts"]}


def test_limit(fleet: Fleet) -> None:
    """Only those that were asked are told of, with localhost among them or not."""
    for limit in (fleet.names[1], f"{fleet.names[1]},localhost"):
        assert statuses(fleet, "--limit", limit) == {fleet.names[1]: "supported"}
        (fleet.folder / "audit.json").unlink()


def test_the_first_host_is_unreachable(fleet: Fleet) -> None:
    first, second = fleet.names
    fleet.give(NOBODY_LISTENS, first)
    assert statuses(fleet) == {first: "unreachable", second: "supported"}


BROKEN = [
    {"ansible_host": "{{ nobody_knows }}"},
    {"ansible_connection": "none.such"},
    {"ansible_become": True, "ansible_become_password": "{{ nobody_knows }}"},
]


@pytest.mark.parametrize("variables", BROKEN, ids=["address", "connection", "password"])
def test_the_first_host_has_words_that_mean_nothing(fleet: Fleet, variables: dict[str, t.Any]) -> None:
    """They are of that host alone: the others' answers are not lost with it."""
    first, second = fleet.names
    fleet.give(variables, first)
    found = statuses(fleet)
    assert found.pop(first) in ("failed", "unreachable") and found == {second: "supported"}


def test_no_host_is_reachable(fleet: Fleet) -> None:
    for name in fleet.names:
        fleet.give(NOBODY_LISTENS, name)
    assert statuses(fleet) == dict.fromkeys(fleet.names, "unreachable")


def test_no_host_can_be_asked(fleet: Fleet) -> None:
    """Each task fails before its module runs, as without the password for become. The controller needs none, even where
    the inventory says it of everything."""
    fleet.give(NO_BECOMING)
    assert statuses(fleet) == dict.fromkeys(fleet.names, "failed")
    assert {(fleet.folder / f"audit.{ending}").stat().st_uid for ending in ("html", "json", "txt")} == {os.geteuid()}


def test_a_report_that_cannot_be_written_is_an_error(fleet: Fleet) -> None:
    """Unlike what a host does not answer."""
    path = fleet.folder / "none" / "audit"
    done = fleet.playbook("virtnet.rss.audit", audit_report=str(path))
    assert done.returncode != 0 and f"{path}.html cannot be written: No such file or directory" in done.stdout


def test_a_report_is_replaced_as_a_whole(fleet: Fleet) -> None:
    """A web server may read it, and what a link points to is nobody's report."""
    others, page = fleet.folder / "others", fleet.folder / "audit.html"
    others.write_text("not a report", encoding="utf-8")
    page.symlink_to(others)
    before = os.umask(0o077)
    try:
        fleet.audit()
    finally:
        os.umask(before)
    assert not page.is_symlink() and page.stat().st_mode & 0o777 == 0o644
    assert others.read_text(encoding="utf-8") == "not a report"
    assert sorted(path.name for path in fleet.folder.glob("*audit.*")) == ["audit.html", "audit.json", "audit.txt"]


def test_check_mode_asks_the_hosts_and_writes_nothing(fleet: Fleet) -> None:
    done = fleet.playbook("virtnet.rss.audit", "--check", audit_report=str(fleet.folder / "audit"))
    assert done.returncode == 0 and "2 hosts: 2 supported" in done.stdout
    assert not list(fleet.folder.glob("audit.*"))


def test_drift_of_devices_that_are_left_alone_and_that_wait(fleet: Fleet) -> None:
    first = fleet.names[0]
    fleet.hold(first, "tap0", "tap1", "tap2")
    rules: list[dict[str, t.Any]] = [
        {"name": "left alone", "match": {"device": "tap0"}, "state": "ignore"},
        {"name": "too many", "match": {"device": "tap1"}, "indirection": {"equal": 64}},
        {"name": "the others", "match": {"device": "*"}},
    ]
    install(fleet, first, rules)
    report = fleet.audit()
    devices = {device["name"]: device for device in report["devices"]}
    assert {name: device["drift"] for name, device in devices.items()} == {
        "tap0": "",
        "tap1": "wait",
        "tap2": "would attach",
    }
    assert devices["tap1"]["drift_reason"] and report["totals"]["drift"] == 2


def test_a_relative_name_is_below_the_folder_of_the_call(
    fleet: Fleet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not below the playbook's, which is the collection's."""
    monkeypatch.chdir(tmp_path)
    done = fleet.playbook("virtnet.rss.audit", audit_report="fleet")
    assert done.returncode == 0, done.stdout + done.stderr
    assert (tmp_path / "fleet.json").is_file() and (tmp_path / "fleet.html").is_file()
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    (tmp_path / "home").mkdir()
    done = fleet.playbook("virtnet.rss.audit", audit_report="~/fleet")
    assert done.returncode == 0 and (tmp_path / "home" / "fleet.html").is_file(), done.stdout + done.stderr


def test_services(fleet: Fleet) -> None:
    """One that is stopped needs a look even where its guests are as wanted; where no systemd runs there is none."""
    first, second = fleet.names
    assert {host["service"] for host in fleet.audit()["hosts"]} == {""}
    for name, active in zip(fleet.names, ("failed", "active"), strict=True):
        install(fleet, name, [])
        put_systemctl(fleet, name, active)
    report = fleet.audit()
    assert {host["name"]: host["service"] for host in report["hosts"]} == {first: "stopped", second: "running"}
    assert f"host {first}: supported: the service is stopped" in (fleet.folder / "audit.txt").read_text("utf-8")
