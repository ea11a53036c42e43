# SPDX-License-Identifier: GPL-3.0-or-later
"""When a pass takes an earlier result for its own."""

from __future__ import annotations

import typing as t
from dataclasses import replace

import pytest

from ansible_collections.virtnet.rss.plugins.module_utils._policy.rules import Match, Policy, Rule
from ansible_collections.virtnet.rss.plugins.module_utils._service.reconcile import Result
from ansible_collections.virtnet.rss.plugins.module_utils._steering.model import Device, Outcome, Step
from ansible_collections.virtnet.rss.plugins.module_utils._tun.device_id import DeviceId
from ansible_collections.virtnet.rss.plugins.module_utils._tun.holders import Holder
from ansible_collections.virtnet.rss.plugins.module_utils._tun.netns import Namespace

DEVICE = Device("tap0", DeviceId(1, 7), 0x1102, queues=4, birth=3, holders=(Holder(10, "qemu", 7, (1000, 3)),))
POLICY = Policy()
PLANNED_WITH = (("web1-nic0",), "fe:54:00:00:00:01")
STEP = Step(DEVICE, "none")
DONE = Result(
    Namespace(1, "/proc/self/ns/net"), DEVICE, Rule("r", Match(), None), Outcome(STEP, "none", DEVICE, changed=False)
)
SETTLED = replace(DONE, policy=POLICY, planned_with=PLANNED_WITH)
OTHERS = [
    DEVICE._replace(birth=4),
    DEVICE._replace(queues=3),
    DEVICE._replace(state="automatic"),
    DEVICE._replace(holders=(Holder(10, "qemu", 7, (1000, 4)),)),
    DEVICE._replace(holders=(Holder(10, "qemu", 8, (1000, 3)),)),
]


def test_nothing_has_changed() -> None:
    assert SETTLED.still_holds(DEVICE._replace(), POLICY, PLANNED_WITH)
    assert replace(SETTLED, rule=None, outcome=None).still_holds(DEVICE, POLICY, PLANNED_WITH)


@pytest.mark.parametrize("device", OTHERS)
def test_the_device_or_its_guest_is_another(device: Device) -> None:
    assert not SETTLED.still_holds(device, POLICY, PLANNED_WITH)


@pytest.mark.parametrize("changed", [((), PLANNED_WITH[1]), (PLANNED_WITH[0], "fe:54:00:00:00:02")])
def test_what_decides_has_changed(changed: tuple[object, ...]) -> None:
    assert not SETTLED.still_holds(DEVICE, POLICY, changed)


def test_another_policy() -> None:
    """However much it is like the one that was asked."""
    assert not SETTLED.still_holds(DEVICE, Policy(), PLANNED_WITH)


@pytest.mark.parametrize("action", ["attach", "replace", "detach", "keep", "fallback", "wait"])
def test_what_was_done_or_could_not_be(action: t.Any) -> None:
    outcome = Outcome(replace(STEP, action=action), action, DEVICE, changed=False)
    assert not replace(SETTLED, outcome=outcome).still_holds(DEVICE, POLICY, PLANNED_WITH)
    assert not replace(SETTLED, outcome=None, reason="the rule names too many queues").still_holds(
        DEVICE, POLICY, PLANNED_WITH
    )
