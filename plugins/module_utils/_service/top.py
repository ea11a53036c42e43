# Copyright (c) 2026, virtnet.rss contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to the collection: `virtnet-rss top`, packets a second, the busiest guest first, as much as fits the screen.

from __future__ import annotations

import json
import sys
import time
import typing as t
from dataclasses import dataclass, replace

from ansible_collections.virtnet.rss.plugins.module_utils._look.spread import spread
from ansible_collections.virtnet.rss.plugins.module_utils._service.balance_report import balance_sentence
from ansible_collections.virtnet.rss.plugins.module_utils._service.terminal import bars, clear, say, sparkline, table
from ansible_collections.virtnet.rss.plugins.module_utils._text import printable_tree, written_out

if t.TYPE_CHECKING:
    from ansible_collections.virtnet.rss.plugins.module_utils._look.counters import Counters
    from ansible_collections.virtnet.rss.plugins.module_utils._look.look import Sighting
    from ansible_collections.virtnet.rss.plugins.module_utils._program.model import AttachedProgram

__all__ = ("Rate", "screen", "watch_rates")

HEAD = ("device", "netns", "state", "packets/s", "spread", "queues")


@dataclass(frozen=True)
class Rate:
    """Packets a second to one guest; ``queues`` only where a program of ours counts."""

    sighting: Sighting
    packets: float
    queues: tuple[float, ...] = ()
    balance: t.Mapping[str, t.Any] | None = None  # what the service says of it, where it balances


def watch_rates(
    look: t.Callable[[], t.Sequence[Sighting]],
    interval: float,
    rounds: int,
    *,
    balances: t.Callable[[], t.Mapping[tuple[int, int], t.Mapping[str, t.Any]]],
    as_json: bool,
) -> None:
    """Print a screen, or a line of JSON, every ``interval`` seconds; ``rounds`` of them, 0 for ever."""
    before, begin = look(), time.monotonic()
    counted = _counted(before)
    shown = 0
    while not rounds or shown < rounds:
        time.sleep(interval)
        now, moment = look(), time.monotonic()
        seconds = moment - begin
        told = balances()
        by_device = {each.device.id: each for each in before}
        rates = [_rate(each, by_device.get(each.device.id), counted, seconds) for each in now]
        rates.sort(key=lambda rate: -rate.packets)
        rates = [replace(rate, balance=told.get(rate.sighting.device.id)) for rate in rates]
        if as_json:
            say(json.dumps(printable_tree([_report(rate) for rate in rates])))
        else:
            clear()
            say(screen(rates, *_size()))
        before, begin = now, moment
        counted.update(_counted(now))
        shown += 1


def screen(rates: t.Sequence[Rate], width: int, height: int) -> str:
    """A bar for each queue where there is room for all, else a line for each device; ``height`` 0: there is room."""
    if not rates:
        return "no TAP devices"
    every_queue = "\n".join(bars(rate.sighting, rate.queues, balance_sentence(rate.balance)) for rate in rates)
    if not height or every_queue.count("\n") + 2 <= height:
        return every_queue
    room = max(height - 3, 0)  # the head, what is left out, and the line of the cursor
    rows = [
        [
            written_out(rate.sighting.device.name),
            rate.sighting.namespace.label,
            rate.sighting.device.state,
            f"{rate.packets:.0f}",
            spread([round(count) for count in rate.queues]) or "",
            sparkline(rate.queues),
        ]
        for rate in rates[:room]
    ]
    left_out = [f"and {len(rates) - room} more, less busy"] if len(rates) > room else []
    return "\n".join([table(HEAD, rows, width), *left_out])


def _size() -> tuple[int, int]:
    """Columns and lines of the screen; no end of lines where there is none."""
    import shutil  # here: half a MiB that the service saves

    size = shutil.get_terminal_size()
    return size.columns, size.lines if sys.stdout.isatty() else 0


def _report(rate: Rate) -> dict[str, t.Any]:
    device = rate.sighting.device
    return {
        "name": written_out(device.name),
        "netns": rate.sighting.namespace.label,
        "netns_inode": device.netns_inode,
        "ifindex": device.ifindex,
        "state": device.state,
        "packets_per_second": round(rate.packets, 1),
        "queues": [round(count, 1) for count in rate.queues],
        "balance": rate.balance,
    }


def _counted(sightings: t.Sequence[Sighting]) -> dict[int, Counters]:
    """By program. One that was taken off and comes back goes on with its counters."""
    return {each.device.program.id: each.counters for each in sightings if each.device.program and each.counters}


def _rate(now: Sighting, before: Sighting | None, counted: t.Mapping[int, Counters], seconds: float) -> Rate:
    packets, program = 0.0, now.device.program
    if now.traffic and before and before.traffic:
        packets = (now.traffic.to_guest - before.traffic.to_guest) / seconds
    if now.counters is None or program is None:
        return Rate(now, packets)
    earlier = counted.get(program.id)
    if earlier is None and not _is_younger(program, seconds):
        earlier = now.counters  # nobody knows since when it has counted
    counters = now.counters.since(earlier) if earlier else now.counters
    return Rate(now, packets, tuple(count / seconds for count in counters.packets(now.device.queues)))


def _is_younger(program: AttachedProgram, seconds: float) -> bool:
    return time.clock_gettime(time.CLOCK_BOOTTIME) - program.load_time / 1e9 <= seconds
