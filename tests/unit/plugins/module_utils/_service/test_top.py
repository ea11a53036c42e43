# Copyright (c) 2026, virtnet.rss contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""`virtnet-rss top` fits the screen, however many guests there are (K8, row 16)."""

from __future__ import annotations

import itertools
import json
from types import SimpleNamespace

import pytest

from ansible_collections.virtnet.rss.plugins.module_utils._look.counters import Counters
from ansible_collections.virtnet.rss.plugins.module_utils._look.implementation import Implementation
from ansible_collections.virtnet.rss.plugins.module_utils._look.look import Sighting
from ansible_collections.virtnet.rss.plugins.module_utils._program.model import AttachedProgram
from ansible_collections.virtnet.rss.plugins.module_utils._service import top
from ansible_collections.virtnet.rss.plugins.module_utils._service.top import Rate, screen
from ansible_collections.virtnet.rss.plugins.module_utils._steering.model import STEERED, Device
from ansible_collections.virtnet.rss.plugins.module_utils._tun.device_id import DeviceId
from ansible_collections.virtnet.rss.plugins.module_utils._tun.links import Traffic
from ansible_collections.virtnet.rss.plugins.module_utils._tun.netns import Namespace

HERE = Namespace(4026531840, "/proc/self/ns/net")


def rate(number: int) -> Rate:
    device = Device(f"vnet{number}", DeviceId(4026531840, number), 0x1102, queues=8, state=STEERED)
    return Rate(Sighting(HERE, device, Implementation("ebpf")), 1000.0 - number, tuple(map(float, range(8))))


@pytest.mark.parametrize(("guests", "left_out"), [(300, "and 279 more, less busy"), (21, "")])
def test_many_guests(guests: int, left_out: str) -> None:
    """24 lines, one of them the cursor's; the busiest are there."""
    shown = screen([rate(number) for number in range(guests)], 80, 24).splitlines()
    assert len(shown) <= 23 and max(map(len, shown)) <= 80
    assert [line.split()[0] for line in shown[1:22]] == [f"vnet{number}" for number in range(21)]
    assert "".join(shown[22:]) == left_out


def test_a_program_that_comes_back_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    """It was taken off in one look, and put back in the next: what it has counted before is nobody's rate."""

    def seen(packets: int, program: AttachedProgram | None, counted: int) -> list[Sighting]:
        device = Device("vnet0", DeviceId(1, 1), 0x1102, queues=1, state=STEERED, program=program)
        counters = Counters(((counted,),)) if program else None
        return [Sighting(HERE, device, Implementation("ebpf"), Traffic(packets, 0, 0), counters)]

    old, new = AttachedProgram(7, "x", "y", load_time=1), AttachedProgram(8, "x", "y", load_time=2**62)
    looks = iter([seen(0, old, 10**9), seen(10, None, 0), seen(30, old, 10**9 + 5), seen(60, new, 25)])
    told: list[str] = []
    clock = itertools.count()
    now = {"monotonic": lambda: float(next(clock)), "clock_gettime": lambda _clock: 2.0**62 / 1e9}
    monkeypatch.setattr(top, "time", SimpleNamespace(sleep=lambda _seconds: None, CLOCK_BOOTTIME=7, **now))
    monkeypatch.setattr(top, "say", told.append)
    top.watch_rates(lambda: next(looks), 1, 3, balances=dict, as_json=True)
    rates = [json.loads(line)[0] for line in told]
    assert [each["packets_per_second"] for each in rates] == [10, 20, 30]
    assert [each["queues"] for each in rates] == [[], [5], [25]]


def test_a_few_guests_with_a_bar_for_each_queue() -> None:
    shown = screen([rate(0), rate(1)], 80, 24).splitlines()
    assert len(shown) < 24 and sum("queue" in line for line in shown) == 16
