# Copyright (c) 2026, virtnet.rss contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to the collection: metrics in the text format of Prometheus, for node_exporter's textfile collector.

from __future__ import annotations

import functools
import typing as t

from ansible_collections.virtnet.rss.plugins.module_utils._look.hints import unspread_share
from ansible_collections.virtnet.rss.plugins.module_utils._look.spread import excess, spread
from ansible_collections.virtnet.rss.plugins.module_utils._service.status_file import (
    balances_of,
    rules_of,
    shortfalls_of,
)
from ansible_collections.virtnet.rss.plugins.module_utils._text import printable, written_out

if t.TYPE_CHECKING:
    from ansible_collections.virtnet.rss.plugins.module_utils._look.look import Sighting

__all__ = ("metrics_text",)

LONGEST = 200  # letters of a reason
STATES = ("steered", "automatic", "foreign", "unknown")
HELP = {
    "virtnet_rss_state": ("gauge", "1 for the state that the device is in"),
    "virtnet_rss_guest_info": ("gauge", "Always 1: the guest, its card's address and the rule of a device"),
    "virtnet_rss_queues": ("gauge", "Attached queues"),
    "virtnet_rss_packets_total": ("counter", "Packets that the steering program sent to a queue, by its own number"),
    "virtnet_rss_spread": ("gauge", "Busiest queue over the mean: 1 is even"),
    "virtnet_rss_unspread": ("gauge", "Part of the packets that are hashed by their addresses alone, or not at all"),
    "virtnet_rss_to_guest_total": (
        "counter",
        "Packets that the guest got; many more than the program sent went past it",
    ),
    "virtnet_rss_excess": ("gauge", "Times its part of the table that the queue got that got most beyond it"),
    "virtnet_rss_dropped_total": ("counter", "Packets for the guest that were dropped"),
    "virtnet_rss_program_seconds": ("gauge", "What the program takes for one packet, where it was measured"),
    "virtnet_rss_fallback": ("gauge", "1 for a device that is not steered as wanted, with the stage and the reason"),
    "virtnet_rss_imbalance": ("gauge", "The busiest queue over its share, where the service balances; 1 is as wanted"),
    "virtnet_rss_balance_moves_total": ("counter", "Entries of the indirection table that the service has moved"),
    "virtnet_rss_reapplied_total": ("counter", "Times that a steering which somebody took off was put back"),
    "virtnet_rss_policy_error": ("gauge", "1 while the policy on disk is refused"),
    "virtnet_rss_last_pass_timestamp_seconds": ("gauge", "When everything was looked at last"),
}


def metrics_text(sightings: t.Iterable[Sighting], status: t.Mapping[str, t.Any] | None) -> str:
    """The whole file. ``status`` is what the running service says of itself; None: what can be seen without it."""
    status = status or {}
    samples: dict[str, list[str]] = {name: [] for name in HELP}

    def add(name: str, value: float, where: str = "", **labels: object) -> None:
        text = ",".join([*([where] if where else ()), *(_label(*label) for label in labels.items())])
        samples[name].append(f"{name}{{{text}}} {value}" if text else f"{name} {value}")

    rules, balances, shortfalls = rules_of(status), balances_of(status), shortfalls_of(status)
    for sighting in sightings:
        _balance(add, sighting, balances.get(sighting.device.id))
        _device(add, sighting, shortfalls)
        _guest(add, sighting, rules.get(sighting.device.id, ""))
    if status:
        add("virtnet_rss_reapplied_total", status["reapplied"])
        add("virtnet_rss_policy_error", int(bool(status["policy_error"])))
    if status.get("last_pass"):
        add("virtnet_rss_last_pass_timestamp_seconds", status["last_pass"])
    lines = []
    for name, (kind, text) in HELP.items():
        if samples[name]:
            lines += [f"# HELP {name} {text}", f"# TYPE {name} {kind}", *samples[name]]
    return "\n".join(lines) + "\n"


def _guest(add: t.Callable[..., None], sighting: Sighting, rule: str) -> None:
    """Labels that would make every other series new when a guest is renamed, or a rule."""
    card = sighting.card
    if card.domain or card.mac or rule:
        add("virtnet_rss_guest_info", 1, _where(sighting), domain=card.domain, mac=card.mac, rule=rule)


def _balance(add: t.Callable[..., None], sighting: Sighting, found: t.Mapping[str, t.Any] | None) -> None:
    if found:
        where = _where(sighting)
        add("virtnet_rss_balance_moves_total", found["moves"], where)
        if found["imbalance"] is not None:
            add("virtnet_rss_imbalance", found["imbalance"], where)


def _device(
    add: t.Callable[..., None], sighting: Sighting, shortfalls: t.Mapping[tuple[int, int], tuple[str, str]]
) -> None:
    device, where = sighting.device, _where(sighting)
    for state in STATES:
        add("virtnet_rss_state", int(state == device.state), where, state=state)
    add("virtnet_rss_queues", device.queues, where)
    if sighting.counters:
        for queue, count in enumerate(sighting.counters.numbered):
            add("virtnet_rss_packets_total", count, where, queue=queue)
        even = spread(sighting.counters.packets(device.queues))
        if even is not None:
            add("virtnet_rss_spread", even, where)
        share = unspread_share(sighting)
        if share is not None:
            add("virtnet_rss_unspread", round(share, 3), where)
            _excess(add, sighting, where)
    if sighting.traffic:
        add("virtnet_rss_to_guest_total", sighting.traffic.to_guest, where)
        add("virtnet_rss_dropped_total", sighting.traffic.dropped, where)
    if sighting.measurement and sighting.measurement.per_packet is not None:
        add("virtnet_rss_program_seconds", sighting.measurement.per_packet / 1e9, where)
    if device.id in shortfalls:
        stage, reason = shortfalls[device.id]
        add("virtnet_rss_fallback", 1, where, stage=stage, reason=reason[:LONGEST])


def _excess(add: t.Callable[..., None], sighting: Sighting, where: str) -> None:
    program = sighting.device.program
    if sighting.counters and program and program.configuration:
        packets = sighting.counters.packets(sighting.device.queues)
        add("virtnet_rss_excess", excess(packets, program.configuration.rss.indirection), where)


def _where(sighting: Sighting) -> str:
    """The labels that every sample of a device has."""
    return f"{_label('device', written_out(sighting.device.name))},{_label('netns', sighting.namespace.label)}"


@functools.lru_cache(maxsize=2048)  # each is in dozens of lines
def _label(name: str, content: object) -> str:
    """Backslash and quote of a label's value are escaped."""
    escaped = printable(str(content)).replace("\\", "\\\\").replace('"', '\\"')
    return f'{name}="{escaped}"'
