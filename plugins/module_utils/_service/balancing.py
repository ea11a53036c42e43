# Copyright (c) 2026, virtnet.rss contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to the collection: the service's rounds of balancing. Where the entries are is in the kernel; what is kept
# here is how often to look, so a service that is started anew begins with one period of looking.

from __future__ import annotations

import math
import time
import typing as t
from dataclasses import dataclass, field

from ansible_collections.virtnet.rss.plugins.module_utils._balance.balancer import Balancer
from ansible_collections.virtnet.rss.plugins.module_utils._bpf.libbpf import load_libbpf
from ansible_collections.virtnet.rss.plugins.module_utils._bpf.live_table import move_entries
from ansible_collections.virtnet.rss.plugins.module_utils._errors import sentence_of
from ansible_collections.virtnet.rss.plugins.module_utils._look.balance import (
    load_between,
    numbers_of_queues,
    read_load,
)
from ansible_collections.virtnet.rss.plugins.module_utils._program.programs import describe
from ansible_collections.virtnet.rss.plugins.module_utils._service.terminal import say
from ansible_collections.virtnet.rss.plugins.module_utils._text import cut, written_out

if t.TYPE_CHECKING:
    from ansible_collections.virtnet.rss.plugins.module_utils._balance.options import Rebalance
    from ansible_collections.virtnet.rss.plugins.module_utils._balance.plan import Load, Plan
    from ansible_collections.virtnet.rss.plugins.module_utils._bpf.live_table import LiveMaps
    from ansible_collections.virtnet.rss.plugins.module_utils._look.balance import Reading
    from ansible_collections.virtnet.rss.plugins.module_utils._program.model import AttachedProgram, Configuration
    from ansible_collections.virtnet.rss.plugins.module_utils._service.reconcile import Result
    from ansible_collections.virtnet.rss.plugins.module_utils._steering.model import Device
    from ansible_collections.virtnet.rss.plugins.module_utils._tun.device_id import DeviceId

__all__ = ("Balancing", "move")

NAMED = 3  # devices of many that are balanced in one round


@dataclass
class _Balanced:
    """One device as long as one program steers it, under one rule."""

    device: Device
    program: int  # id
    wanted: Rebalance
    due: float
    balancer: Balancer
    found: AttachedProgram | None = None  # with its maps
    earlier: Reading | None = field(default=None, repr=False)
    plan: Plan | None = None  # of the last round
    trouble: str = ""  # of the last round
    moved_from: float = 1.0  # imbalance before and after the last moves
    moved_to: float = 1.0


class Balancing:
    """``follow()`` after each pass, ``turn()`` when ``due_in()`` is over. Whatever fails costs one device its round."""

    def __init__(self, clock: t.Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._devices: dict[DeviceId, _Balanced] = {}
        self._followed: t.Mapping[DeviceId, Result] = {}

    def follow(self, results: t.Mapping[DeviceId, Result]) -> bool:
        """What is steered now, and by which rules; False for the same mapping again, which says nothing new. The memory
        of a device ends with its program.
        """
        if results is self._followed:
            return False
        self._followed = results
        before, self._devices = self._devices, {}
        for key, result in results.items():
            program, desired = result.device.program, result.rule.desired if result.rule else None
            wanted = desired.rebalance if desired and desired.present else None
            if wanted is None or program is None or not (program.configuration and program.configuration.guard):
                continue
            known = before.get(key)
            if known is None or (known.program, known.wanted) != (program.id, wanted):
                known = _Balanced(result.device, program.id, wanted, self._clock(), Balancer(wanted))
            known.device = result.device
            self._devices[key] = known
        return True

    def due_in(self) -> float:
        """Seconds until a round; infinite where nothing is balanced."""
        return max(0.0, min((each.due for each in self._devices.values()), default=math.inf) - self._clock())

    def turn(self) -> bool:
        """The rounds that are due, and one line in the log for all of them; whether any entry was moved."""
        now, moved = self._clock(), []
        for each in [each for each in self._devices.values() if each.due <= now]:
            each.trouble = ""
            try:
                if _round(each):
                    moved.append(each)
            except Exception as exc:  # whatever is odd about one device keeps no other one waiting
                each.earlier = None
                each.balancer.pause = each.wanted.period
                each.trouble = f"{written_out(each.device.name)} is not balanced: {sentence_of(exc)}"
            each.due = now + each.balancer.pause
        if moved:
            say(cut(_line(moved)))
        return bool(moved)

    @property
    def trouble(self) -> str:
        """Of the last round of each device; empty when all is well."""
        troubles = [each.trouble for each in self._devices.values() if each.trouble]
        more = f" (and {len(troubles) - 1} more)" if len(troubles) > 1 else ""
        return f"{troubles[0]}{more}" if troubles else ""

    def report(self) -> list[list[t.Any]]:
        """For the status file: netns_inode, ifindex, and what there is to tell."""
        return [[*key, _report(each)] for key, each in self._devices.items()]


def move(maps: LiveMaps, plan: Plan, configuration: Configuration, queues: int) -> bool:
    """Do what was planned for ``queues`` enabled queues; False when the program has gone."""
    numbers = numbers_of_queues(configuration, queues)
    return move_entries(load_libbpf(), maps, {each.entry: numbers[each.receiver] for each in plan.moves})


def _round(each: _Balanced) -> bool:
    """Whether entries were moved."""
    program = each.found = each.found or _described(each.program)
    if program is None or program.configuration is None or program.live is None:
        return False  # somebody has taken it off: the next look tells
    reading, earlier = read_load(load_libbpf(), program), each.earlier
    each.earlier = reading
    queues = each.device.queues
    if reading is None or earlier is None or queues < 2:
        return False
    load: Load = load_between(earlier, reading, program.configuration, queues)
    plan = each.plan = each.balancer.round(load)
    if not plan.moves or each.wanted.dry_run or not move(program.live, plan, program.configuration, queues):
        return False
    each.moved_from, each.moved_to = plan.before, plan.after
    return True


def _described(number: int) -> AttachedProgram | None:
    found = describe(load_libbpf(), number)
    return found.program if found else None


def _line(moved: t.Sequence[_Balanced]) -> str:
    """Such as: balance: vnet3 1.62 to 1.07 of its share, 11 entries moved."""
    devices = [
        f"{written_out(each.device.name)} {each.moved_from:.2f} to {each.moved_to:.2f}"
        for each in sorted(moved, key=lambda each: -each.moved_from)[:NAMED]
    ]
    more = f" and {len(moved) - NAMED} more" if len(moved) > NAMED else ""
    entries = sum(len(each.plan.moves) for each in moved if each.plan)
    return f"balance: {entries} entries moved; the busiest queue over its share: {', '.join(devices)}{more}"


def _report(each: _Balanced) -> dict[str, t.Any]:
    plan = each.plan
    return {
        "moves": each.balancer.moved,
        "imbalance": round(plan.before, 3) if plan else None,
        "last": [round(each.moved_from, 3), round(each.moved_to, 3)],
        "planned": len(plan.moves) if plan else 0,
        "dry_run": each.wanted.dry_run,
        "pause": each.balancer.pause,
        "heavy": [[heavy.entry, heavy.queue, round(heavy.part, 3)] for heavy in plan.heavy] if plan else [],
    }
