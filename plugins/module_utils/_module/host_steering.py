# Copyright (c) 2026, virtnet.rss contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to the collection: options and results of virtnet.rss.host_steering.

from __future__ import annotations

import datetime
import os
import re
import typing as t
from functools import partial

from ansible_collections.virtnet.rss.plugins.module_utils._errors import (
    CapabilityError,
    InputError,
    StateError,
    VirtnetRssError,
)
from ansible_collections.virtnet.rss.plugins.module_utils._host import devices, packaged, rollout
from ansible_collections.virtnet.rss.plugins.module_utils._host.host import Brought, Host
from ansible_collections.virtnet.rss.plugins.module_utils._host.parts import Wanted, policy_folder
from ansible_collections.virtnet.rss.plugins.module_utils._host.systemd import Systemd
from ansible_collections.virtnet.rss.plugins.module_utils._look.look import look
from ansible_collections.virtnet.rss.plugins.module_utils._module import host_policy
from ansible_collections.virtnet.rss.plugins.module_utils._module.answers import difference, failures_told, succeed
from ansible_collections.virtnet.rss.plugins.module_utils._module.guarded import GuardedModule, check_matches
from ansible_collections.virtnet.rss.plugins.module_utils._module.looked_at import looked_at, observed
from ansible_collections.virtnet.rss.plugins.module_utils._policy.folder import load_policy
from ansible_collections.virtnet.rss.plugins.module_utils._service.rows import rows
from ansible_collections.virtnet.rss.plugins.module_utils._steering.model import STEERED
from ansible_collections.virtnet.rss.plugins.module_utils._steering.observe import Observer
from ansible_collections.virtnet.rss.plugins.module_utils._text import printable

__all__ = ("create_argument_spec", "run_module")

METRICS_FILE = re.compile(r"/\S+\.prom")
TUN = "/dev/net/tun"
DEFAULT_RULES = [{"name": "libvirt guests", "match": {"device": "vnet*"}}]

Answer = t.Dict[str, t.Any]


def create_argument_spec() -> dict[str, t.Any]:
    """The options that plugins/modules/host_steering.py documents."""
    return {
        "state": {"type": "str", "choices": ["present", "previous", "absent", "look"], "default": "present"},
        "step": {"type": "str", "choices": ["all", "begin", "change", "judge"], "default": "all"},
        "rules": host_policy.create_argument_spec()["rules"],
        "required": {"type": "bool", "default": False},
        "incomplete": {"type": "bool", "default": False},
        "metrics_file": {"type": "str", "default": ""},
        "measure": {"type": "bool", "default": False},
        "program": {"type": "path", "default": packaged.OWN_PROGRAM},
        "folder": {"type": "path", "default": packaged.FOLDER},
        "wait": {"type": "float", "default": 30.0},
        "rollout": {"type": "str", "default": ""},
        "remove": {"type": "bool", "default": False},
        "report": {"type": "bool", "default": False},
        "spared": {"type": "list", "elements": "int", "default": []},
        "netns": {"type": "str", "default": "all"},
        "observe": {"type": "float", "default": 0.0},
        **{
            name: {"type": type(limit).__name__, "default": limit} for name, limit in rollout.Limits()._asdict().items()
        },
    }


def run_module(module: GuardedModule) -> t.NoReturn:
    """Run the module; ends the process."""
    with failures_told(module):
        try:
            check_matches(module.given.get("rules"))
            answer = _run(module)
        except OSError as exc:
            place = f"{exc.filename}: " if exc.filename else ""
            raise StateError(f"{place}{exc.strerror}", errno=exc.errno) from exc
    for warning in answer.pop("warnings", ()):
        module.warn(printable(warning))
    succeed(module, **answer)


def _run(module: GuardedModule) -> Answer:
    params = module.params
    with Observer() as observer:
        if params["state"] == "look":
            return _look(observer, params)
        answer = _changed(module, observer)
        return {**answer, "report": _look(observer, params)} if params["report"] else answer


def _changed(module: GuardedModule, observer: Observer) -> Answer:
    params = module.params
    host = Host(observer, program=params["program"], folder=params["folder"], check=module.check_mode)
    if params["state"] == "absent":
        return _told(host.remove())
    if params["state"] == "previous":
        return _undone(host, params)
    return _present(module, host, observer)


def _present(module: GuardedModule, host: Host, observer: Observer) -> Answer:
    params = module.params
    wanted = _wanted(host, params)
    if params["step"] == "judge":
        return _judge(host, observer, params)
    if params["step"] == "begin":
        return _begin(module, host, wanted, observer)
    if params["step"] == "change":
        # The first step has told what this host can do, but for what was missing then.
        ability = _ability(module) if params["incomplete"] else {}
        with looked_at(params["netns"]) as namespaces:
            take = partial(rollout.take, observer, namespaces)
            return {**_told(rollout.change(host, wanted, params["rollout"], take)), **ability}
    ability = _ability(module)
    if ability["missing"] and not params["incomplete"]:
        return {"changed": False, **ability}
    return {**_told(host.bring(wanted, trial=not ability["supported"])), **ability, "packaged": host.packaged}


def _wanted(host: Host, params: t.Mapping[str, t.Any]) -> Wanted:
    metrics_file = params["metrics_file"]
    if metrics_file and not METRICS_FILE.fullmatch(metrics_file):
        allowed = "an absolute path that ends in .prom (the only files that node_exporter reads), without blanks"
        raise InputError("metrics_file", metrics_file, allowed)
    return Wanted(
        policy=host_policy.wanted_content(DEFAULT_RULES if params["rules"] is None else params["rules"]),
        program=host.program,
        packaged=host.packaged,
        folder=params["folder"],
        metrics_file=metrics_file,
        measure=params["measure"],
        wait=params["wait"],
    )


def _ability(module: GuardedModule) -> Answer:
    """What the host can do; the tun driver is loaded first where that is all that is missing."""
    if not os.path.exists(TUN) and not module.check_mode:
        module.run_command(["modprobe", "tun"])  # where there is no such module, the facts say what that means
    facts = _facts()
    missing = [] if facts["libbpf"]["present"] else ["libbpf"]
    first = module.params["step"] in ("all", "begin") and not module.params["incomplete"]
    to_come = missing and (first or module.check_mode)  # it can be installed yet, or would have been
    if module.params["required"] and not facts["supported"] and not to_come:
        raise CapabilityError(f"This host cannot steer: {'; '.join(facts['reasons'])}")
    return {"supported": facts["supported"], "reasons": facts["reasons"], "missing": missing}


def _facts() -> dict[str, t.Any]:
    # Here, like what else not every state and step needs: to compile it takes a host as long as to use it.
    from ansible_collections.virtnet.rss.plugins.module_utils._probe.facts import gather
    from ansible_collections.virtnet.rss.plugins.module_utils._program.prove import harmless_trial

    return gather(harmless_trial())


def _begin(module: GuardedModule, host: Host, wanted: Wanted, observer: Observer) -> Answer:
    with looked_at(module.params["netns"]) as namespaces:
        now = rollout.take(observer, namespaces)
        # A host that steers can steer: to find out what else it can do costs as much as all the rest.
        steers = any(tap["state"] == STEERED for tap in now["taps"])
        ability = {"supported": True, "reasons": [], "missing": []} if steers else _ability(module)
        if ability["missing"] and not module.params["incomplete"]:
            return {"changed": False, "would_change": True, "pending": False, **ability}
        trial = module.check_mode or not ability["supported"]
        found, pending = rollout.begin(host, wanted, now, trial=trial)
    since = _wall_clock(host.record.time) if host.record and pending else ""
    told = {"changed": False, "would_change": found.changed, "pending": pending, "since": since}
    return {**_told(found), **ability, **told}


def _judge(host: Host, observer: Observer, params: t.Mapping[str, t.Any]) -> Answer:
    with looked_at(params["netns"]) as namespaces:
        limits = rollout.Limits(*(params[name] for name in rollout.Limits._fields))
        verdict = rollout.judge(host, rollout.take(observer, namespaces), limits)
    return {
        "changed": False,
        "worse": list(verdict.worse),
        "judged": verdict.judged,
        "not_judged": verdict.not_judged,
    }


def _undone(host: Host, params: t.Mapping[str, t.Any]) -> Answer:
    undone = rollout.undo(
        host, wait=params["wait"], rollout=params["rollout"], remove=params["remove"], spared=params["spared"]
    )
    if undone is None:
        return {**_told(Brought()), "undone": False}
    return {**_told(undone), "undone": True}


def _look(observer: Observer, params: t.Mapping[str, t.Any]) -> Answer:
    """All that an audit asks of a host, in one run; nothing is changed."""
    from ansible_collections.virtnet.rss.plugins.module_utils._look.report import sighting_report

    with looked_at(params["netns"]) as namespaces:
        info = look(["*"], namespaces, observer=observer)
        sightings = observed(info.sightings, params["observe"])
    plan: list[dict[str, t.Any]] = []
    refused = ""
    if os.path.lexists(params["program"]) or packaged.is_used_for(params["program"]):
        try:
            plan = rows(devices.planned(observer, load_policy(policy_folder(params["folder"]))))
        except VirtnetRssError as exc:
            refused = str(exc)
    load, active, _enabled = Systemd().state()
    return {
        "changed": False,
        "facts": _facts(),
        "taps": [sighting_report(sighting) for sighting in sightings],
        "exact": not info.inspector_reason,
        "exact_reason": info.inspector_reason,
        "devices": plan,
        "refused": refused,
        "service": "" if load == "not-found" else "running" if active else "stopped",
        "warnings": list(info.warnings),
    }


def _told(brought: Brought) -> Answer:
    diff = [difference(part.path, part.before, part.after) for part in brought.parts if part.changed]
    before, after = brought.service
    if before != after:
        diff.append(difference("virtnet-rss", before, after))
    return {
        "changed": brought.changed,
        "parts": {part.name: part.changed for part in brought.parts},
        "devices": rows(brought.results),
        "given_back": [result.device.name for result in brought.given_back],
        "diff": diff,
        "warnings": list(brought.notes),
    }


def _wall_clock(seconds: float) -> str:
    return datetime.datetime.fromtimestamp(seconds, datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
