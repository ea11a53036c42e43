# SPDX-License-Identifier: GPL-3.0-or-later
"""What the figures are measured against, each a ratio or a limit out of one run."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

__all__ = ("Bar", "bars")

OURS, COUNTED, QEMU, FLOOR = "ours", "ours, statistics", "QEMU's", "load"


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
    for section, function in (("per_packet", _per_packet), ("device", _device), ("service", _service), ("host", _host)):
        if section in results:
            found += function(results[section])
    return found


def _per_packet(section: dict[str, t.Any]) -> list[Bar]:
    warm = section["warm"]

    def ratio(frame: str, side: str, against: str) -> float:
        return float(warm[frame][side] / max(warm[frame][against], 1))

    found = [
        Bar(f"{frame}, ours against QEMU's", ratio(frame, OURS, QEMU), limit)
        for limit, frames in ((1 / 12, ("TCP/IPv4", "UDP/IPv4")), (1 / 8, ("TCP/IPv6", "UDP/IPv6")))
        for frame in frames
    ]
    found += [
        Bar(f"{frame}, ours against one bare load", ratio(frame, OURS, FLOOR), limit)
        for frame, limit in (("TCP/IPv4", 1.6), ("TCP/IPv6", 2.4))
    ]
    found += [
        Bar(f"{frame}, statistics on against off", ratio(frame, COUNTED, OURS), 1.4)
        for frame in ("TCP/IPv4", "TCP/IPv6")
    ]
    # Equal medians of whole nanoseconds: one either way is rounding.
    found += [
        Bar(f"{frame}, ours against QEMU's", ratio(frame, OURS, QEMU), 1.05) for frame in ("ARP", "unknown ethertype")
    ]
    return found


def _device(section: dict[str, t.Any]) -> list[Bar]:
    found = []
    for path, times in section["through"].items():
        automatic = times["automatic selection"]
        found.append(Bar(f"through a {path}, ours against automatic selection", times[OURS] / automatic, 1.02))
        found.append(Bar(f"through a {path}, ours against QEMU's", times[OURS] / times[QEMU], 1.0))
    return found


def _service(section: dict[str, t.Any]) -> list[Bar]:
    return [
        Bar("a new device is steered, 99th percentile", section["latency_ms"]["p99"], 100, "ms"),
        Bar("the service beside 256 devices, of a core", section["idle"]["cpu_percent"], 1, "%"),
        Bar("its memory", section["idle"]["rss_mib"], 24, "MiB"),
    ]


def _host(section: dict[str, t.Any]) -> list[Bar]:
    counts = list(section["phases"])
    first, last = counts[0], counts[-1]
    processes = section["processes"]
    attach = section["phases"][last]["attach"]
    outside = attach["phases"]["libbpf and kernel"]
    look = section["phases"][last]["info"]["total"]
    return [
        Bar("no change, one device, against ping", processes[first]["nothing"] / processes[first]["ping"], 2),
        Bar(f"no change, {last} devices against one", processes[last]["nothing"] / processes[first]["nothing"], 3),
        Bar(f"attach, each of {last} devices", attach["total"] * 1e3 / int(last), 5, "ms"),
        Bar("of which our own Python", (attach["total"] - outside) / attach["total"], 0.5),
        Bar(f"one look at {last} devices, imports apart", look * 1e3, 50, "ms"),
        Bar("kernel memory for a device", sum(section["memory"].values()) / 1024, 64, "KiB"),
    ]
