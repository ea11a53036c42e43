# SPDX-License-Identifier: GPL-3.0-or-later
"""Hypervisors on one machine: each is a network namespace with devices of its own, and modules run inside it."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import typing as t
from pathlib import Path

from ansible_collections.virtnet.rss.tests.support.eventually import eventually
from ansible_collections.virtnet.rss.tests.support.run_module import run_module

__all__ = ("NOBODY_LISTENS", "Fleet")

HELD_TAP = Path(__file__).with_name("held_tap.py")
PYTHON = "/usr/bin/python3"
# Variables of a host that cannot be reached.
NOBODY_LISTENS = {"ansible_connection": "ssh", "ansible_host": "127.0.0.1", "ansible_port": 1}
FLAGS = 0x1102  # IFF_TAP, IFF_MULTI_QUEUE, IFF_NO_PI
# In front of a host's Python: a /run and a /proc of its own, or it would find the other hosts' network namespaces and
# wait for their lock.
APART = "unshare --mount --pid --fork --kill-child --mount-proc sh -c 'mount -t tmpfs tmpfs /run && exec \"$@\"' sh "


class Fleet:
    """Use it in a ``with`` block; what is inside the namespaces goes with them."""

    def __init__(self, folder: Path, count: int, prefix: str, *, apart: bool = False) -> None:
        """With ``apart`` no host sees another one, nor who holds its devices from outside."""
        self.folder = folder
        self._apart = apart
        self.names = [f"{prefix}{number:03d}" for number in range(count)]
        self._stack = contextlib.ExitStack()
        self.inventory = folder / "inventory.json"

    def __enter__(self) -> Fleet:
        try:
            self._stack.callback(_ip, *(f"netns del {name}" for name in self.names))
            _ip(*(f"netns add {name}" for name in self.names))
            hosts = {name: self._host(name) for name in self.names}
            self.inventory.write_text(json.dumps({"all": {"children": {"hypervisors": {"hosts": hosts}}}}))
        except BaseException:
            self._stack.close()
            raise
        return self

    def __exit__(self, *_exception: object) -> None:
        self._stack.close()

    def _host(self, name: str) -> dict[str, t.Any]:
        folder = self.folder / name
        folder.mkdir()
        interpreter = folder / "python3"
        inside = APART if self._apart else ""
        interpreter.write_text(f'#!/bin/sh\nexec ip netns exec {name} {inside}{PYTHON} "$@"\n', encoding="ascii")
        interpreter.chmod(0o755)
        return self._variables(name)

    def _variables(self, name: str) -> dict[str, t.Any]:
        folder = self.folder / name
        return {
            "ansible_connection": "local",
            "ansible_python_interpreter": str(folder / "python3"),
            "steering_folder": str(folder / "etc"),
            "steering_program": str(folder / "virtnet-rss"),
            **({} if self._apart else {"audit_netns": name, "rollout_netns": name}),
        }

    def give(self, variables: dict[str, t.Any], name: str | None = None) -> None:
        """Variables for one host, or for the group `all`."""
        inventory = json.loads(self.inventory.read_text(encoding="utf-8"))
        group = inventory["all"]
        place = group["children"]["hypervisors"]["hosts"][name] if name else group.setdefault("vars", {})
        place.update(variables)
        self.inventory.write_text(json.dumps(inventory), encoding="utf-8")

    def start(self, name: str, *command: str) -> None:
        """A process inside one host, until the end of the ``with`` block."""
        process = subprocess.Popen(
            ["ip", "netns", "exec", name, *command], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL
        )

        def stop() -> None:
            assert process.stdin
            process.stdin.close()
            process.terminate()
            process.wait()

        self._stack.callback(stop)

    def hold(self, name: str, *taps: str, flags: int = FLAGS) -> None:
        """Four-queue devices with a holder each."""
        for tap in taps:
            self.start(name, PYTHON, str(HELD_TAP), tap, "4", str(flags))
            _wait_until_up(name, tap)

    def add_devices(self, name: str, count: int) -> None:
        """Persistent devices that nobody holds."""
        _ip(*(f"tuntap add tap{number} mode tap multi_queue" for number in range(count)), netns=name)

    def playbook(self, name: str, *words: str, **variables: t.Any) -> subprocess.CompletedProcess[str]:
        """Run one of the collection's playbooks, or a file, over all hosts, with more words of the command line."""
        return self._ansible("playbook", "-i", str(self.inventory), "--forks", "20", *words, name, variables=variables)

    def pull(self, name: str, repository: str, playbook: str) -> subprocess.CompletedProcess[str]:
        """ansible-pull on one host."""
        words = ["-U", repository, "-i", "localhost,", "-d", str(self.folder / "pulled"), playbook]
        return self._ansible("pull", *words, variables=self._variables(name))

    def audit(self, *words: str) -> dict[str, t.Any]:
        """The report of virtnet.rss.audit."""
        done = self.playbook("virtnet.rss.audit", *words, audit_report=str(self.folder / "audit"))
        assert done.returncode == 0, done.stdout + done.stderr
        found: dict[str, t.Any] = json.loads((self.folder / "audit.json").read_text(encoding="utf-8"))
        return found

    def states(self) -> list[str]:
        """Of every device: what a module sees from outside, in a tenth of an audit's time."""
        looks = [run_module("tap_steering_info", {"netns": name}) for name in self.names]
        return [tap["state"] for look in looks for tap in look["taps"]]

    @staticmethod
    def _ansible(what: str, *words: str, variables: dict[str, t.Any]) -> subprocess.CompletedProcess[str]:
        environment = {**os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
        environment.update(ANSIBLE_LOCALHOST_WARNING="false", ANSIBLE_PIPELINING="true")
        command = [f"ansible-{what}", *words, "-e", json.dumps(variables)]
        return subprocess.run(command, capture_output=True, text=True, check=False, env=environment)


def _ip(*commands: str, netns: str = "") -> None:
    """All in one process: a fleet has thousands."""
    place = ["-n", netns] if netns else []
    subprocess.run(["ip", *place, "-force", "-batch", "-"], input="\n".join(commands), text=True, check=True)


def _wait_until_up(name: str, tap: str) -> None:
    """Its holder brings a device up when it has opened all queues: a task before that would steer fewer."""
    command = ["ip", "-n", name, "link", "show", "dev", tap, "up"]
    eventually(lambda: subprocess.run(command, capture_output=True, check=False).stdout, 20)
