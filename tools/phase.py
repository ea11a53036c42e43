# SPDX-License-Identifier: GPL-3.0-or-later
"""A phase: a session of nox with a log, which fails when a command tested nothing and tells what could not be run."""

from __future__ import annotations

import functools
import os
import re
import time
import typing as t
from pathlib import Path

import nox
from nox.command import CommandFailed

from tools.tree import BIN, BUILD, COLLECTION, ROOT, VENV

# ansible-test says so when it leaves something out, and succeeds. Of missing interpreters the phases tell, once.
GAPS = re.compile(r"^WARNING: ((?:Skipping|Excluding) .*)(?<!could not be found\.)$", re.MULTILINE)
PYTEST_PASSED = r"\b[1-9]\d* passed"
SHOWN_LINES = 200
_Body = t.TypeVar("_Body", bound=t.Callable[..., None])


class Phase:
    """Call it with a command; after one that fails the others run too, and the session fails in the end."""

    # The units on six Pythons, the longest of `make test`, take five minutes of an idle machine; this one hangs.
    seconds = 1200

    def __init__(self, session: nox.Session, name: str) -> None:
        self.session, self.name, self._begin = session, name, time.monotonic()
        self.failures: list[str] = []
        self.place(BUILD, VENV)
        self._path = BUILD / "logs" / f"{name}.log"
        self._path.parent.mkdir(parents=True, exist_ok=True)
        self._log = self._path.open("w", encoding="utf-8")

    def place(self, folder: Path, venv: Path) -> None:
        """Run what follows in the work tree below this folder, with a home there, and with the tools of this venv."""
        self.tree = folder / COLLECTION
        self.home = folder / "home"
        self._env = {
            "PATH": f"{venv}/bin:{BIN}:{os.environ.get('PATH', os.defpath)}",
            "ANSIBLE_COLLECTIONS_PATH": str(folder),
            "LC_ALL": "C.UTF-8",
            "NO_COLOR": "1",
            "PYTHONPATH": str(folder),
            # The user's settings must not decide the result.
            "ANSIBLE_CONFIG": str(self.home / "ansible.cfg"),
        }

    def __call__(self, *argv: str | Path, cwd: Path | None = None, evidence: str = "", **env: str | Path) -> bool:
        """Run to the end, or to the time limit. `evidence` is a pattern that the output of a real run contains."""
        command = " ".join(map(str, argv))
        start, failures = self._path.stat().st_size, len(self.failures)
        self.say(f"$ {command}")
        try:
            # `timeout` ends the children too, politely first, so that tests can clean up.
            self.session.run(
                *("timeout", "--kill-after=10", str(self.seconds), "env", "--chdir", cwd or self.tree, *argv),
                env={**self._env, **{name: str(value) for name, value in env.items()}},
                stdout=self._log,
                external=True,
                log=False,
                terminate_timeout=10,
            )
        except CommandFailed as exc:
            reason = f"ended after {self.seconds} s" if exc.return_code == 124 else exc.reason
            self.failures.append(f"{command}: {reason}")
        output = self._path.read_bytes()[start:].decode(errors="replace")
        for gap in GAPS.findall(output):
            self.not_run(gap)
        if evidence and len(self.failures) == failures and not re.search(evidence, output):
            self.failures.append(f"{command}: it succeeded without having tested anything")
        return len(self.failures) == failures

    def say(self, text: str) -> None:
        print(text, file=self._log, flush=True)

    def not_run(self, reason: str) -> None:
        """tools/check tells it before the count, once."""
        _result("not-run", f"{reason}\n")

    def end(self) -> None:
        result, seconds = "FAILED" if self.failures else "passed", time.monotonic() - self._begin
        print(line := f"{self.name:15} {result} {seconds:6.0f} s", flush=True)
        _result("phases", f"{line}\n")
        self._log.close()
        if self.failures:
            print(*self._path.read_text(encoding="utf-8", errors="replace").splitlines()[-SHOWN_LINES:], sep="\n")
            print(*self.failures, f"the whole output is in {self._path.relative_to(ROOT)}", sep="\n", flush=True)
            raise CommandFailed(self.failures[0])


def _result(name: str, line: str) -> None:
    """For tools/check, when it runs this; of a session of nox alone nox tells."""
    if "RESULTS" in os.environ:
        with Path(os.environ["RESULTS"], name).open("a", encoding="utf-8") as file:
            file.write(line)


def phase(*, requires: t.Sequence[str] = ("setup",)) -> t.Callable[[_Body], _Body]:
    """Make a session of a function of a Phase and nox's parameters, for root only if its docstring says "(root"."""

    def decorate(function: _Body) -> _Body:
        def session(session: nox.Session, **parameters: str) -> None:
            run = Phase(session, "-".join((function.__name__, *parameters.values())))
            if "(root" in (function.__doc__ or "") and os.geteuid():
                run.failures.append("needs root: it makes TAP devices and loads BPF programs")
            else:
                function(run, **parameters)
            run.end()

        nox.session(python=False, requires=requires)(functools.update_wrapper(session, function))
        return function

    return decorate


def simple(name: str, text: str, *commands: str) -> None:
    """Make a session of commands of which the last, when it is of tests/, must have passed some."""

    def body(run: Phase) -> None:
        for command in commands:
            run(*command.split(), evidence=PYTEST_PASSED if "tests/" in command else "")

    body.__name__, body.__doc__ = name, text
    phase()(body)
