# SPDX-License-Identifier: GPL-3.0-or-later
"""ansible-test of every maintained ansible-core, each in an environment, a home and a work tree of its own.

`make test` runs one ansible-core, the one in requirements/; this runs all that the Pythons of the machine allow.
"""

from __future__ import annotations

import os
import sys
import time
import typing as t
from pathlib import Path

import paths
from prepare import found_pythons, home, work_tree
from runner import Runner

SECONDS = 1800
HEADINGS = ("ansible-core", "controller", "sanity", "units", "on Pythons", "integration", "seconds")


class Core(t.NamedTuple):
    """A release, the Python to run it with, and the oldest and newest that it runs modules on."""

    release: str
    controller: str
    oldest: int
    newest: int


# 2.17 would still allow 3.7, for which plugins/ are not written. 3.14, which 2.20 allows, is not tested yet.
CORES = (
    Core("2.17", "3.10", 8, 12),
    Core("2.18", "3.11", 8, 13),
    Core("2.19", "3.11", 8, 13),
    Core("2.20", "3.12", 9, 14),
    Core("2.21", "3.13", 9, 14),
)


def matrix(run: Runner) -> None:
    """With CORES="2.17 2.20" in the environment only these."""
    wanted = os.environ.get("CORES", "").split() or [core.release for core in CORES]
    if os.geteuid():
        run.failures.append("needs root: it makes TAP devices and loads BPF programs")
        return
    if unknown := set(wanted) - {core.release for core in CORES}:
        run.failures.append(f"no such ansible-core here: {', '.join(sorted(unknown))}")
        return
    rows = [_one(run, core) for core in CORES if core.release in wanted]
    for row in (HEADINGS, *rows):
        line = f"{row[0]:13} {row[1]:11} {row[2]:7} {row[3]:7} {row[4]:34} {row[5]:12} {row[6]:>7}".rstrip()
        run.say(line)
        print(line, flush=True)


def _one(run: Runner, core: Core) -> tuple[str, ...]:
    if core.controller not in found_pythons():
        run.not_run.append(f"ansible-core {core.release}: no Python {core.controller} on this machine")
        return (core.release, core.controller, "not run", "not run", "", "not run", "")
    begin = time.monotonic()
    targets = _targets(run, core)
    cell = paths.BUILD / "matrix" / core.release
    test = _Cell(run, cell)
    if not test.prepare(core):
        return (core.release, core.controller, "FAILED", "FAILED", "", "FAILED", "")
    words = [word for version in targets for word in ("--target-python", f"venv/{version}")]
    done = {
        "sanity": test("sanity", "--requirements", evidence="Running sanity test"),
        "units": test("units", "--requirements", *words, evidence=r"\b[1-9]\d* passed"),
        "integration": test(
            *("integration", "--allow-destructive", "--controller", "origin:python=default"),
            *("--target", f"controller:python=3.{sys.version_info.minor}@{sys.executable}"),
            evidence="Running .* integration test",
        ),
    }
    word = {name: "passed" if passed else "FAILED" for name, passed in done.items()}
    seconds = f"{time.monotonic() - begin:.0f}"
    pythons = " ".join(targets)
    return (test.version(), core.controller, word["sanity"], word["units"], pythons, word["integration"], seconds)


def _targets(run: Runner, core: Core) -> list[str]:
    allowed = [f"3.{minor}" for minor in range(core.oldest, core.newest + 1)]
    missing = [version for version in allowed if version not in found_pythons()]
    if missing:
        run.not_run.append(f"ansible-core {core.release} on Python {', '.join(missing)}: not on this machine")
    return [version for version in allowed if version not in missing]


class _Cell:
    """The folder of one release."""

    def __init__(self, run: Runner, folder: Path) -> None:
        self._run, self._folder = run, folder
        self._venv, self._home = folder / "venv", folder / "home"
        self._tree = folder / "ansible_collections" / "virtnet" / "rss"

    def prepare(self, core: Core) -> bool:
        """Always the newest of the release: what was made before is brought up to date."""
        python = paths.BIN / f"python{core.controller}"
        install = ("-m", "pip", "install", "--disable-pip-version-check", "--quiet", "--upgrade")
        work_tree(self._run, self._tree)
        home(self._home)
        return self._run(
            python if python.exists() else sys.executable, "-m", "venv", self._venv, cwd=paths.BUILD
        ) and self._run(
            self._venv / "bin" / "python", *install, f"ansible-core~={core.release}.0", "pyroute2", cwd=paths.BUILD
        )

    def __call__(self, command: str, *words: str, evidence: str) -> bool:
        environment = {
            "HOME": str(self._home),
            "PATH": f"{self._venv}/bin:{paths.BIN}:{os.environ.get('PATH', os.defpath)}",
            "ANSIBLE_COLLECTIONS_PATH": str(self._folder),
            "ANSIBLE_CONFIG": str(self._home / "ansible.cfg"),
            "PYTHONPATH": str(self._folder),
        }
        return self._run(
            self._venv / "bin" / "ansible-test",
            *(command, "--color", "no", *words),
            cwd=self._tree,
            env=environment,
            evidence=evidence,
            seconds=SECONDS,
        )

    def version(self) -> str:
        """The one that pip found, from the name of its metadata."""
        (found,) = self._venv.glob("lib/python*/site-packages/ansible_core-*.dist-info")
        return found.name[len("ansible_core-") : -len(".dist-info")]
