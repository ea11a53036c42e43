# Copyright (c) 2026, virtnet.rss contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""`virtnet-rss top` fits the screen, however many guests there are (K8, row 16)."""

from __future__ import annotations

import pytest

from ansible_collections.virtnet.rss.plugins.module_utils._look.implementation import Implementation
from ansible_collections.virtnet.rss.plugins.module_utils._look.look import Sighting
from ansible_collections.virtnet.rss.plugins.module_utils._service.top import Rate, screen
from ansible_collections.virtnet.rss.plugins.module_utils._steering.model import STEERED, Device
from ansible_collections.virtnet.rss.plugins.module_utils._tun.device_id import DeviceId
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


def test_a_few_guests_with_a_bar_for_each_queue() -> None:
    shown = screen([rate(0), rate(1)], 80, 24).splitlines()
    assert len(shown) < 24 and sum("queue" in line for line in shown) == 16
