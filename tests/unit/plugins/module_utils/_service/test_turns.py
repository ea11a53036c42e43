# SPDX-License-Identifier: GPL-3.0-or-later
"""Whose turn it is, of devices that change all the time; by a clock that stands still unless it is told to go."""

from __future__ import annotations

import contextlib
import math
import random

from ansible_collections.virtnet.rss.plugins.module_utils._service.turns import AT_ONCE, LONGEST, PAUSE, Turns
from ansible_collections.virtnet.rss.plugins.module_utils._tun.device_id import DeviceId


class Clock:
    """In seconds."""

    now = 100.0

    def __call__(self) -> float:
        return self.now


def devices(count: int) -> set[DeviceId]:
    return {DeviceId(1, number) for number in range(1, count + 1)}


def test_a_few_and_then_a_pause() -> None:
    clock = Clock()
    turns = Turns(clock)
    assert turns.due_in() == math.inf
    turns.waiting = devices(6)
    assert turns.due_in() == 0
    with turns.turn(bare=()) as chosen:
        clock.now += 0.03125
    assert len(chosen) == AT_ONCE and len(turns.waiting) == 2 and turns.due_in() == PAUSE * 0.03125
    with turns.turn(bare=()) as chosen:
        assert not chosen
    clock.now += PAUSE * 0.03125
    with turns.turn(bare=()) as chosen:
        assert len(chosen) == 2
    assert not turns.waiting and turns.due_in() == math.inf


def test_work_that_has_waited_for_long_keeps_the_others_for_a_second_only() -> None:
    """It has waited for the lock, or a holder has made it wait."""
    clock = Clock()
    turns = Turns(clock)
    turns.waiting = devices(6)
    with turns.turn(bare=()):
        clock.now += 10
    assert turns.due_in() == LONGEST


def test_everybody_has_his_turn() -> None:
    """Whatever wants one each time: nobody waits for longer than all the others take."""
    clock, source = Clock(), random.Random(3)
    for count in (1, 4, 5, 30):
        turns, last = Turns(clock), dict.fromkeys(devices(count), 0)
        for number in range(1, 200):
            turns.waiting = set(last)
            clock.now += turns.due_in()
            with turns.turn(bare=()) as chosen:
                clock.now += source.random()
            last.update(dict.fromkeys(chosen, number))
            assert number - min(last.values()) <= -(-count // AT_ONCE)


def test_who_has_no_program_comes_first() -> None:
    turns, bare = Turns(Clock()), DeviceId(1, 7)
    turns.waiting = devices(7)
    with turns.turn(bare={bare}) as chosen:
        assert bare in chosen


def test_work_that_fails_is_not_forgotten() -> None:
    clock = Clock()
    turns = Turns(clock)
    turns.waiting = devices(2)
    with contextlib.suppress(OSError), turns.turn(bare=()):
        raise OSError
    assert turns.waiting == devices(2)
    turns.rest(0.5)
    assert turns.due_in() == 0.5


def test_who_has_gone_is_forgotten() -> None:
    turns = Turns(Clock())
    turns.waiting = devices(3)
    turns.forget_all_but(devices(1))
    assert turns.waiting == devices(1)
