# SPDX-License-Identifier: GPL-3.0-or-later
"""A device that makes work again and again waits longer each time (K6, rows 2 and 5)."""

from __future__ import annotations

from ansible_collections.virtnet.rss.plugins.module_utils._service.backoff import CALM, FREE, Backoff
from ansible_collections.virtnet.rss.plugins.module_utils._tun.device_id import DeviceId

ONE, OTHER = DeviceId(1, 7), DeviceId(1, 8)


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


def test_the_first_times_are_put_back_at_once() -> None:
    backoff = Backoff(Clock())
    for _time in range(FREE):
        backoff.put_back(ONE)
        assert not backoff.resting() and backoff.is_troubled(ONE) and not backoff.is_troubled(OTHER)
    backoff.put_back(ONE)
    assert list(backoff.resting()) == [ONE] and "taken off again and again" in backoff.resting()[ONE]


def test_the_rests_double() -> None:
    clock = Clock()
    backoff = Backoff(clock)
    rests = []
    for _time in range(FREE + 10):
        backoff.put_back(ONE)
        begin = clock.now
        while backoff.resting():
            clock.now += 0.25
        rests.append(clock.now - begin)
    assert rests == [0.0] * FREE + [1, 2, 4, 8, 16, 32, 60, 60, 60, 60]


def test_a_device_that_is_calm_begins_anew() -> None:
    clock = Clock()
    backoff = Backoff(clock)
    for _time in range(FREE + 1):
        backoff.put_back(ONE)
    clock.now += CALM + 1
    assert not backoff.is_troubled(ONE)
    backoff.put_back(ONE)
    assert not backoff.resting()


def test_a_shortage_is_tried_again_soon() -> None:
    clock = Clock()
    backoff = Backoff(clock)
    backoff.failed(ONE)
    assert not backoff.due()
    clock.now += 0.5
    assert backoff.due() == {ONE}
    backoff.failed(ONE)
    assert "it has failed" in backoff.resting()[ONE]
    clock.now += 1000  # a failure is not forgotten, whatever its rest is
    assert backoff.due() == {ONE}
    backoff.succeeded(ONE)
    assert not backoff.due() and not backoff.is_troubled(ONE)


def test_what_has_gone_is_forgotten() -> None:
    backoff = Backoff(Clock())
    backoff.failed(ONE)
    backoff.failed(OTHER)
    backoff.forget_all_but({OTHER})
    assert not backoff.is_troubled(ONE) and backoff.is_troubled(OTHER)
