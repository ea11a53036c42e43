# Copyright (c) 2026, virtnet.rss contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The command line of the test VMs, called by `run`."""

from __future__ import annotations

import argparse
import json
import re
import shlex
import signal
import subprocess
import sys
import tarfile
import tempfile
import time
import typing as t
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import image
import machine
import suites
from machine import Machine
from suites import Suite

COLLECTION = Path(__file__).resolve().parents[2]
GUEST_COLLECTION = "/root/tree/ansible_collections/virtnet/rss"
# Each boots with two virtual cores.
PARALLEL = 2
CHECK_SECONDS = 1800
HOST_PACKAGES = (
    "debian-archive-keyring",
    "e2fsprogs",
    "git",
    "mmdebstrap",
    "openssh-client",
    "qemu-system-x86",
    "util-linux",
)
VERSIONS = "uname -r; dpkg-query -W -f '${Version}\\n' libbpf[01]; python3 -V"


@dataclass(frozen=True)
class Outcome:
    """What came of one VM: a row of the table."""

    suite: str
    versions: t.Sequence[str]
    passed: bool
    seconds: float

    def row(self) -> tuple[str, ...]:
        return self.suite, *self.versions, "passed" if self.passed else "failed", f"{self.seconds:.0f}"


def main() -> int:
    # Dying at once is the best way to stop: QEMU goes with the thread that started it, its disk with QEMU.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    arguments = _parser().parse_args()
    try:
        return int(arguments.command(arguments))
    except (machine.MachineError, subprocess.SubprocessError, LookupError) as exc:
        print(f"error: {exc}", file=sys.stderr)
        return 2


def setup(_arguments: argparse.Namespace) -> int:
    """Install the packages that building and booting need."""
    missing = [name for name in HOST_PACKAGES if not _is_installed(name)]
    if missing:
        subprocess.run(["apt-get", "update"], check=True)
        subprocess.run(["apt-get", "install", "--yes", "--no-install-recommends", *missing], check=True)
    return 0


def build(arguments: argparse.Namespace) -> int:
    """Build the images of the suites, or of all, one after the other."""
    for suite in _suites(arguments.suite):
        started = time.monotonic()
        path = image.build(suite)
        print(f"{suite.name}: {path} ({time.monotonic() - started:.0f} s)", flush=True)
    return 0


def execute(arguments: argparse.Namespace) -> int:
    """Run one command in a new VM and exit as it did."""
    with Machine(image.build(suites.find(arguments.suite)), append=arguments.append) as vm:
        return vm.run(shlex.join(arguments.words), check=False, timeout=None, stdout=None).returncode


def up(arguments: argparse.Namespace) -> int:
    """Start a VM that stays, and print how to reach it."""
    folder = arguments.folder.resolve()
    vm = Machine(image.build(suites.find(arguments.suite)), folder=folder, append=arguments.append)
    vm.start(outlive=True)
    print(json.dumps({"host": "127.0.0.1", "port": vm.port, "user": "root", "key": str(folder / "key")}))
    return 0


def down(arguments: argparse.Namespace) -> int:
    """Stop the VM that `up` started, and remove its folder."""
    machine.stop(arguments.folder.resolve())
    return 0


def kernels(arguments: argparse.Namespace) -> int:
    """Run inside.sh in every VM."""
    chosen = _suites(arguments.suite)
    for suite in chosen:
        image.build(suite)
    with tempfile.TemporaryDirectory() as scratch, ThreadPoolExecutor(PARALLEL) as pool:
        archive = _archive(Path(scratch) / "collection.tar")
        outcomes = list(pool.map(lambda suite: _check(suite, archive), chosen))
    _print_table(outcomes)
    failed = sum(not outcome.passed for outcome in outcomes)
    print(f"{len(outcomes) - failed} passed, {failed} failed")
    return 1 if failed else 0


def _check(suite: Suite, archive: Path) -> Outcome:
    started = time.monotonic()
    versions, passed = ["?", "?", "?"], False
    vm = Machine(image.build(suite))
    try:
        with vm, archive.open("rb") as collection:
            versions = [_number(line) for line in vm.run(VERSIONS).stdout.splitlines()]
            _check_versions(suite, versions)
            vm.run(f"mkdir -p {GUEST_COLLECTION} && tar -x -C {GUEST_COLLECTION}", stdin=collection)
            output = vm.run(f"cd {GUEST_COLLECTION} && sh tests/vm/inside.sh", timeout=CHECK_SECONDS).stdout
            passed = True
    except (machine.MachineError, subprocess.SubprocessError, OSError) as exc:
        output = f"{exc}\nlogs: {vm.folder}"
    print(f"== {suite.name}: {'passed' if passed else 'FAILED'}\n{output.rstrip()}", flush=True)
    return Outcome(suite.name, versions, passed, time.monotonic() - started)


def _check_versions(suite: Suite, versions: t.Sequence[str]) -> None:
    for wanted, found in zip((suite.kernel, suite.libbpf, suite.python), versions):
        if not f"{found}.".startswith(f"{wanted}."):
            raise machine.MachineError(f"kernel, libbpf, Python are {', '.join(versions)}: {found} should be {wanted}")


def _number(version: str) -> str:
    """6.1.0 of `6.1.0-38-cloud-amd64`, 1.1.2 of `1:1.1.2-0+deb12u1`, 3.11.2 of `Python 3.11.2`."""
    found = re.search(r"(?:^|[ :])(\d+(?:\.\d+)+)", version)
    return found.group(1) if found else version


def _archive(target: Path) -> Path:
    """The collection as in the work tree: what git knows or would add, and BPF objects, for a VM has no compiler."""
    subprocess.run(["make", "-s", "-C", str(COLLECTION / "bpf"), "variants"], check=True)
    listing = subprocess.run(
        ["git", "-C", str(COLLECTION), "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        check=True,
        stdout=subprocess.PIPE,
        text=True,
    ).stdout
    with tarfile.open(target, "w") as archive:
        for name in sorted(set(filter(None, listing.split("\0")))):
            if (COLLECTION / name).exists():  # git still lists what was deleted but not yet committed
                archive.add(COLLECTION / name, arcname=name)
        archive.add(COLLECTION / "bpf" / "build", arcname="bpf/build")
    return target


def _print_table(outcomes: t.Sequence[Outcome]) -> None:
    rows = [("VM", "kernel", "libbpf", "python", "result", "seconds"), *(outcome.row() for outcome in outcomes)]
    widths = [max(map(len, column)) for column in zip(*rows)]
    for row in rows:
        print(" | ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip())


def _suites(names: t.Sequence[str]) -> list[Suite]:
    return [suites.find(name) for name in names] or list(suites.SUITES)


def _is_installed(package: str) -> bool:
    query = ["dpkg-query", "--show", "--showformat=${db:Status-Status}", package]
    return subprocess.run(query, check=False, capture_output=True, text=True).stdout == "installed"


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="tests/vm/run", description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    def add(name: str, function: t.Callable[[argparse.Namespace], int]) -> argparse.ArgumentParser:
        command = commands.add_parser(name, help=function.__doc__, description=function.__doc__)
        command.set_defaults(command=function)
        return command

    add("setup", setup)
    add("build", build).add_argument("suite", nargs="*", metavar="SUITE")
    for name, function in (("exec", execute), ("up", up)):
        command = add(name, function)
        command.add_argument("--append", default="", help="more words for the kernel's command line")
        command.add_argument("suite", metavar="SUITE")
    commands.choices["exec"].add_argument("words", nargs="+", metavar="WORD", help="the command, after `--`")
    commands.choices["up"].add_argument("folder", type=Path, metavar="FOLDER", help="where its key and logs shall be")
    add("down", down).add_argument("folder", type=Path, metavar="FOLDER")
    add("kernels", kernels).add_argument("--suite", action="append", default=[], metavar="SUITE")
    return parser


if __name__ == "__main__":
    sys.exit(main())
