# Copyright (c) 2026, virtnet.rss contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The command line of the test VMs, called by `run`."""

from __future__ import annotations

import argparse
import json
import os
import re
import shlex
import signal
import subprocess
import sys
import time
import typing as t
from pathlib import Path

from ..debian import install
from . import image, machine, suites
from .machine import Machine
from .suites import Suite

HOST_PACKAGES = (
    "debian-archive-keyring",
    "e2fsprogs",
    "ethtool",
    "git",
    "kmod",
    "mmdebstrap",
    "openssh-client",
    "qemu-system-x86",
    "util-linux",
)
VERSIONS = "uname -r; dpkg-query -W -f '${Version}\\n' libbpf[01]; python3 -V"


def main() -> int:
    # Dying at once is the best way to stop: QEMU goes with the thread that started it, its disk with QEMU.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    arguments = _parser().parse_args()
    try:
        return int(arguments.command(arguments))
    except (machine.MachineError, subprocess.SubprocessError, LookupError) as exc:
        print(f"error: {exc}", file=sys.stderr)
        return 2


def setup(_arguments: argparse.Namespace | None = None) -> int:
    """Install the packages that building and booting need, where they are missing; the others do it as well."""
    install(*HOST_PACKAGES)
    return 0


def build(arguments: argparse.Namespace) -> int:
    """Build the images of the suites, or of all, one after the other."""
    setup()
    for suite in _suites(arguments.suite):
        started = time.monotonic()
        path = image.build(suite)
        print(f"{suite.name}: {path} ({time.monotonic() - started:.0f} s)", flush=True)
    return 0


def execute(arguments: argparse.Namespace) -> int:
    """Run one command in a new VM and exit as it did."""
    setup()
    with _machine(arguments, suites.find(arguments.suite)) as vm:
        return vm.run(shlex.join(arguments.words), check=False, timeout=None, stdout=None).returncode


def up(arguments: argparse.Namespace) -> int:
    """Start a VM that stays, and print how to reach it and its versions of kernel, libbpf and Python."""
    setup()
    folder, suite = arguments.folder, suites.find(arguments.suite)
    vm = _machine(arguments, suite, folder)
    vm.start(outlive=True)
    try:
        versions = _versions(vm, suite)
    except BaseException:
        vm.stop(keep_logs=True)
        raise
    reached = {"host": "127.0.0.1", "port": vm.port, "user": "root", "key": str(folder / "key")}
    print(json.dumps({**reached, "versions": versions}))
    return 0


def down(arguments: argparse.Namespace) -> int:
    """Stop the VM that `up` started, and remove its folder."""
    machine.stop(arguments.folder)
    return 0


def _versions(vm: Machine, suite: Suite) -> dict[str, str]:
    """Of kernel, libbpf and Python; MachineError where they are not what the suite claims to have."""
    found = [_number(line) for line in vm.run(VERSIONS).stdout.splitlines()]
    wanted = (suite.kernel, suite.libbpf, suite.python)
    if not all(f"{version}.".startswith(f"{claim}.") for claim, version in zip(wanted, found)):
        told = f"kernel, libbpf, Python are {', '.join(found)}, not {', '.join(wanted)}"
        raise machine.MachineError(f"{suite.name}: {told}; if it has moved on, so should suites.py")
    return dict(zip(("kernel", "libbpf", "python"), found))


def _number(version: str) -> str:
    """6.1.0 of `6.1.0-38-cloud-amd64`, 1.1.2 of `1:1.1.2-0+deb12u1`, 3.11.2 of `Python 3.11.2`."""
    found = re.search(r"(?:^|[ :])(\d+(?:\.\d+)+)", version)
    return found.group(1) if found else version


def _machine(arguments: argparse.Namespace, suite: Suite, folder: Path | None = None) -> Machine:
    return Machine(
        image.build(suite),
        folder=folder,
        memory=arguments.memory,
        nests=arguments.nests,
        append=arguments.append,
    )


def _suites(names: t.Sequence[str]) -> list[Suite]:
    return [suites.find(name) for name in names] or list(suites.SUITES)


def _folder(name: str) -> Path:
    """Seen from where `run` was called, which then went to where the package lies."""
    return Path(os.environ["OLDPWD"], name).resolve()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="tests/support/vm/run", description=__doc__)
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
        command.add_argument("--memory", type=int, default=machine.MEMORY, metavar="MIB")
        command.add_argument("--nests", action="store_true", help="QEMU shall run inside")
        command.add_argument("suite", metavar="SUITE")
    commands.choices["exec"].add_argument("words", nargs="+", metavar="WORD", help="the command, after `--`")
    commands.choices["up"].add_argument("folder", type=_folder, metavar="FOLDER", help="for its key and logs")
    add("down", down).add_argument("folder", type=_folder, metavar="FOLDER")
    return parser


if __name__ == "__main__":
    sys.exit(main())
