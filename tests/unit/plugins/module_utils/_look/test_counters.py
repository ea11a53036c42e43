# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from ctypes import sizeof

from ansible_collections.virtnet.rss.plugins.module_utils._bpf.generated import steering_abi, steering_full_abi
from ansible_collections.virtnet.rss.plugins.module_utils._look.counters import REASONS, Counters
from ansible_collections.virtnet.rss.plugins.module_utils._rss.config import VIRTIO_HASH_TYPES

# Ten reasons for each of four queues
COUNTERS = Counters(tuple(tuple(queue * 10 + reason for reason in range(10)) for queue in range(4)))


def test_a_name_for_each_counter() -> None:
    """The plain program counts virtio's types alone."""
    assert sizeof(steering_full_abi.QueueCounters) == 8 * len(REASONS)
    assert sizeof(steering_abi.QueueCounters) == 8 * (1 + len(VIRTIO_HASH_TYPES))


def test_packets_for_each_queue() -> None:
    assert COUNTERS.packets(4) == [45, 145, 245, 345]
    assert COUNTERS.total == 780


def test_the_programs_own_numbers_do_not_fall_when_a_guest_enables_fewer_queues() -> None:
    assert COUNTERS.numbered == [45, 145, 245, 345]


def test_queues_that_are_not_attached() -> None:
    """The driver takes the program's queue modulo the attached ones."""
    assert COUNTERS.packets(2) == [45 + 245, 145 + 345]
    assert COUNTERS.packets(3) == [45 + 345, 145, 245]
    assert COUNTERS.packets(0) == [780]


def test_by_reason() -> None:
    by_reason = COUNTERS.by_reason()
    assert tuple(by_reason) == REASONS[:10] and by_reason["none"] == 60 and by_reason["udpv6_ex"] == 96


def test_since() -> None:
    assert COUNTERS.since(COUNTERS).total == 0
