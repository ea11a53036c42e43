# SPDX-License-Identifier: GPL-3.0-or-later
"""What a real guest receives, asked inside, beside what the reference computes."""

from __future__ import annotations

import typing as t

from ansible_collections.virtnet.rss.plugins.module_utils._rss.config import (
    RssConfig,
)
from ansible_collections.virtnet.rss.plugins.module_utils._rss.hashing import steer
from ansible_collections.virtnet.rss.tests.packets.generate import random_flows
from ansible_collections.virtnet.rss.tests.support.defaults import default_rss

if t.TYPE_CHECKING:
    from ansible_collections.virtnet.rss.tests.support.qemu.guest import Guest

__all__ = ("FLOWS", "KEY", "QUEUES", "assert_received_as", "rss")

KEY = bytes(range(100, 140))
QUEUES = 4
FLOWS = random_flows(seed=9, count=400)


def rss(key: bytes = KEY, queues: int = QUEUES) -> RssConfig:
    return default_rss(key, queues)


def assert_received_as(guest: Guest, expected: RssConfig, *, queues: int = QUEUES) -> None:
    """Each flow arrives on the queue that this configuration gives: those of one queue are sent by themselves."""
    by_queue: list[list[bytes]] = [[] for _queue in range(queues)]
    for frame in FLOWS:
        by_queue[steer(frame, expected).queue].append(frame)
    assert all(by_queue)
    for queue, frames in enumerate(by_queue):
        assert guest.receive(frames) == [len(frames) if other == queue else 0 for other in range(queues)]
