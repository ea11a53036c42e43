# SPDX-License-Identifier: GPL-3.0-or-later
"""What the figures are measured against, each a ratio or a limit out of one run."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

__all__ = ("Bar", "bars", "fleet_ratios")

FORMER, PLAIN, COUNTED, DEFAULT = "0.1.0", "plain", "plain, statistics", "default"
QEMU, FLOOR, AUTOMATIC = "QEMU's", "load", "automatic selection"
INNER_TCP = ("VXLAN", "GENEVE", "GRE", "IPIP", "PPPoE")  # whose inner packet is TCP/IPv4


@dataclass(frozen=True)
class Bar:
    """One figure; it is met when it is not above its limit."""

    name: str
    figure: float
    limit: float
    unit: str = ""

    @property
    def met(self) -> bool:
        return self.figure <= self.limit


def bars(results: dict[str, t.Any]) -> list[Bar]:
    """The bars of the sections that were measured."""
    found: list[Bar] = []
    sections = (
        *(("per_packet", _per_packet), ("device", _device), ("looks", _looks)),
        *(("service", _service), ("host", _host), ("fleet", _fleet)),
    )
    for section, function in sections:
        if section in results:
            found += function(results[section])
    return found


def _per_packet(section: dict[str, t.Any]) -> list[Bar]:
    return [*_plain(section["warm"]), *_full(section)]


def _plain(warm: dict[str, dict[str, float]]) -> list[Bar]:
    def ratio(frame: str, side: str, against: str) -> float:
        return warm[frame][side] / max(warm[frame][against], 1)

    wanted = (
        (1 / 18, PLAIN, QEMU, ("TCP/IPv4", "UDP/IPv4")),
        (1 / 11, PLAIN, QEMU, ("TCP/IPv6", "UDP/IPv6")),
        (0.85, PLAIN, FLOOR, ("TCP/IPv4",)),
        (0.6, PLAIN, QEMU, ("ARP", "unknown ethertype")),
        (0.85, DEFAULT, FORMER, ("TCP/IPv4",)),
        (1.2, COUNTED, PLAIN, ("TCP/IPv4", "TCP/IPv6")),
    )
    return [
        Bar(f"{frame}, {side} against {'one bare load' if against == FLOOR else against}", ratio(*names), limit)
        for limit, side, against, frames in wanted
        for frame in frames
        for names in ((frame, side, against),)
    ]


def _full(section: dict[str, t.Any]) -> list[Bar]:
    """Tunnels against plain TCP/IPv4 of the same build; what an option adds to each packet."""
    protocols, options = section["protocols"], section["options"]
    builds = list(protocols["TCP/IPv4"])
    found = [
        Bar(f"{name}, {build}, against TCP/IPv4", protocols[name][build] / protocols["TCP/IPv4"][build], 3)
        for build in builds
        for name in INNER_TCP
    ]
    for option, limit in (("16 pins", 20), ("symmetric", 4), ("live table", 2)):
        for build in builds:
            added = options[f"default, {option}, {build}"] - options[f"default, {build}"]
            found.append(Bar(f"{option} that match none" if limit == 20 else option, added, limit, f"ns, {build}"))
    return found


def _device(section: dict[str, t.Any]) -> list[Bar]:
    found = []
    for path, times in section["through"].items():
        from_guest = "from the guest" in path
        limits = {PLAIN: 0.92, DEFAULT: 0.92} if from_guest else {PLAIN: 0.94, DEFAULT: 1.0}
        if path == "bridge":
            limits = {PLAIN: 1.02, DEFAULT: 1.02}
        for side, limit in limits.items():
            found.append(Bar(f"{path}, {side} against {AUTOMATIC}", times[side] / times[AUTOMATIC], limit))
    return found


def _looks(section: dict[str, t.Any]) -> list[Bar]:
    """Once the inspector is loaded."""
    limits = {"256": 5, "4000": 20}
    return [
        Bar(f"one look at {count} devices", section[count]["observe"], limit, "ms") for count, limit in limits.items()
    ]


def _service(section: dict[str, t.Any]) -> list[Bar]:
    return [
        *(
            Bar(f"a new device is steered, {kind}, 99th percentile", section["latency_ms"][kind]["p99"], limit, "ms")
            for kind, limit in (("plain", 25), ("default", 40))
        ),
        Bar("the service beside 256 devices, of a core", section["idle"]["cpu_percent"], 0.25, "%"),
        Bar("its memory", section["idle"]["rss_mib"], 24, "MiB"),
    ]


def _host(section: dict[str, t.Any]) -> list[Bar]:
    counts = list(section["phases"])
    first, last = counts[0], counts[-1]
    processes = section["processes"]
    attach = section["phases"][last]["attach"]
    default = section["default"][last]["attach"]
    outside = attach["phases"]["libbpf and kernel"]
    look = section["phases"][last]["info"]["total"]
    return [
        Bar("no change, one device, against ping", processes[first]["nothing"] / processes[first]["ping"], 2),
        Bar(f"no change, {last} devices against one", processes[last]["nothing"] / processes[first]["nothing"], 3),
        Bar(f"attach, each of {last} devices, plain", attach["total"] * 1e3 / int(last), 3.5, "ms"),
        Bar(f"attach, each of {last} devices, default", default["total"] * 1e3 / int(last), 12, "ms"),
        Bar("of which our own Python", (attach["total"] - outside) / attach["total"], 0.5),
        Bar(f"one look at {last} devices, imports apart", look * 1e3, 50, "ms"),
        *(
            Bar(f"kernel memory for a device, {kind}", sum(section["memory"][kind].values()) / 1024, limit, "KiB")
            for kind, limit in (("plain", 57), ("default", 80))
        ),
    ]


def fleet_ratios(section: dict[str, t.Any]) -> dict[str, float]:
    """What each playbook takes over all hosts, waits apart, to what ping takes over the same hosts before and after."""
    seconds = section["seconds"]
    ping = (seconds["ping"] + seconds["ping again"]) / 2
    return {name: (taken - section["waits"].get(name, 0)) / ping for name, taken in seconds.items()}


def _fleet(section: dict[str, t.Any]) -> list[Bar]:
    ratios = fleet_ratios(section)
    limits = {"rollout": 6, "rollout again": 3, "audit": 2.5, "rollback": 4}
    return [
        Bar(f"{name} over {section['hosts']} hosts, against ping", ratios[name], most) for name, most in limits.items()
    ]
