# Copyright (c) 2026, virtnet.rss contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to the collection: the command line of the service, virtnet-rss.

from __future__ import annotations

import argparse
import contextlib
import json
import os
import shutil
import sys
import time
import typing as t

from ansible_collections.virtnet.rss.plugins.module_utils._errors import InputError, VirtnetRssError, sentence_of
from ansible_collections.virtnet.rss.plugins.module_utils._look.look import Sighting, look
from ansible_collections.virtnet.rss.plugins.module_utils._look.report import sighting_report
from ansible_collections.virtnet.rss.plugins.module_utils._policy.folder import POLICY_FOLDER, load_file, load_policy
from ansible_collections.virtnet.rss.plugins.module_utils._policy.rules import Policy
from ansible_collections.virtnet.rss.plugins.module_utils._service.advising import advice_reports, advice_text
from ansible_collections.virtnet.rss.plugins.module_utils._service.daemon import Service, Settings
from ansible_collections.virtnet.rss.plugins.module_utils._service.explain import (
    explain_capture,
    explain_flow,
    explain_frame,
)
from ansible_collections.virtnet.rss.plugins.module_utils._service.metrics import metrics_text
from ansible_collections.virtnet.rss.plugins.module_utils._service.pcap import read_pcap
from ansible_collections.virtnet.rss.plugins.module_utils._service.reconcile import How, Result, reconcile
from ansible_collections.virtnet.rss.plugins.module_utils._service.rows import COLUMNS, rows
from ansible_collections.virtnet.rss.plugins.module_utils._service.status_file import STATUS_FILE, read_status
from ansible_collections.virtnet.rss.plugins.module_utils._service.terminal import bars, clear, complain, say, table
from ansible_collections.virtnet.rss.plugins.module_utils._steering.observe import Observer
from ansible_collections.virtnet.rss.plugins.module_utils._text import printable_tree
from ansible_collections.virtnet.rss.plugins.module_utils._tun.device_id import DeviceId
from ansible_collections.virtnet.rss.plugins.module_utils._tun.netns import list_namespaces

__all__ = ("main",)

Arguments = argparse.Namespace
Command = t.Callable[[Arguments], t.Optional[int]]
Add = t.Callable[[str, Command, str], argparse.ArgumentParser]


def main(words: t.Sequence[str] | None = None) -> int:
    """The exit status: 0, 1 for a refusal in one sentence, 2 for wrong words."""
    arguments = _parser().parse_args(words)
    try:
        return int(arguments.command(arguments) or 0)
    except VirtnetRssError as exc:
        complain(f"virtnet-rss: {exc}")
        return 1
    except BrokenPipeError:  # such as `| head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except KeyboardInterrupt:
        return 130
    except Exception as exc:  # such as a device that goes in the middle of a look
        complain(f"virtnet-rss: {sentence_of(exc)}")
        return 1


def _run(arguments: Arguments) -> None:
    Service(
        Settings(
            policy_folder=arguments.policy,
            status_file=arguments.status_file,
            metrics_file=arguments.metrics_file,
            watch=arguments.watch,
            full=arguments.full,
            measure=arguments.measure,
        )
    ).run()


def _check(arguments: Arguments) -> None:
    rules = load_file(arguments.file, candidate=True) if arguments.file else load_policy(arguments.policy).rules
    say(f"{arguments.file or arguments.policy}: {len(rules)} rules")


def _apply(arguments: Arguments) -> int:
    policy = load_policy(arguments.policy)
    with Observer() as observer:
        results = reconcile(observer, policy, list_namespaces(), how=How(check=arguments.dry_run))
    return _told(results, as_json=arguments.json)


def _release(arguments: Arguments) -> int:
    kept = load_policy(arguments.unless_policy) if arguments.unless_policy else Policy()
    with Observer() as observer:
        results = reconcile(
            observer,
            kept.complement(),
            list_namespaces(),
            only=set(arguments.devices) or None,
            how=How(check=arguments.dry_run, spared=arguments.unless_program),
        )
    return _told(
        [result for result in results if result.action not in ("none", "keep", "ignore")], as_json=arguments.json
    )


def _told(results: t.Sequence[Result], *, as_json: bool) -> int:
    """Print what was done with each device that a rule speaks of; 1 when one is not as it should be."""
    told = rows(results)
    if as_json:
        say(json.dumps(printable_tree(told)))
    else:
        say(table(("device", *COLUMNS[1:]), [[row[column] for column in COLUMNS] for row in told]))
    return 1 if any(row["action"] in ("fallback", "wait") for row in told) else 0


def _sightings(arguments: Arguments, seconds: float = 0) -> tuple[Sighting, ...]:
    return look(arguments.taps or ["*"], list_namespaces(), seconds=seconds).sightings


def _status(arguments: Arguments) -> None:
    service = read_status(arguments.status_file)
    reports = [sighting_report(sighting) for sighting in _sightings(arguments)]
    if arguments.json:
        say(json.dumps(printable_tree({"service": service, "taps": reports})))
        return
    say(_service_line(service))
    rows = [
        [
            report["name"],
            report["netns"],
            report["state"],
            report["implementation"]["decides"],
            report["queues"],
            (report["counters"] or {}).get("packets", ""),
            (report["counters"] or {}).get("spread") or "",
            "; ".join(filter(None, (report["reason"] or report["implementation"]["reason"], *report["hints"]))),
        ]
        for report in reports
    ]
    say(table(("device", "netns", "state", "decides", "queues", "packets", "spread", "reason"), rows))


def _service_line(state: dict[str, t.Any] | None) -> str:
    if state is None:
        return "the service does not run"
    parts = [
        f"the service runs as process {state['pid']} with {state['rules']} rules, put back {state['reapplied']} times"
    ]
    parts += [f"policy refused: {state['policy_error']}"] if state["policy_error"] else []
    parts += [state[word] for word in ("trouble", "error") if state.get(word)]
    return "; ".join(parts)


def _top(arguments: Arguments) -> None:
    before = {_key(each): each for each in _sightings(arguments)}
    rounds = 0
    while not arguments.rounds or rounds < arguments.rounds:
        begin = time.monotonic()
        time.sleep(arguments.interval)
        now = _sightings(arguments)
        seconds = time.monotonic() - begin
        parts = [bars(each, _rates(each, before.get(_key(each)), seconds)) for each in now]
        clear()
        say("\n".join(parts or ["no TAP devices"]))
        before = {_key(each): each for each in now}
        rounds += 1


def _key(sighting: Sighting) -> tuple[DeviceId, int]:
    device = sighting.device
    return device.id, device.program.id if device.program else 0


def _rates(now: Sighting, before: Sighting | None, seconds: float) -> list[float]:
    if now.counters is None:
        return []
    counters = now.counters.since(before.counters) if before and before.counters else now.counters
    return [count / seconds for count in counters.packets(now.device.queues)]


def _advise(arguments: Arguments) -> None:
    reports = advice_reports(_sightings(arguments), arguments.seconds, sleep=time.sleep)
    say(json.dumps(reports) if arguments.json else advice_text(reports, shutil.get_terminal_size().columns))


def _explain(arguments: Arguments) -> None:
    arguments.taps = [arguments.device]
    capture = read_pcap(arguments.pcap) if arguments.pcap else None
    for sighting in _sightings(arguments):
        if capture:
            say(explain_capture(*capture, sighting))
        elif arguments.frame:
            say(explain_frame(arguments.frame, sighting))
        else:
            say(explain_flow(arguments.flow, sighting))


def _metrics(arguments: Arguments) -> None:
    text = metrics_text(_sightings(arguments, arguments.measure), read_status(arguments.status_file))
    say(text.rstrip("\n"))


def _device_id(text: str) -> DeviceId:
    with contextlib.suppress(ValueError):
        inode, ifindex = map(int, text.split("/"))
        return DeviceId(inode, ifindex)
    raise argparse.ArgumentTypeError(
        str(InputError("device", text, "netns_inode/ifindex, as `apply --json` tells them"))
    )


def _seconds(least: float) -> t.Callable[[str], float]:
    def parse(text: str) -> float:
        with contextlib.suppress(ValueError):
            if float(text) >= least:
                return float(text)
        raise argparse.ArgumentTypeError(str(InputError("seconds", text, f"a number from {least:g} on")))

    return parse


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="virtnet-rss", description="Keeps the TAP devices of guests steered.")
    common = argparse.ArgumentParser(add_help=False)
    common.add_argument("--policy", default=POLICY_FOLDER, metavar="FOLDER", help="default: %(default)s")
    common.add_argument("--status-file", default=STATUS_FILE, metavar="FILE", help="default: %(default)s")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    def add(name: str, command: Command, text: str) -> argparse.ArgumentParser:
        made = commands.add_parser(name, help=text, description=text, parents=[common])
        made.set_defaults(command=command, taps=[])
        return made

    _add_working(add)
    _add_looking(add)
    return parser


def _add_working(add: Add) -> None:
    """The service, and what does or undoes its work once."""
    run = add("run", _run, "The service itself: steer by the policy until it is told to stop.")
    run.add_argument("--metrics-file", metavar="FILE", help="for node_exporter's textfile collector; default: none")
    run.add_argument("--watch", type=_seconds(0.05), default=0.5, metavar="SECONDS", help="default: %(default)s")
    run.add_argument("--full", type=_seconds(1), default=30.0, metavar="SECONDS", help="default: %(default)s")
    run.add_argument("--measure", action="store_true", help="the programs' cost, for the metrics")
    check = add("check", _check, "Read the policy, or a file that shall be part of it, and say what is wrong.")
    check.add_argument("file", nargs="?", metavar="FILE")
    apply = add("apply", _apply, "One pass over all devices, without the service.")
    apply.add_argument("--dry-run", action="store_true", help="only say what would be done")
    apply.add_argument("--json", action="store_true")
    release = add("release", _release, "Give devices back to automatic selection, in every network namespace.")
    release.add_argument("--unless-policy", metavar="FOLDER", help="but not those that this policy speaks of")
    release.add_argument(
        "--unless-program",
        action="append",
        default=[],
        type=int,
        metavar="ID",
        help="but not those that this program steers; may be given several times",
    )
    release.add_argument("--dry-run", action="store_true", help="only say what would be done")
    release.add_argument("--json", action="store_true")
    release.add_argument(
        "devices", nargs="*", type=_device_id, metavar="NETNS_INODE/IFINDEX", help="default: all devices"
    )


def _add_looking(add: Add) -> None:
    """What changes nothing."""
    status = add("status", _status, "What steers each device now.")
    status.add_argument("--json", action="store_true")
    top = add("top", _top, "Packets a second on each queue, until Ctrl-C.")
    top.add_argument("--interval", type=_seconds(0.1), default=1.0, metavar="SECONDS")
    top.add_argument("--rounds", type=int, default=0, help="stop after so many; default: never")
    top.add_argument("taps", nargs="*", metavar="DEVICE")
    advise = add("advise", _advise, "Watch the packets of guests: which of them gain from steering, and by how much.")
    advise.add_argument("--seconds", type=_seconds(0.1), default=5.0, metavar="SECONDS", help="default: %(default)g")
    advise.add_argument("--json", action="store_true")
    advise.add_argument("taps", nargs="*", metavar="DEVICE", help="names or patterns; default: all devices")
    explaining = add("explain", _explain, "Which queue a flow, a frame or each frame of a capture takes, and why.")
    what = explaining.add_mutually_exclusive_group(required=True)
    what.add_argument("flow", nargs="?", metavar="FLOW", help="such as 'tcp 192.0.2.1:1234 198.51.100.2:443'")
    what.add_argument("--frame", metavar="HEX", help="a whole frame in hexadecimal digits")
    what.add_argument("--pcap", metavar="FILE", help="a capture; it needs dpkt or scapy")
    explaining.add_argument("--device", required=True, metavar="DEVICE", help="a name, or a pattern for several")
    metrics = add("metrics", _metrics, "What the service writes for node_exporter, now.")
    metrics.add_argument("--measure", type=_seconds(0), default=0.0, metavar="SECONDS", help="the programs' cost too")
