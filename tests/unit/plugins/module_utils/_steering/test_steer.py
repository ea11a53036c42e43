# SPDX-License-Identifier: GPL-3.0-or-later
"""How often a device is planned for that is another one each time."""

from __future__ import annotations

import typing as t
from types import SimpleNamespace

import pytest

from ansible_collections.virtnet.rss.plugins.module_utils._program.model import AttachedProgram
from ansible_collections.virtnet.rss.plugins.module_utils._program.programs import OURS
from ansible_collections.virtnet.rss.plugins.module_utils._steering import steer as module
from ansible_collections.virtnet.rss.plugins.module_utils._steering.hand import MovedError
from ansible_collections.virtnet.rss.plugins.module_utils._steering.model import STEERED, Device, Outcome, Step
from ansible_collections.virtnet.rss.plugins.module_utils._tun.device_id import DeviceId

BARE = Device("tap0", DeviceId(1, 1), 0, 4)


def ours(number: int) -> Device:
    return BARE._replace(state=STEERED, program=AttachedProgram(number, "x", "y", owner=OURS))


def steered(first: Device, found: t.Callable[[int], Device]) -> tuple[Outcome | None, int]:
    """The outcome where the device is another one at every try, and how many tries there were."""
    tries: list[Step] = []

    def apply(step: Step) -> Outcome:
        tries.append(step)
        raise MovedError("tap0: something has changed since it was looked at")

    outcome = module.steer(
        first,
        plan_for=lambda device: Step(device, "replace"),
        observer=t.cast("t.Any", SimpleNamespace(device=lambda _id: found(len(tries)), with_holders=lambda it: it)),
        apply=apply,
    )
    return outcome, len(tries)


@pytest.mark.parametrize("program", [ours(7), BARE], ids=["ours", "none"])
def test_a_holder_that_changes_its_queues_all_the_time_is_left_soon(program: Device) -> None:
    """Though our program is on it: nobody else of us was quicker, for it was there before."""
    outcome, tries = steered(program, lambda number: program._replace(queues=number % 4 + 1))
    assert tries == module.ATTEMPTS and outcome and outcome.action == "wait"


def test_other_runs_of_ours_are_waited_for() -> None:
    outcome, tries = steered(ours(1), lambda number: ours(number + 1 if number < 50 else 51))
    assert tries == 50 + module.ATTEMPTS and outcome and outcome.action == "wait"
