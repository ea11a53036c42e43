# Copyright (c) 2026, virtnet.rss contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to the collection: outcomes as the dictionaries that a module returns. The hash key never leaves here; its
# fingerprint does.

from __future__ import annotations

import typing as t
from dataclasses import asdict

from ansible_collections.virtnet.rss.plugins.module_utils._rss.config import mask_to_hash_types, mask_to_tunnel_types
from ansible_collections.virtnet.rss.plugins.module_utils._rss.indirection import describe_table
from ansible_collections.virtnet.rss.plugins.module_utils._rss.keys import fingerprint
from ansible_collections.virtnet.rss.plugins.module_utils._steering.model import STEERED
from ansible_collections.virtnet.rss.plugins.module_utils._text import written_out

if t.TYPE_CHECKING:
    from ansible_collections.virtnet.rss.plugins.module_utils._program.model import AttachedProgram, Configuration
    from ansible_collections.virtnet.rss.plugins.module_utils._rss.config import RssConfig
    from ansible_collections.virtnet.rss.plugins.module_utils._steering.model import Device, Outcome

__all__ = ("configuration_report", "outcome_report", "program_report")

NEW_KEY = "a new random key"


def configuration_report(configuration: Configuration | None) -> dict[str, t.Any] | None:
    """The option values that give this configuration; the key as ``SHA256:`` fingerprint."""
    if configuration is None:
        return None
    rss = configuration.rss
    return {
        "hash_types": list(mask_to_hash_types(rss.hash_types)),
        "tunnel_types": list(mask_to_tunnel_types(rss.tunnel_types)),
        "tunnel_ports": _ports(rss),
        "symmetric": rss.symmetric,
        "pins": [pin.words() for pin in rss.pins],
        "hash_key": fingerprint(rss.hash_key),
        "indirection": describe_table(rss.indirection),
        "default_queue": rss.default_queue,
        "redirect": rss.redirect,
        "statistics": configuration.statistics,
        **({"rebalance": configuration.guard._asdict()} if configuration.guard else {}),
    }


def _ports(rss: RssConfig) -> dict[str, list[int]]:
    """The UDP ports that the program looks for."""
    types, tunnels = mask_to_hash_types(rss.hash_types), mask_to_tunnel_types(rss.tunnel_types)
    used = {*tunnels, *(["gtpu"] if "gtpu_teid" in types else [])}
    return {kind: list(ports) for kind, ports in asdict(rss.tunnel_ports).items() if kind in used}


def program_report(program: AttachedProgram | None) -> dict[str, t.Any] | None:
    """How `bpftool prog show` calls the program, and whose it is."""
    if program is None:
        return None
    return {
        "id": program.id,
        "name": program.name,
        "tag": program.tag,
        "owner": program.owner,
        "reads": program.reads or None,
    }


def _side(device: Device) -> dict[str, t.Any]:
    program = device.program
    return {
        "state": device.state,
        "program": program_report(program),
        "config": configuration_report(program.configuration if program else None),
    }


def outcome_report(outcome: Outcome, *, netns: str, check: bool) -> dict[str, t.Any]:
    """One element of the ``taps`` list of virtnet.rss.tap_steering."""
    before, after = _side(outcome.step.device), _side(outcome.after)
    if check and outcome.changed and after["state"] == STEERED:
        after["program"] = None  # the one that was proven has gone again
        if outcome.step.new_key:
            after["config"]["hash_key"] = NEW_KEY
    fallback = outcome.fallback
    return {
        "name": written_out(outcome.after.name),
        "netns": netns,
        "ifindex": outcome.after.ifindex,
        "queues": outcome.after.queues,
        "disabled_queues": outcome.after.disabled_queues,
        "state": outcome.after.state,
        "action": outcome.action,
        "changed": outcome.changed,
        "before": before,
        "after": after,
        "program": after["program"],
        "config": after["config"],
        "verified": outcome.verified,
        "reached": outcome.way,
        "reason": outcome.step.reason or outcome.after.reason,
        "fallback": None
        if fallback is None
        else {
            "stage": fallback.stage,
            "reason": fallback.reason,
            "errno": fallback.errno,
            "verifier_log": fallback.log,
        },
    }
