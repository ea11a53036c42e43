# SPDX-License-Identifier: GPL-3.0-or-later
"""Every playbook of examples/, over hosts with guests."""

from __future__ import annotations

import os
import shutil
import subprocess
import typing as t
from pathlib import Path

import pytest

from ansible_collections.virtnet.rss.tests.support.namespaces import Fleet

EXAMPLES = Path(__file__).parents[2] / "examples"


@pytest.fixture
def fleet(tmp_path: Path) -> t.Iterator[Fleet]:
    with Fleet(tmp_path, 2, f"rssex{os.getpid()}-") as made:
        yield made


def run(fleet: Fleet, name: str, **variables: t.Any) -> str:
    """In check mode on hosts that have nothing yet, then twice: the second run changes nothing."""
    checked = fleet.playbook(str(EXAMPLES / name), "--check", "--diff", **variables)
    assert checked.returncode == 0 and steered(fleet) == {}, checked.stdout + checked.stderr
    first = fleet.playbook(str(EXAMPLES / name), **variables)
    assert first.returncode == 0, first.stdout + first.stderr
    second = fleet.playbook(str(EXAMPLES / name), **variables)
    assert second.returncode == 0 and "changed=0" in second.stdout, second.stdout
    return second.stdout


def steered(fleet: Fleet) -> dict[tuple[str, str], dict[str, t.Any]]:
    """By host and device: what is attached, as the audit tells it."""
    devices = fleet.audit()["devices"]
    return {(device["host"], device["name"]): device for device in devices if device["state"] == "steered"}


def test_libvirt_fleet(fleet: Fleet) -> None:
    for name in fleet.names:
        fleet.hold(name, "vnet0", "vnet1", "tap9")
    output = run(fleet, "libvirt-fleet.yml")
    assert "vnet1: steered, 4 queues, ebpf decides" in output
    assert sorted(steered(fleet)) == [(name, device) for name in fleet.names for device in ("vnet0", "vnet1")]


def test_plain_qemu(fleet: Fleet) -> None:
    """Then a process takes the four queues, as QEMU would: they are steered from the first packet on."""
    run(fleet, "plain-qemu.yml")
    assert sorted(steered(fleet)) == [(name, device) for name in fleet.names for device in ("guest0", "guest1")]
    fleet.hold(fleet.names[0], "guest0", flags=0x5102)  # with IFF_VNET_HDR
    assert steered(fleet)[fleet.names[0], "guest0"]["queues"] == 4


def test_cloud_hypervisor(fleet: Fleet) -> None:
    """Then a process takes as many queues as it was told, as cloud-hypervisor would."""
    run(fleet, "cloud-hypervisor.yml")
    assert sorted(steered(fleet)) == [(name, device) for name in fleet.names for device in ("ch0", "ch1")]
    fleet.hold(fleet.names[0], "ch0", flags=0x5102)  # with IFF_VNET_HDR
    assert steered(fleet)[fleet.names[0], "ch0"]["queues"] == 4


def test_proxmox(fleet: Fleet) -> None:
    for name in fleet.names:
        fleet.hold(name, "tap100i0", "tap100i1", "tap7")
    run(fleet, "proxmox.yml")
    assert sorted(steered(fleet)) == [(name, device) for name in fleet.names for device in ("tap100i0", "tap100i1")]


def test_tenant_weights(fleet: Fleet) -> None:
    for name in fleet.names:
        fleet.hold(name, "gold0", "silver0", "vnet0")
    run(fleet, "tenant-weights.yml")
    assert len(steered(fleet)) == 6


def test_pull(fleet: Fleet) -> None:
    """ansible-pull for real, from a git repository."""
    host = fleet.names[0]
    fleet.hold(host, "vnet0")
    repository = fleet.folder / "fleet.git"
    repository.mkdir()
    shutil.copy(EXAMPLES / "pull.yml", repository)
    for words in (["init", "-q"], ["add", "."], ["-c", "user.name=a", "-c", "user.email=a@b", "commit", "-qm", "a"]):
        subprocess.run(["git", "-C", str(repository), *words], check=True)
    done = fleet.pull(host, str(repository), "pull.yml")
    assert done.returncode == 0, done.stdout + done.stderr
    assert sorted(steered(fleet)) == [(host, "vnet0")]


def test_there_is_a_test_for_each() -> None:
    text = Path(__file__).read_text(encoding="utf-8")
    assert all(f'"{path.name}"' in text for path in EXAMPLES.glob("*.yml"))
