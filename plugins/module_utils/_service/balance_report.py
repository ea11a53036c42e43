# Copyright (c) 2026, virtnet.rss contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to the collection: what is said of the balance of a device: by the service's status file, and by one look.

from __future__ import annotations

import time
import typing as t

from ansible_collections.virtnet.rss.plugins.module_utils._balance.plan import Limits, plan_moves
from ansible_collections.virtnet.rss.plugins.module_utils._bpf.libbpf import load_libbpf
from ansible_collections.virtnet.rss.plugins.module_utils._errors import DeviceError, StateError
from ansible_collections.virtnet.rss.plugins.module_utils._look.balance import load_between, read_load
from ansible_collections.virtnet.rss.plugins.module_utils._look.heavy import flows_of_entries
from ansible_collections.virtnet.rss.plugins.module_utils._service.balancing import move
from ansible_collections.virtnet.rss.plugins.module_utils._text import written_out
from ansible_collections.virtnet.rss.plugins.module_utils._tun.netns import entered

if t.TYPE_CHECKING:
    from ansible_collections.virtnet.rss.plugins.module_utils._balance.plan import Plan
    from ansible_collections.virtnet.rss.plugins.module_utils._look.look import Sighting
    from ansible_collections.virtnet.rss.plugins.module_utils._steering.model import Device

__all__ = ("balance_sentence", "balance_text", "look_at_balance")


def balance_sentence(found: t.Mapping[str, t.Any] | None) -> str:
    """One device's, for a column."""
    if not found or found["imbalance"] is None:
        return ""
    kind = "would be balanced" if found["dry_run"] else "balanced"
    before, after = found["last"]
    last = f", {before:.2f} to {after:.2f} by the last of {found['moves']} moves" if found["moves"] else ""
    heavy = "".join(f"; entry {entry} has {part:.0%} of the packets" for entry, _queue, part in found["heavy"])
    return f"{kind}: {found['imbalance']:.2f} times its share{last}{heavy}"


def look_at_balance(sighting: Sighting, seconds: float, *, dry_run: bool) -> dict[str, t.Any]:
    """What a device carries for so long, the moves that are worth it, and unless it is a dry run these moves.

    StateError for a device without a live table, or one that loses it meanwhile.
    """
    device = sighting.device
    program = device.program
    if program is None or program.live is None or program.configuration is None:
        raise StateError(f"{device.name} has no table that could be balanced: its rule needs 'rebalance: true'")
    earlier = read_load(load_libbpf(), program)
    time.sleep(seconds)
    now = read_load(load_libbpf(), program)
    if earlier is None or now is None:
        raise _gone(device)
    load = load_between(earlier, now, program.configuration, max(device.queues, 1))
    plan = plan_moves(load, Limits())
    if plan.moves and not dry_run and not move(program.live, plan, program.configuration, device.queues):
        raise _gone(device)
    carried = _carried(sighting, plan)
    return {
        "name": written_out(device.name),
        "netns_inode": device.netns_inode,
        "ifindex": device.ifindex,
        "packets": load.by_queue(),
        "before": round(plan.before, 3),
        "after": round(plan.after, 3),
        "waiting": now.waiting,
        "moves": [each._asdict() for each in plan.moves],
        "heavy": [{**each._asdict(), **carried.get(each.entry, {})} for each in plan.heavy],
    }


def _gone(device: Device) -> StateError:
    return StateError(f"{device.name}: another program has taken the place of the one whose table was to be balanced")


def _carried(sighting: Sighting, plan: Plan) -> dict[int, dict[str, t.Any]]:
    """Whose packets the heavy entries carry, and the pin that would give the heaviest flow the entry's queue."""
    program = sighting.device.program
    if not plan.heavy or program is None or program.configuration is None:
        return {}
    homes = {each.entry: each.home for each in plan.heavy}
    try:
        with entered(sighting.namespace):
            seen = flows_of_entries(sighting.device.ifindex, program.configuration, homes)
    except (DeviceError, OSError):  # without CAP_NET_RAW, or the device has gone: it is told without
        return {}
    return {
        entry: {
            "flows": each.flows,
            "heaviest": round(each.heaviest, 3),
            "pin": {**each.pin, "queue": homes[entry]} if each.pin else None,
        }
        for entry, each in seen.items()
    }


def _flows(heavy: t.Mapping[str, t.Any]) -> str:
    if "flows" not in heavy:
        return ""
    count = heavy["flows"]
    told = "one flow" if count == 1 else f"{count} flows, the heaviest has {heavy['heaviest']:.0%} of it"
    words = ", ".join(f"{word}: {value}" for word, value in (heavy["pin"] or {}).items())
    return f": {told}" + (f"; the pin {{{words}}} gives that one a queue by itself" if words else "")


def balance_text(report: t.Mapping[str, t.Any], *, dry_run: bool) -> str:
    """The same for people."""
    total = sum(report["packets"])
    lines = [f"{report['name']}: {total} packets, the busiest queue {report['before']:.2f} times its share"]
    lines += [f"  queue {queue}: {packets} packets" for queue, packets in enumerate(report["packets"])]
    for each in report["heavy"]:
        lines.append(
            f"  entry {each['entry']} of queue {each['queue']} has {each['part']:.0%} of the packets, more than a "
            f"queue's share, so no table evens that out{_flows(each)}"
        )
    for each in report["moves"]:
        lines.append(
            f"  entry {each['entry']} ({each['packets']} packets): queue {each['giver']} to queue {each['receiver']}"
        )
    done = "would be" if dry_run else "is"
    outcome = (
        f"the busiest queue {done} {report['after']:.2f} times its share" if report["moves"] else "nothing to move"
    )
    waiting = f"; {report['waiting']} entries wait for a silence" if report["waiting"] else ""
    return "\n".join([*lines, f"  {outcome}{waiting}"])
