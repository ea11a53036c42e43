# Copyright (c) 2026, virtnet.rss contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to the collection: the words of the command line. The man page and the completions are made of this parser
# (docs/command_line.py), so what a command does is said here, and nowhere else.

from __future__ import annotations

import argparse
import contextlib
import typing as t

from ansible_collections.virtnet.rss.plugins.module_utils._errors import InputError
from ansible_collections.virtnet.rss.plugins.module_utils._policy.folder import POLICY_FOLDER
from ansible_collections.virtnet.rss.plugins.module_utils._service.status_file import STATUS_FILE
from ansible_collections.virtnet.rss.plugins.module_utils._service.version import VERSION

__all__ = ("EXIT_STATUSES", "INTERRUPTED", "NOT_AS_WANTED", "NOT_RUNNING", "WRONG_WORDS", "parser")

NOT_AS_WANTED, WRONG_WORDS, NOT_RUNNING, INTERRUPTED = 1, 2, 3, 130
EXIT_STATUSES = {
    0: "All is as it is wanted, or what was asked for was done.",
    NOT_AS_WANTED: "Something is not as it is wanted, or was refused; a sentence says what.",
    WRONG_WORDS: "The words of the command line were not understood.",
    NOT_RUNNING: "status: the service does not run.",
    INTERRUPTED: "It was interrupted by Ctrl-C.",
}
DAY = 86400  # seconds: nobody waits for longer, and time.sleep does not take every number
DEVICES = "names, or patterns such as 'vnet*'; default: all"


def parser() -> argparse.ArgumentParser:
    """All commands; each sets ``command`` to its name."""
    statuses = "\n".join(f"  {number:3} {text}" for number, text in EXIT_STATUSES.items())
    made = argparse.ArgumentParser(
        prog="virtnet-rss",
        description="Keeps the TAP devices of guests steered, and tells what steers them.",
        epilog=f"exit status:\n{statuses}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    made.add_argument("--version", action="version", version=f"%(prog)s {VERSION}")
    commands = made.add_subparsers(required=True, metavar="COMMAND", dest="command")
    for add in (_run, _status, _top, _advise, _explain, _check, _apply, _release, _balance, _metrics):
        add(commands)
    return made


class Commands(t.Protocol):
    """What argparse gives for the commands."""

    def add_parser(self, name: str, **options: t.Any) -> argparse.ArgumentParser:
        """A command."""


def _add(commands: Commands, name: str, text: str) -> argparse.ArgumentParser:
    made = commands.add_parser(name, help=text, description=text)
    made.add_argument("--policy", default=POLICY_FOLDER, metavar="FOLDER", help="default: %(default)s")
    made.add_argument("--status-file", default=STATUS_FILE, metavar="FILE", help="default: %(default)s")
    return made


def _add_devices(command: argparse.ArgumentParser, *, netns: str) -> None:
    command.add_argument("taps", nargs="*", metavar="DEVICE", help=DEVICES)
    command.add_argument("--netns", metavar="NAME", help=f"only in network namespaces of this name or pattern; {netns}")
    _add_guest(command)


def _add_guest(command: argparse.ArgumentParser) -> None:
    command.add_argument("--domain", metavar="NAME", help="only devices of this guest, or of those of a pattern")
    command.add_argument("--mac", metavar="ADDRESS", help="only the device of the card with this address, or pattern")


def _add_json(command: argparse.ArgumentParser) -> None:
    command.add_argument("--json", action="store_true", help="the same for programs")


def _run(commands: Commands) -> None:
    run = _add(commands, "run", "The service itself: steer by the policy until it is told to stop.")
    run.add_argument("--metrics-file", metavar="FILE", help="for node_exporter's textfile collector; default: none")
    run.add_argument(
        "--watch", type=_seconds(0.05), default=0.5, metavar="SECONDS", help="between two looks; default: %(default)s"
    )
    run.add_argument(
        "--full",
        type=_seconds(1),
        default=30.0,
        metavar="SECONDS",
        help="between two whole passes; default: %(default)s",
    )
    run.add_argument("--measure", action="store_true", help="the programs' cost, for the metrics")


def _status(commands: Commands) -> None:
    status = _add(commands, "status", "What steers each device now, and whether it is as the policy wants it.")
    _add_devices(status, netns="default: in all")
    _add_json(status)


def _top(commands: Commands) -> None:
    top = _add(commands, "top", "Packets a second for each guest, the busiest first, until Ctrl-C.")
    _add_devices(top, netns="default: in all")
    top.add_argument("--interval", type=_seconds(0.1), default=1.0, metavar="SECONDS", help="default: %(default)g")
    top.add_argument("--rounds", type=int, default=0, metavar="N", help="stop after so many; default: never")
    _add_json(top)


def _advise(commands: Commands) -> None:
    advise = _add(commands, "advise", "Watch the packets of guests: which of them gain from steering, and by how much.")
    _add_devices(advise, netns="default: in all")
    advise.add_argument("--seconds", type=_seconds(0.1), default=5.0, metavar="SECONDS", help="default: %(default)g")
    _add_json(advise)


def _explain(commands: Commands) -> None:
    explain = _add(commands, "explain", "Which queue a flow, a frame or each frame of a capture takes, and why.")
    explain.add_argument("flow", nargs="?", metavar="FLOW", help="such as 'tcp 192.0.2.1:1234 198.51.100.2:443'")
    other = explain.add_mutually_exclusive_group()
    other.add_argument("--frame", metavar="HEX", help="instead of FLOW, a whole frame in hexadecimal digits")
    other.add_argument("--pcap", metavar="FILE", help="instead of FLOW, a capture; it needs dpkt or scapy")
    _add_devices(explain, netns="default: in all")
    explain.add_argument("--device", action="append", default=[], metavar="DEVICE", help="the same as DEVICE")


def _check(commands: Commands) -> None:
    check = _add(commands, "check", "Read the policy, or a file that shall be part of it, and say what is wrong.")
    check.add_argument("file", nargs="?", metavar="FILE", help="default: the policy's files")


def _apply(commands: Commands) -> None:
    apply = _add(commands, "apply", "One pass by the policy over all devices or the named ones, without the service.")
    _add_devices(apply, netns="default: wherever the policy has rules for")
    apply.add_argument("--dry-run", action="store_true", help="only say what would be done")
    _add_json(apply)


def _release(commands: Commands) -> None:
    release = _add(commands, "release", "Give devices back to automatic selection.")
    release.add_argument(
        "taps",
        nargs="*",
        metavar="DEVICE",
        help="names, patterns, or NETNS_INODE/IFINDEX as `status --json` tells them",
    )
    release.add_argument("--all", action="store_true", help="every device")
    release.add_argument(
        "--netns",
        metavar="NAME",
        help="only in network namespaces of this name or pattern; default: names in the current one, the rest in all",
    )
    _add_guest(release)
    release.add_argument("--unless-policy", metavar="FOLDER", help="all but those that this policy speaks of")
    release.add_argument(
        "--unless-program",
        action="append",
        default=[],
        type=int,
        metavar="ID",
        help="all but those that this program steers; may be given several times",
    )
    release.add_argument("--dry-run", action="store_true", help="only say what would be done")
    _add_json(release)


def _balance(commands: Commands) -> None:
    balance = _add(commands, "balance", "Watch the entries of live tables, and move what makes the queues more even.")
    _add_devices(balance, netns="default: in all")
    balance.add_argument("--seconds", type=_seconds(0.1), default=1.0, metavar="SECONDS", help="default: %(default)g")
    balance.add_argument("--dry-run", action="store_true", help="only say what would be moved")
    _add_json(balance)


def _metrics(commands: Commands) -> None:
    metrics = _add(commands, "metrics", "What the service writes for node_exporter, now.")
    _add_devices(metrics, netns="default: in all")
    metrics.add_argument("--measure", type=_seconds(0), default=0.0, metavar="SECONDS", help="the programs' cost too")


def _seconds(least: float) -> t.Callable[[str], float]:
    def parse(text: str) -> float:
        with contextlib.suppress(ValueError):
            if least <= float(text) <= DAY:
                return float(text)
        raise argparse.ArgumentTypeError(str(InputError("seconds", text, f"a number from {least:g} to {DAY}")))

    return parse
