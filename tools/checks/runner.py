# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs the commands of one phase: output to its log, failures and gaps to the summary."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import typing as t
from pathlib import Path

import paths

# ansible-test says so when it leaves something out, and succeeds. Of missing interpreters phases.py tells, once.
GAPS = re.compile(r"^WARNING: ((?:Skipping|Excluding) .*)(?<!could not be found\.)$", re.MULTILINE)
# All phases together have 25 minutes; a command that takes ten hangs.
SECONDS = 600


class Runner:
    """Call it with a command; what went wrong is in `failures`, what could not be run in `not_run`."""

    def __init__(self, log: t.BinaryIO) -> None:
        self.failures: list[str] = []
        self.not_run: list[str] = []
        self._log = log

    def __call__(
        self,
        *argv: str | Path,
        cwd: Path = paths.TREE,
        env: t.Mapping[str, str] | None = None,
        evidence: str | None = None,
        seconds: int = SECONDS,
    ) -> bool:
        """Run to the end, or to the time limit. `evidence` is a pattern that the output of a real run contains."""
        command = " ".join(map(str, argv))
        start = self._log.seek(0, os.SEEK_END)
        self.say(f"$ {command}")
        status = self._wait([str(arg) for arg in argv], cwd, {**os.environ, **_ENVIRONMENT, **(env or {})}, seconds)
        output = self._read(start)
        self.not_run += GAPS.findall(output)
        if status:
            self.failures.append(f"{command}: {status}")
        elif evidence and not re.search(evidence, output):
            self.failures.append(f"{command}: it succeeded without having tested anything")
            return False
        return not status

    def say(self, text: str) -> None:
        self._log.write(f"{text}\n".encode())
        self._log.flush()

    def _wait(self, argv: list[str], cwd: Path, env: dict[str, str], seconds: int) -> str:
        """Return what went wrong, or nothing."""
        try:
            process = subprocess.Popen(
                argv,
                cwd=cwd,
                env=env,
                stdin=subprocess.DEVNULL,
                stdout=self._log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        except OSError as exc:
            return str(exc)
        try:
            status = process.wait(seconds)
        except BaseException as exc:  # the time is over, or Ctrl-C, which the new session keeps from the children
            _end(process)
            if isinstance(exc, subprocess.TimeoutExpired):
                return f"ended after {seconds} s"
            raise
        return f"exit status {status}" if status else ""

    def _read(self, start: int) -> str:
        with open(self._log.name, "rb") as log:
            log.seek(start)
            return log.read().decode(errors="replace")


def _end(process: subprocess.Popen[bytes]) -> None:
    """With all its children; politely first, so that tests can clean up."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        os.killpg(process.pid, number)
        try:
            process.wait(10)
            return
        except subprocess.TimeoutExpired:
            continue


_ENVIRONMENT = {
    "PATH": f"{paths.VENV}/bin:{paths.BIN}:{os.environ.get('PATH', os.defpath)}",
    "ANSIBLE_COLLECTIONS_PATH": str(paths.BUILD),
    "LC_ALL": "C.UTF-8",
    "NO_COLOR": "1",
    "PYTHONPATH": str(paths.BUILD),
    # The user's settings must not decide the result.
    "ANSIBLE_CONFIG": str(paths.HOME / "ansible.cfg"),
}
