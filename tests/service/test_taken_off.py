# SPDX-License-Identifier: GPL-3.0-or-later
"""A holder that takes its program off all the time costs nobody else anything: it waits longer each time."""

from __future__ import annotations

import time

from ansible_collections.virtnet.rss.tests.support import foreign
from ansible_collections.virtnet.rss.tests.support.held_tap import HeldTap
from ansible_collections.virtnet.rss.tests.support.running import Running
from ansible_collections.virtnet.rss.tests.support.steered import RULE, info

SECONDS = 12.0
MOST = 8  # five at once, the next after 1, 2 and 4 seconds


def test_whole_passes_do_not_end_the_memory_of_it(service: Running, tap: HeldTap) -> None:
    """A whole pass finds a device that rests without a program. That makes it no new one."""
    service.write(RULE)
    service.start("--full", "1")
    end, taken_off = time.monotonic() + SECONDS, 0
    while time.monotonic() < end:
        if info()["state"] == "steered":
            foreign.detach(tap)
            taken_off += 1
        time.sleep(0.05)
    assert 3 < taken_off <= MOST
    assert taken_off - service.status()["reapplied"] in (0, 1)  # the last one may rest
