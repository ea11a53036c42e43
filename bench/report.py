# SPDX-License-Identifier: GPL-3.0-or-later
"""The results as tables."""

from __future__ import annotations

import typing as t

from ansible_collections.virtnet.rss.bench.bars import bars, fleet_ratios

__all__ = ("text",)


def text(results: dict[str, t.Any]) -> str:
    """Every section that was measured, then the bars."""
    machine = results["machine"]
    parts = [f"{machine['cpu']}, {machine['cpus']} CPUs, Linux {machine['kernel']}"]
    parts += [function(results[name]) for name, function in SECTIONS.items() if name in results]
    met = bars(results)
    rows = [
        [each.name, _ratio(each.figure), each.unit, _ratio(each.limit), "met" if each.met else "MISSED"] for each in met
    ]
    if met:
        parts.append(_table("Bars", ["figure", "measured", "", "at most", ""], rows))
        parts.append(f"{sum(each.met for each in met)} of {len(met)} bars met")
    return "\n\n".join(parts) + "\n"


def _ratio(value: float) -> str:
    return f"{value:.3f}" if value < 10 else f"{value:.1f}"


def _table(title: str, head: list[str], rows: list[list[str]]) -> str:
    widths = [max(len(row[column]) for row in [head, *rows]) for column in range(len(head))]
    lines = [
        "  ".join(cell.ljust(width) if not number else cell.rjust(width) for number, (cell, width) in enumerate(pairs))
        for pairs in (list(zip(row, widths)) for row in [head, *rows])
    ]
    return "\n".join([title, *(f"  {line}".rstrip() for line in lines)])


def _per_packet(section: dict[str, t.Any]) -> str:
    parts = [
        _nanoseconds("Nanoseconds a packet, net of an empty program", section["warm"]),
        _nanoseconds("The same with every tunnel and transport on", section["protocols"]),
        _nanoseconds("What options add to TCP/IPv4", {"TCP/IPv4": section["options"]}),
    ]
    rows = [[name, f"{value:.0f}"] for name, value in section["cold"].items()]
    parts.append(_table("TCP/IPv4 with 256 programs in turn (cold caches), not net", ["", "ns"], rows))
    rows = [[name, *(str(size[word]) for word in SIZES)] for name, size in section["programs"].items()]
    parts.append(_table("Programs", ["", "verified", "instructions", "bytes of code"], rows))
    return "\n\n".join(parts)


SIZES = ("verified_instructions", "xlated_instructions", "jited_bytes")


def _nanoseconds(title: str, times: dict[str, dict[str, float]]) -> str:
    names = list(next(iter(times.values())))
    rows = [[frame, *(f"{of[name]:.1f}" for name in names)] for frame, of in times.items()]
    return _table(title, ["", *names], rows)


def _device(section: dict[str, t.Any]) -> str:
    parts = []
    for path, times in section["through"].items():
        automatic = times["automatic selection"]
        rows = [[name, f"{value:.0f}", f"{value / automatic:.3f}"] for name, value in times.items()]
        parts.append(_table(f"Through a {path}", ["", "ns a packet", "ratio"], rows))
    return "\n\n".join(parts)


def _observer(section: dict[str, t.Any]) -> str:
    rows = [[name, f"{section[name]:.0f}"] for name in ("alone", "watched")]
    rows.append(["difference", f"{section['watched'] - section['alone']:.0f}"])
    return _table("Into a TAP device while its packets are watched", ["", "ns a packet"], rows)


def _host(section: dict[str, t.Any]) -> str:
    parts = []
    engines = [(f"{count} devices", works) for count, works in section["phases"].items()]
    engines += [(f"{count} devices, the defaults", works) for count, works in section["default"].items()]
    for what, works in engines:
        names = list(next(iter(works.values()))["phases"])
        rows = [
            [
                work,
                *(f"{of[word] * 1e3:.1f}" for word in ("total", "processor")),
                *(f"{of['phases'][name] * 1e3:.1f}" for name in names),
            ]
            for work, of in works.items()
        ]
        parts.append(_table(f"Engine, {what}, milliseconds", ["", "in all", "processor", *names], rows))
    rows = [
        [str(count), *(f"{times[name] * 1e3:.0f}" for name in ("ping", "nothing", "info"))]
        for count, times in section["processes"].items()
    ]
    parts.append(_table("Whole processes, milliseconds", ["devices", "ping", "no change", "info"], rows))
    rows = [[kind, name, str(size)] for kind, sizes in section["memory"].items() for name, size in sizes.items()]
    parts.append(_table("Kernel memory for a device, bytes", ["", "", "memlock"], rows))
    peak = max(of["peak_kib"] for works in section["phases"].values() for of in works.values())
    parts.append(f"Peak memory of a module's process: {peak / 1024:.0f} MiB")
    return "\n\n".join(parts)


def _looks(section: dict[str, t.Any]) -> str:
    counts = [count for count in section if count != "load_ms"]
    rows = [[what, *(f"{section[count][what]:.2f}" for count in counts)] for what in section[counts[0]]]
    title = f"One look, ms ({section['load_ms']:.0f} ms to load the inspector, once)"
    return _table(title, ["", *(f"{count} devices" for count in counts)], rows)


def _service(section: dict[str, t.Any]) -> str:
    latency, idle = section["latency_ms"], section["idle"]
    names = list(next(iter(latency.values())))
    rows = [[kind, *(f"{times[name]:.0f} ms" for name in names)] for kind, times in latency.items()]
    table = _table(f"Service: from a new device to its program, {section['creations']} devices", ["", *names], rows)
    return (
        f"{table}\n\nService beside {section['devices']} devices: {idle['cpu_percent']:.2f} % of a core, "
        f"{idle['rss_mib']:.0f} MiB; ready {section['start_ms']:.0f} ms after its start"
    )


def _fleet(section: dict[str, t.Any]) -> str:
    ratios = fleet_ratios(section)
    rows = [
        [
            name,
            f"{seconds:.0f} s",
            f"{section['waits'].get(name, 0)} s",
            f"{1e3 * seconds / section['hosts']:.0f} ms",
            f"{1e3 * section['processor'][name] / section['hosts']:.0f} ms",
            f"{ratios[name]:.1f}",
            f"{section['peak_mib'][name]:.0f} MiB",
        ]
        for name, seconds in section["seconds"].items()
    ]
    title = (
        f"Playbooks over {section['hosts']} hosts with {section['devices']} devices each, beside {section['others']}"
    )
    head = ["", "in all", "of which waits", "a host", "processor", "to ping's, waits apart", "largest until then"]
    return _table(title, head, rows)


SECTIONS: dict[str, t.Callable[[dict[str, t.Any]], str]] = {
    "per_packet": _per_packet,
    "device": _device,
    "observer": _observer,
    "looks": _looks,
    "service": _service,
    "host": _host,
    "fleet": _fleet,
}
