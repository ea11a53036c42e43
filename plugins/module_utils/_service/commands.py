# Copyright (c) 2026, virtnet.rss contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to the collection: what each command of virtnet-rss does; what it says is in render, advising and explain.

from __future__ import annotations

import argparse
import functools
import json
import time
import typing as t

from ansible_collections.virtnet.rss.plugins.module_utils._bpf.libbpf import load_libbpf
from ansible_collections.virtnet.rss.plugins.module_utils._errors import (
    CapabilityError,
    InputError,
    NotThereError,
    StateError,
    sentence_of,
)
from ansible_collections.virtnet.rss.plugins.module_utils._look.card import Chosen
from ansible_collections.virtnet.rss.plugins.module_utils._look.look import Info, Sighting, look
from ansible_collections.virtnet.rss.plugins.module_utils._look.report import sighting_report
from ansible_collections.virtnet.rss.plugins.module_utils._policy.folder import load_file, load_policy
from ansible_collections.virtnet.rss.plugins.module_utils._policy.rules import Policy
from ansible_collections.virtnet.rss.plugins.module_utils._probe.host import effective_capabilities
from ansible_collections.virtnet.rss.plugins.module_utils._service.advising import advice_reports, advice_text
from ansible_collections.virtnet.rss.plugins.module_utils._service.balance_report import (
    balance_sentence,
    balance_text,
    look_at_balance,
)
from ansible_collections.virtnet.rss.plugins.module_utils._service.daemon import Service, Settings
from ansible_collections.virtnet.rss.plugins.module_utils._service.explain import (
    explain_capture,
    explain_flow,
    explain_frame,
)
from ansible_collections.virtnet.rss.plugins.module_utils._service.metrics import metrics_text
from ansible_collections.virtnet.rss.plugins.module_utils._service.naming import chosen_devices, chosen_namespaces
from ansible_collections.virtnet.rss.plugins.module_utils._service.parser import (
    NOT_AS_WANTED,
    NOT_RUNNING,
    WRONG_WORDS,
)
from ansible_collections.virtnet.rss.plugins.module_utils._service.pcap import read_pcap
from ansible_collections.virtnet.rss.plugins.module_utils._service.reconcile import How, Result, reconcile
from ansible_collections.virtnet.rss.plugins.module_utils._service.rows import COLUMNS, rows
from ansible_collections.virtnet.rss.plugins.module_utils._service.status_file import (
    balances_of,
    read_status,
    rules_of,
    shortfalls_of,
)
from ansible_collections.virtnet.rss.plugins.module_utils._service.terminal import complain, say, table
from ansible_collections.virtnet.rss.plugins.module_utils._service.top import watch_rates
from ansible_collections.virtnet.rss.plugins.module_utils._steering.observe import Observer
from ansible_collections.virtnet.rss.plugins.module_utils._text import printable_tree
from ansible_collections.virtnet.rss.plugins.module_utils._tun.device_id import DeviceId
from ansible_collections.virtnet.rss.plugins.module_utils._tun.netns import current_namespace, list_namespaces

if t.TYPE_CHECKING:
    from ansible_collections.virtnet.rss.plugins.module_utils._steering.model import Desired
    from ansible_collections.virtnet.rss.plugins.module_utils._tun.netns import Namespace

__all__ = ("COMMANDS",)

Arguments = argparse.Namespace
NEEDED = "CAP_NET_ADMIN"  # without it no device can be steered, whatever else is there
SETTLED = ("none", "keep", "ignore")  # actions that have changed nothing, and need nobody


def _run(arguments: Arguments) -> None:
    running = read_status(arguments.status_file)
    if running:
        raise StateError(
            f"the service runs already, as process {running['pid']}; two would take each other's programs off"
        )
    if NEEDED not in effective_capabilities():
        raise CapabilityError(f"the service needs {NEEDED}, which root has, to steer any device")
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
    policy, namespaces = load_policy(arguments.policy), chosen_namespaces(arguments.netns)
    only = _named(arguments, namespaces)
    with Observer() as observer:
        results = reconcile(observer, policy, namespaces, only=only, how=How(check=arguments.dry_run))
    return _told(results, as_json=arguments.json)


def _release(arguments: Arguments) -> int:
    spared = bool(arguments.unless_policy or arguments.unless_program)
    named = bool(arguments.taps) or not _chosen(arguments).is_any
    if not (named or arguments.all or spared) or (named and arguments.all):
        complain("virtnet-rss: release: name the devices to release, or say --all for every one of this host")
        return WRONG_WORDS
    here = bool(arguments.taps) and arguments.netns is None
    only = _named(arguments, [current_namespace()] if here else chosen_namespaces(arguments.netns))
    # A device that is given by its numbers may be anywhere.
    namespaces = chosen_namespaces(arguments.netns) if only is None else list_namespaces()
    kept = load_policy(arguments.unless_policy) if arguments.unless_policy else Policy()
    with Observer() as observer:
        how = How(check=arguments.dry_run, spared=arguments.unless_program)
        results = reconcile(observer, kept.complement(), namespaces, only=only, how=how)
    return _told([result for result in results if result.action not in SETTLED], as_json=arguments.json)


def _named(arguments: Arguments, namespaces: t.Sequence[Namespace]) -> set[DeviceId] | None:
    """The devices that are meant by name or by their guests; None: nothing was said."""
    chosen = _chosen(arguments)
    only = chosen_devices(arguments.taps, namespaces) if arguments.taps else None
    if chosen.is_any:
        return only
    info = look(["*"], namespaces, chosen=chosen)
    if info.unread:  # it may be one of them
        raise StateError("; ".join(info.unread))
    of_guests = {each.device.id for each in info.sightings}
    if not of_guests:
        raise NotThereError("guest", str(chosen), "no guest like this has a device")
    return of_guests if only is None else of_guests & only


def _told(results: t.Sequence[Result], *, as_json: bool) -> int:
    """Print what was done with each device that a rule speaks of; 1 when one is not as it should be."""
    told = rows(results)
    if as_json:
        _say_json(told)
    else:
        cells = [[row[column] for column in COLUMNS] for row in told]
        say(table(("device", *COLUMNS[1:]), cells, _width()))
    return NOT_AS_WANTED if any(row["action"] in ("fallback", "wait") for row in told) else 0


def _sightings(arguments: Arguments, seconds: float = 0) -> tuple[Sighting, ...]:
    """What the words mean, with the warnings said; StateError where they mean nothing that is there."""
    info = _look(arguments, seconds)
    if not info.sightings and (arguments.taps or not _chosen(arguments).is_any):
        raise StateError("; ".join(info.warnings) or "no TAP device matches")
    for warning in info.warnings:
        complain(f"virtnet-rss: {warning}")
    return info.sightings


def _look(arguments: Arguments, seconds: float = 0) -> Info:
    return look(arguments.taps or ["*"], chosen_namespaces(arguments.netns), seconds=seconds, chosen=_chosen(arguments))


def _chosen(arguments: Arguments) -> Chosen:
    return Chosen(arguments.domain, arguments.mac)


def _status(arguments: Arguments) -> int:
    service = read_status(arguments.status_file)
    reports = [sighting_report(sighting) for sighting in _sightings(arguments)]
    rules, balances, shortfalls = rules_of(service), balances_of(service), shortfalls_of(service)
    for report in reports:
        key = report["netns_inode"], report["ifindex"]
        shortfall = ": ".join(shortfalls.get(key, ()))
        report.update(rule=rules.get(key, ""), balance=balances.get(key), shortfall=shortfall)
    if arguments.json:
        _say_json({"service": service, "taps": reports})
    else:
        say(_service_line(service))
        say(_status_table(reports))
    if service is None:
        return NOT_RUNNING
    short = any(report["shortfall"] for report in reports)
    return NOT_AS_WANTED if short or service["policy_error"] or service.get("error") else 0


def _status_table(reports: t.Sequence[dict[str, t.Any]]) -> str:
    rows = [
        [
            report["name"],
            report["netns"],
            report["domain"],
            report["rule"],
            report["state"],
            report["implementation"]["decides"],
            report["queues"],
            (report["counters"] or {}).get("packets", ""),
            (report["counters"] or {}).get("spread") or "",
            "; ".join(
                filter(
                    None,
                    (
                        balance_sentence(report["balance"]),
                        report["shortfall"] or report["reason"] or report["implementation"]["reason"],
                        *report["hints"],
                    ),
                )
            ),
        ]
        for report in reports
    ]
    return table(
        ("device", "netns", "guest", "rule", "state", "decides", "queues", "packets", "spread", "reason"),
        rows,
        _width(),
    )


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
    load_libbpf()  # without it there are no counters to show
    watch_rates(
        lambda: _look(arguments).sightings,  # whatever is there in each round
        arguments.interval,
        arguments.rounds,
        balances=lambda: balances_of(read_status(arguments.status_file)),
        as_json=arguments.json,
    )


def _advise(arguments: Arguments) -> None:
    sightings = _sightings(arguments)
    reports = advice_reports(sightings, arguments.seconds, _wanted(arguments), sleep=time.sleep)
    if arguments.json:
        _say_json(reports)
    else:
        say(advice_text(reports, _width()))


def _wanted(arguments: Arguments) -> dict[DeviceId, Desired]:
    """What the policy wants of the devices for which the running service has found a rule."""
    found = rules_of(read_status(arguments.status_file))
    rules = {rule.name: rule.desired for rule in load_policy(arguments.policy).rules} if found else {}
    wanted = ((DeviceId(*key), rules.get(name)) for key, name in found.items() if name)
    return {device: desired for device, desired in wanted if desired and desired.present}


def _explain(arguments: Arguments) -> int:
    arguments.taps += arguments.device
    if arguments.flow and (arguments.frame or arguments.pcap):  # then every word is a device
        arguments.taps.append(arguments.flow)
    if not (arguments.flow or arguments.frame or arguments.pcap):
        complain("virtnet-rss: explain: give FLOW, --frame or --pcap")
        return WRONG_WORDS
    capture = read_pcap(arguments.pcap) if arguments.pcap else None
    sightings = _sightings(arguments)
    if not sightings:
        raise InputError("DEVICE", " ".join(arguments.taps) or "*", "no TAP device matches")
    for sighting in sightings:
        if capture:
            say(explain_capture(*capture, sighting))
        elif arguments.frame:
            say(explain_frame(arguments.frame, sighting))
        else:
            say(explain_flow(arguments.flow, sighting))
    return 0


def _balance(arguments: Arguments) -> int:
    from concurrent.futures import ThreadPoolExecutor  # nothing that the service needs

    found = _sightings(arguments)
    # A name may be that of other devices in other namespaces; where none of them can be balanced, one tells why.
    sightings = [each for each in found if each.device.program and each.device.program.live]
    sightings += found[:1] if arguments.taps and not sightings else []
    with ThreadPoolExecutor(max_workers=max(1, len(sightings))) as watching:  # all of them in the same time
        look = functools.partial(look_at_balance, seconds=arguments.seconds, dry_run=arguments.dry_run)
        looks = [watching.submit(look, sighting) for sighting in sightings]
    failures = [failure for failure in (each.exception() for each in looks) if failure]
    reports = [each.result() for each in looks if not each.exception()]
    if arguments.json:
        _say_json(reports)
    elif reports or not failures:
        say("\n".join(balance_text(each, dry_run=arguments.dry_run) for each in reports) or "nothing is balanced here")
    for failure in failures:  # which costs the others nothing: their entries have been moved
        complain(f"virtnet-rss: {sentence_of(failure)}")
    return NOT_AS_WANTED if failures else 0


def _metrics(arguments: Arguments) -> None:
    text = metrics_text(_sightings(arguments, arguments.measure), read_status(arguments.status_file))
    say(text.rstrip("\n"))


def _say_json(content: object) -> None:
    say(json.dumps(printable_tree(content)))


def _width() -> int:
    """Of the terminal; 80 where there is none."""
    import shutil  # here: half a MiB that the service saves

    return shutil.get_terminal_size().columns


COMMANDS: dict[str, t.Callable[[Arguments], int | None]] = {
    "run": _run,
    "status": _status,
    "top": _top,
    "advise": _advise,
    "explain": _explain,
    "check": _check,
    "apply": _apply,
    "release": _release,
    "balance": _balance,
    "metrics": _metrics,
}
