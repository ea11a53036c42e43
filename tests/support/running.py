# SPDX-License-Identifier: GPL-3.0-or-later
"""The service as systemd runs it: the installed file, its notifications, its files."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import typing as t
from pathlib import Path

from ansible_collections.virtnet.rss.tests.support.eventually import eventually

__all__ = ("Running",)

READY_SECONDS = 20


class Running:
    """One service in this network namespace, with a policy, a status and a metrics file of its own."""

    def __init__(self, program: Path, folder: Path) -> None:
        self.program = program
        self.folder = folder
        self.policy = folder / "policy.d"
        self.policy.mkdir()
        self.status_file, self.metrics_file = folder / "status.json", folder / "metrics.prom"
        self.process: subprocess.Popen[str] | None = None
        self._notified: list[str] = []
        self._channel: socket.socket | None = None

    def write(self, *rules: dict[str, t.Any], name: str = "10.json", mode: int = 0o600) -> None:
        """A policy file, in one step as an editor or Ansible writes it."""
        scratch = self.policy / ".new"
        scratch.write_text(json.dumps({"rules": rules}), encoding="utf-8")
        scratch.chmod(mode)
        scratch.rename(self.policy / name)

    def start(self, *options: str, wrapper: t.Sequence[str] = ()) -> None:
        """Until it says that it is ready."""
        address = self.folder / "notify"
        address.unlink(missing_ok=True)
        self._notified = []  # an earlier start was ready, too
        self._channel = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._channel.bind(str(address))
        self._channel.settimeout(0.2)
        command = [*wrapper, "/usr/bin/python3", str(self.program), "run", *self._files(), *options]
        command += ["--metrics-file", str(self.metrics_file)]
        environment = {**os.environ, "NOTIFY_SOCKET": str(address), "WATCHDOG_USEC": "2000000"}
        environment.pop("PYTHONPATH", None)
        self.process = subprocess.Popen(
            command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )
        eventually(lambda: self.notified("READY=1"), READY_SECONDS)

    def notified(self, message: str) -> bool:
        """Whether systemd would have been told this."""
        assert self._channel
        try:
            while True:
                self._notified += self._channel.recv(65536).decode().splitlines()
                self._channel.settimeout(0.001)
        except OSError:
            return message in self._notified

    def forget_notifications(self) -> None:
        self.notified("")
        self._notified = []

    def status_text(self) -> str:
        """The newest STATUS= that systemd would show."""
        self.notified("")
        return next((line for line in reversed(self._notified) if line.startswith("STATUS=")), "")

    def status(self) -> dict[str, t.Any]:
        """What it wrote for `virtnet-rss status`."""
        found: dict[str, t.Any] = json.loads(self.status_file.read_text(encoding="utf-8"))
        return found

    def wait_until_put_back(self, times: int, seconds: float = 2) -> None:
        """Since its start, as its status tells."""
        eventually(lambda: self.status()["reapplied"] == times, seconds)

    def command(
        self, *words: str, check: bool = True, wrapper: t.Sequence[str] = (), files: bool = True
    ) -> subprocess.CompletedProcess[str]:
        """Another command of the same program, with the same files."""
        command = [*wrapper, "/usr/bin/python3", str(self.program), *words, *(self._files() if files else ())]
        return subprocess.run(command, capture_output=True, text=True, check=check)

    def stop(self) -> str:
        """Politely; gives all that it printed."""
        assert self.process
        self.process.terminate()
        output = self.process.communicate(timeout=10)[0]
        assert self.process.returncode == 0, output
        return output

    def kill(self) -> None:
        """Also when it has ended already."""
        if self.process:
            self.process.kill()
            self.process.communicate()
        if self._channel:
            self._channel.close()
            self._channel = None

    def _files(self) -> list[str]:
        return ["--policy", str(self.policy), "--status-file", str(self.status_file)]
