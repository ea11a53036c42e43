# Copyright (c) 2026, virtnet.rss contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to the collection: many hosts' answers as one table, and the table as text. Runs on the controller; pure.

from __future__ import annotations

import typing as t

from ansible_collections.virtnet.rss.plugins.module_utils._errors import InputError
from ansible_collections.virtnet.rss.plugins.module_utils._text import printable
from ansible_collections.virtnet.rss.plugins.plugin_utils._dry_run import STOPPED, DryRun, read_dry_run

__all__ = ("fleet_report", "fleet_text")

# A host's status, worst first: it did not answer, a module failed, it cannot steer, it can.
UNREACHABLE, FAILED, UNSUPPORTED, SUPPORTED = "unreachable", "failed", "unsupported", "supported"
STATUSES = (UNREACHABLE, FAILED, UNSUPPORTED, SUPPORTED)
STATES = ("steered", "automatic", "foreign", "unknown")
SETTLED, CHANGES = ("none", "keep", "ignore"), ("attach", "replace", "detach")  # of what a dry run says of a device
UNEVEN = 1.5  # times its part of the table that the busiest queue got, from which on a device is worth a look
FEWEST = 50  # packets a queue, below which a spread is an accident
GAINING = ("steer", "change", "look")  # verdicts of an observation that ask for something to be done

Report = t.Dict[str, t.Any]


def fleet_report(names: t.Sequence[str], answers: t.Mapping[str, t.Mapping[str, t.Any]]) -> Report:
    """``hosts``, ``devices`` and ``totals`` out of what each of the named hosts answered.

    ``answers`` maps a host's name to its variables: ``audit_host``, the result of host_steering (state look); or
    ``audit_facts`` and ``audit_info``, the results of capability_facts and tap_steering_info, and where drift and the
    service are wanted ``audit_dry_run``, which ``read_dry_run`` reads.
    What is missing or failed is told. InputError for names that are no list.
    """
    if isinstance(names, str) or not isinstance(names, t.Sequence):
        raise InputError("_input", names, "a list of host names")
    hosts, devices = [], []
    for name in sorted(names):
        given, dry_run = _answers(answers.get(name) or {})
        hosts.append(_host(name, given, dry_run))
        devices += _devices(name, given, dry_run)
    return {"hosts": hosts, "devices": devices, "totals": _totals(hosts, devices)}


def _answers(variables: t.Mapping[str, t.Any]) -> tuple[t.Mapping[str, t.Any], DryRun]:
    """What a host answered in one run of host_steering, or in one of each module and a command."""
    host = _result(variables, "audit_host")
    if not host:
        return variables, read_dry_run(_result(variables, "audit_dry_run"))
    if host.get("failed") or host.get("unreachable"):
        return {"audit_facts": host, "audit_info": host}, DryRun([], "", "")
    facts = {"ansible_facts": {"virtnet_rss": host.get("facts")}}
    dry_run = DryRun(list(host.get("devices") or ()), host.get("refused", ""), host.get("service", ""))
    return {"audit_facts": facts, "audit_info": host}, dry_run


def _result(given: t.Mapping[str, t.Any], what: str) -> t.Mapping[str, t.Any]:
    found = given.get(what)
    return found if isinstance(found, t.Mapping) else {}


def _host(name: str, given: t.Mapping[str, t.Any], dry_run: DryRun) -> Report:
    facts, info = _result(given, "audit_facts"), _result(given, "audit_info")
    known = (facts.get("ansible_facts") or {}).get("virtnet_rss") or {}
    status, reasons = _status(known, given, dry_run.refused)
    return {
        "name": name,
        "status": status,
        "reasons": reasons + (["the service is stopped"] if dry_run.service == STOPPED else []),
        "service": dry_run.service,
        "kernel": (known.get("kernel") or {}).get("release", ""),
        "meets_minimum": (known.get("kernel") or {}).get("meets_minimum"),
        "libbpf": (known.get("libbpf") or {}).get("version", ""),
        "exact": info.get("exact"),
        "devices": len(info.get("taps") or ()),
    }


def _status(known: t.Mapping[str, t.Any], given: t.Mapping[str, t.Any], refused: str) -> tuple[str, list[str]]:
    results = [_result(given, what) for what in ("audit_facts", "audit_info", "audit_dry_run")]
    facts, info = results[:2]
    lost = [str(result.get("msg") or "no answer") for result in results if result.get("unreachable")]
    if lost:
        return UNREACHABLE, list(dict.fromkeys(lost))
    failed = [str(result.get("msg", "no reason was given")) for result in (facts, info) if result.get("failed")]
    failures = list(dict.fromkeys(failed))
    failures += [refused] if refused else []
    if failures:
        return FAILED, failures
    if not facts or not info:
        return UNREACHABLE, ["no answer"]
    return (SUPPORTED if known.get("supported") else UNSUPPORTED), list(known.get("reasons") or ())


def _devices(host: str, given: t.Mapping[str, t.Any], dry_run: DryRun) -> list[Report]:
    plan = {_identity(step): step for step in dry_run.plan}
    return [_device(host, tap, plan.get(_identity(tap), {})) for tap in _result(given, "audit_info").get("taps") or ()]


def _identity(tap: t.Mapping[str, t.Any]) -> tuple[int, int]:
    """Not the namespace's name: it has none where one asks inside it, and may have several where one asks outside."""
    return tap["netns_inode"], tap["ifindex"]


def _device(host: str, tap: t.Mapping[str, t.Any], step: t.Mapping[str, t.Any]) -> Report:
    counters, program, observed = tap["counters"] or {}, tap["program"] or {}, tap.get("observed") or {}
    now = observed.get("now") or {}
    action = step.get("action", "none")
    return {
        "host": host,
        "name": tap["name"],
        "netns": tap["netns"],
        "domain": tap.get("domain", ""),
        "mac": tap.get("mac", ""),
        "rule": step.get("rule", ""),
        "state": tap["state"],
        "owner": program.get("owner", ""),
        "since": program.get("loaded_at", ""),
        "decides": tap["implementation"]["decides"],
        "reason": "; ".join(filter(None, (tap["reason"] or tap["implementation"]["reason"], *tap.get("hints", ())))),
        "hints": len(tap.get("hints", ())),
        "holder": ", ".join(holder["command"] for holder in tap["holders"]),
        "queues": tap["queues"],
        "disabled_queues": tap["disabled_queues"],
        "packets": counters.get("queues") or now.get("queues") or [],
        "spread": counters.get("spread") or now.get("spread"),
        "would_be": (observed.get("steered") or {}).get("spread"),
        "verdict": observed.get("verdict", ""),
        "advice": observed.get("advice", ""),
        "words": observed.get("words") or {},
        "uneven": _is_uneven(tap),
        "dropped": (tap["traffic"] or {}).get("dropped", 0),
        "drift": "" if action in SETTLED else f"would {action}" if action in CHANGES else action,
        "drift_reason": step.get("reason", ""),
    }


def _is_uneven(tap: t.Mapping[str, t.Any]) -> bool:
    """Against what its own table wants, which may give some queues more; before 0.2.0 the spread alone is told."""
    counters = tap["counters"] or {}
    beyond = counters.get("excess", counters.get("spread")) or 0
    enough = sum(counters.get("queues") or ()) >= FEWEST * tap["queues"]
    return bool(tap["queues"] > 1 and enough and beyond >= UNEVEN)


def _totals(hosts: list[Report], devices: list[Report]) -> Report:
    return {
        "hosts": len(hosts),
        "devices": len(devices),
        "status": {status: sum(host["status"] == status for host in hosts) for status in STATUSES},
        "state": {state: sum(device["state"] == state for device in devices) for state in STATES},
        "drift": sum(bool(device["drift"]) for device in devices),
        "uneven": sum(device["uneven"] for device in devices),
        "gaining": sum(device["verdict"] in GAINING for device in devices),
        "services_stopped": sum(host["service"] == STOPPED for host in hosts),
        "old_kernels": sum(host["meets_minimum"] is False for host in hosts),
    }


def fleet_text(report: Report) -> str:
    """The totals, then the hosts and devices that need a look, a line each."""
    totals = report["totals"]
    lines = [
        f"{totals['hosts']} hosts: {_counts(totals['status'])}; {totals['services_stopped']} services stopped",
        f"{totals['devices']} devices: " + _counts(totals["state"]),
        f"{totals['drift']} devices differ from what is wanted, {totals['uneven']} are uneven "
        f"(a queue has {UNEVEN} times its part or more)",
    ]
    if any(device["verdict"] for device in report["devices"]):
        lines.append(f"{totals['gaining']} devices would gain by what their packets say")
    lines += [
        f"host {host['name']}: {host['status']}: {'; '.join(host['reasons']) or 'no reason was given'}"
        for host in report["hosts"]
        if host["status"] != SUPPORTED or host["service"] == STOPPED
    ]
    lines += [_line(device) for device in report["devices"] if _needs_a_look(device)]
    return "\n".join(map(printable, lines)) + "\n"


def _counts(counts: t.Mapping[str, int]) -> str:
    return ", ".join(f"{number} {name}" for name, number in counts.items() if number) or "none"


def _needs_a_look(device: Report) -> bool:
    return bool(
        device["drift"]
        or device["uneven"]
        or device["hints"]
        or device["verdict"] in GAINING
        or device["state"] in ("foreign", "unknown")
    )


def _line(device: Report) -> str:
    place = f"{device['netns']}/" if device["netns"] else ""
    guest = f" ({device['domain']})" if device["domain"] else ""
    notes = [note for note in (device["drift"], device["drift_reason"], device["reason"]) if note]
    if device["verdict"] in GAINING:
        notes.append(device["advice"])
    if device["uneven"]:
        notes.append(f"spread {device['spread']}: {' '.join(map(str, device['packets']))}")
    return (
        f"{device['host']} {place}{device['name']}{guest}: {device['state']}{': ' if notes else ''}{'; '.join(notes)}"
    )
