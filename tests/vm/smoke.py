# Copyright (c) 2026, virtnet.rss contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tests of the VM harness with real VMs, as root: `python3 -m pytest tests/vm/smoke.py` in a tree of collections."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
import typing as t
from dataclasses import replace
from pathlib import Path

import pytest

from ansible_collections.virtnet.rss.tests.support.cache import cache_folder
from ansible_collections.virtnet.rss.tests.support.eventually import eventually
from ansible_collections.virtnet.rss.tests.support.vm import cli, image, suites
from ansible_collections.virtnet.rss.tests.support.vm.machine import Machine, MachineError

RUN = str(Path(__file__).parents[1] / "support" / "vm" / "run")
SUITE = suites.find("bookworm")


@pytest.fixture(name="disk", scope="module", autouse=True)
def _disk(tmp_path_factory: pytest.TempPathFactory) -> t.Iterator[Path]:
    """The image of the real cache, in a cache of our own: so logs and VMs of these tests are known as theirs."""
    image.build(SUITE)
    cache = tmp_path_factory.mktemp("cache")
    (cache / "virtnet-rss").mkdir()
    (cache / "virtnet-rss" / "images").symlink_to(cache_folder() / "images")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(cache))
        yield image.build(SUITE)


@pytest.fixture(autouse=True)
def _nothing_left(disk: Path) -> t.Iterator[None]:
    yield
    assert not _qemus()


def _qemus() -> list[str]:
    found = subprocess.run(["pgrep", "-f", f"^qemu-system.*{cache_folder()}"], check=False, capture_output=True)
    return found.stdout.decode().split()


def test_digest_follows_the_recipe() -> None:
    digests = {image.digest(suite) for suite in suites.SUITES}
    assert len(digests) == len(suites.SUITES)
    assert image.digest(replace(SUITE, libbpf="0.3")) not in digests  # it asks for another package


def test_runs_copies_and_stops(disk: Path, tmp_path: Path) -> None:
    (tmp_path / "sent").write_text("across\n")
    with Machine(disk, append="printk.time=0") as vm:
        vm.put(tmp_path / "sent", "/root/received")
        assert vm.run("cat /root/received").stdout == "across\n"
        assert vm.run("exit 7", check=False).returncode == 7
        assert "printk.time=0" in vm.run("cat /proc/cmdline").stdout
        assert vm.run("systemctl is-system-running --wait").stdout == "running\n"
        vm.run("modprobe tun && ip tuntap add dev t0 mode tap multi_queue")
    assert not vm.folder.exists()


def test_two_vms_share_an_image_and_no_writes(disk: Path) -> None:
    with Machine(disk) as first, Machine(disk) as second:
        first.run("touch /root/mine && sync")
        assert second.run("test -e /root/mine", check=False).returncode == 1
        assert first.port != second.port
    with Machine(disk) as third:
        assert third.run("test -e /root/mine", check=False).returncode == 1


def test_failure_keeps_logs_only(disk: Path) -> None:
    vm = Machine(disk)
    with pytest.raises(MachineError, match="exited with 3\nwhy"), vm:
        vm.run("echo why >&2; exit 3")
    assert {path.name for path in vm.folder.iterdir()} == {"console.log", "qemu.log"}
    assert "Linux version" in vm.console.read_text()


def test_boot_that_panics_ends_at_once(disk: Path) -> None:
    started = time.monotonic()
    with pytest.raises(MachineError, match=r"(?s)QEMU ended during the boot.*[Pp]anic"):
        Machine(disk, append="init=/nowhere rdinit=/nowhere").start()
    assert time.monotonic() - started < 60


def test_command_that_hangs_is_told_with_its_words(disk: Path) -> None:
    with Machine(disk) as vm, pytest.raises(MachineError, match="did not end within 8 s\nbegun"):
        vm.run("echo begun; sleep 300", timeout=8)


def test_qemu_that_does_not_start_says_why(disk: Path) -> None:
    with pytest.raises(MachineError, match="no-such-device"):
        Machine(disk, qemu=["-device", "no-such-device"]).start()


def test_wrong_version_is_no_success(tmp_path: Path, disk: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(image, "build", lambda _suite: disk)
    monkeypatch.setattr(suites, "find", lambda _name: replace(SUITE, kernel="6.12"))
    monkeypatch.setattr(sys, "argv", ["run", "up", SUITE.name, str(tmp_path / "vm")])
    assert cli.main() == 2
    assert not (tmp_path / "vm" / "pid").exists()


def test_up_and_down(tmp_path: Path) -> None:
    folder = tmp_path / "vm"
    told = json.loads(subprocess.check_output([RUN, "up", SUITE.name, str(folder)]))
    try:
        assert Path(told["key"]).exists()
        assert told["versions"]["kernel"].startswith(f"{SUITE.kernel}.")
        ssh = ["ssh", "-F", str(folder / "ssh_config"), "vm", "hostname"]
        assert subprocess.check_output(ssh, text=True) == "bookworm\n"
    finally:
        subprocess.run([RUN, "down", str(folder)], check=True)
    assert not folder.exists()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_killed_harness_takes_its_vm_along(number: signal.Signals) -> None:
    harness = subprocess.Popen([RUN, "exec", SUITE.name, "--", "sleep", "300"], start_new_session=True)
    try:
        eventually(_qemus, 60)
    finally:
        os.kill(harness.pid, number)
    assert harness.wait() == -number
    eventually(lambda: not _qemus(), 60)
