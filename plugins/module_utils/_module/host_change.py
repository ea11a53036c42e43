# Copyright (c) 2026, virtnet.rss contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to the collection: what virtnet.rss.host_steering changes of a host, or would.

from __future__ import annotations

import datetime
import os
import re
import typing as t
from functools import partial

from ansible_collections.virtnet.rss.plugins.module_utils._errors import CapabilityError, InputError
from ansible_collections.virtnet.rss.plugins.module_utils._host import rollout
from ansible_collections.virtnet.rss.plugins.module_utils._host.back import Rollback
from ansible_collections.virtnet.rss.plugins.module_utils._host.host import Brought
from ansible_collections.virtnet.rss.plugins.module_utils._host.manual import manual_files
from ansible_collections.virtnet.rss.plugins.module_utils._host.parts import Wanted
from ansible_collections.virtnet.rss.plugins.module_utils._host.window import moment
from ansible_collections.virtnet.rss.plugins.module_utils._module import host_policy
from ansible_collections.virtnet.rss.plugins.module_utils._module.answers import difference
from ansible_collections.virtnet.rss.plugins.module_utils._module.looked_at import looked_at
from ansible_collections.virtnet.rss.plugins.module_utils._service.rows import rows
from ansible_collections.virtnet.rss.plugins.module_utils._steering.model import STEERED

if t.TYPE_CHECKING:
    from ansible_collections.virtnet.rss.plugins.module_utils._host.host import Host
    from ansible_collections.virtnet.rss.plugins.module_utils._module.guarded import GuardedModule
    from ansible_collections.virtnet.rss.plugins.module_utils._steering.observe import Observer

__all__ = ("changed",)

METRICS_FILE = re.compile(r"""(/[^/\s"'%$\\]+)+/[^/\s"'%$\\]+\.prom""")
TUN = "/dev/net/tun"
DEFAULT_RULES = [{"name": "libvirt guests", "match": {"device": "vnet*"}}]

Answer = t.Dict[str, t.Any]


def changed(module: GuardedModule, observer: Observer) -> Answer:
    """Bring the host to the wanted state, back, or to that without steering, as far as the step goes."""
    params = module.params
    host = Rollback(observer, program=params["program"], folder=params["folder"], check=module.check_mode)
    if params["state"] == "absent":
        return _told(module, host.remove())
    if params["state"] == "previous":
        return _undone(module, host)
    return _present(module, host, observer)


def _present(module: GuardedModule, host: Host, observer: Observer) -> Answer:
    params = module.params
    wanted = _wanted(host, params)
    if params["step"] == "begin":
        return _begin(module, host, wanted, observer)
    if params["step"] == "change":
        # The first step has told what this host can do, but for what was missing then.
        ability = _ability(module, observer) if params["incomplete"] else {}
        with looked_at(params["netns"]) as namespaces:
            take = partial(moment, observer, namespaces)
            return {**_told(module, rollout.change(host, wanted, params["rollout"], take)), **ability}
    ability = _ability(module, observer)
    if ability["missing"] and not params["incomplete"]:
        return {"changed": False, **ability}
    brought = host.bring(wanted, trial=not ability["supported"])
    manual_missing = not host.packaged and not all(map(os.path.exists, manual_files(host.program)))
    return {
        **_told(module, brought),
        **ability,
        "packaged": host.packaged,
        "manual_missing": manual_missing,
    }


def _wanted(host: Host, params: t.Mapping[str, t.Any]) -> Wanted:
    metrics_file = params["metrics_file"]
    if metrics_file and not METRICS_FILE.fullmatch(metrics_file):
        allowed = (
            "an absolute path that ends in .prom (the only files that node_exporter reads), not in the root folder, "
            "without blanks, quotes, %, $ and backslashes"
        )
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


def _ability(module: GuardedModule, observer: Observer) -> Answer:
    """What the host can do; the tun driver is loaded first where that is all that is missing."""
    from ansible_collections.virtnet.rss.plugins.module_utils._probe.facts import ability
    from ansible_collections.virtnet.rss.plugins.module_utils._probe.libraries import find_libbpf
    from ansible_collections.virtnet.rss.plugins.module_utils._program.prove import harmless_trial

    if not os.path.exists(TUN) and not module.check_mode:
        module.run_command(["modprobe", "tun"])  # where there is no such module, the facts say what that means
    supported, reasons = ability(harmless_trial(), observer.inspector)
    missing = [] if find_libbpf().present else ["libbpf"]
    first = module.params["step"] in ("all", "begin") and not module.params["incomplete"]
    to_come = missing and (first or module.check_mode)  # it can be installed yet, or would have been
    if module.params["required"] and not supported and not to_come:
        raise CapabilityError(f"This host cannot steer: {'; '.join(reasons)}")
    return {"supported": supported, "reasons": reasons, "missing": missing}


def _begin(module: GuardedModule, host: Host, wanted: Wanted, observer: Observer) -> Answer:
    with looked_at(module.params["netns"]) as namespaces:
        now = moment(observer, namespaces)
        # A host that steers can steer: to find out what else it can do costs as much as all the rest.
        steers = any(tap["state"] == STEERED for tap in now["taps"])
        ability = {"supported": True, "reasons": [], "missing": []} if steers else _ability(module, observer)
        if ability["missing"] and not module.params["incomplete"]:
            return {"changed": False, "would_change": True, "pending": False, **ability}
        trial = module.check_mode or not ability["supported"]
        found, pending = rollout.begin(host, wanted, now, trial=trial)
    since = _wall_clock(host.record.time) if host.record and pending else ""
    told = {"changed": False, "would_change": found.changed, "pending": pending, "since": since}
    return {**_told(module, found), **ability, **told}


def _undone(module: GuardedModule, host: Rollback) -> Answer:
    params = module.params
    undone = rollout.undo(
        host, wait=params["wait"], rollout=params["rollout"], remove=params["remove"], spared=params["spared"]
    )
    if undone is None:
        return {**_told(module, Brought()), "undone": False}
    return {**_told(module, undone), "undone": True}


def _told(module: GuardedModule, brought: Brought) -> Answer:
    return {
        "changed": brought.changed,
        "parts": {part.name: part.changed for part in brought.parts},
        "devices": rows(brought.results),
        "given_back": [result.device.name for result in brought.given_back],
        **({"diff": list(_differences(brought))} if module._diff else {}),
        "warnings": list(brought.notes),
    }


def _differences(brought: Brought) -> t.Iterator[dict[str, str]]:
    """Only where they are shown: the program would be made for its checksum alone."""
    for part in brought.parts:
        if part.changed:
            yield difference(part.path, *part.shown())
    before, after = brought.service
    if before != after:
        yield difference("virtnet-rss", before, after)


def _wall_clock(seconds: float) -> str:
    return datetime.datetime.fromtimestamp(seconds, datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
