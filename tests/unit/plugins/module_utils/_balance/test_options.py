# Copyright (c) 2026, virtnet.rss contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a rule says of balancing, and what program that asks for."""

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.virtnet.rss.plugins.module_utils._balance.options import REBALANCE, Rebalance
from ansible_collections.virtnet.rss.plugins.module_utils._errors import InputError
from ansible_collections.virtnet.rss.plugins.module_utils._program.model import AttachedProgram, Guard
from ansible_collections.virtnet.rss.plugins.module_utils._rss.option import argument_spec
from ansible_collections.virtnet.rss.plugins.module_utils._steering.desired import desired_from
from ansible_collections.virtnet.rss.plugins.module_utils._steering.model import AUTOMATIC, STEERED, Device
from ansible_collections.virtnet.rss.plugins.module_utils._steering.plan import plan
from ansible_collections.virtnet.rss.plugins.module_utils._tun.device_id import DeviceId

DEVICE = Device("tap0", DeviceId(1, 7), 0x1102, queues=4, state=AUTOMATIC)


@pytest.mark.parametrize(
    ("given", "wanted"),
    [
        (None, None),
        (False, None),
        (True, Rebalance()),
        ({}, Rebalance()),
        ({"period": 5, "dry_run": True}, Rebalance(period=5, dry_run=True)),
        ({"threshold": 10, "idle_ms": 20, "deadline_ms": 500}, Rebalance(threshold=10, idle_ms=20, deadline_ms=500)),
    ],
)
def test_the_words_of_a_rule(given: t.Any, wanted: Rebalance | None) -> None:
    assert desired_from({"rebalance": given}).rebalance == wanted


@pytest.mark.parametrize(
    ("given", "place"),
    [
        ("yes", "rebalance"),
        (1, "rebalance"),
        ([], "rebalance"),
        ({"perod": 1}, "rebalance"),
        ({"period": 0}, "rebalance.period"),
        ({"period": True}, "rebalance.period"),
        ({"threshold": 101}, "rebalance.threshold"),
        ({"deadline_ms": 30_001}, "rebalance.deadline_ms"),
        ({"dry_run": 1}, "rebalance.dry_run"),
    ],
)
def test_what_is_wrong_is_refused_with_its_place(given: t.Any, place: str) -> None:
    with pytest.raises(InputError) as caught:
        desired_from({"rebalance": given})
    assert caught.value.option == place


def test_ansible_takes_both_kinds() -> None:
    assert argument_spec({"rebalance": REBALANCE}, bare=True) == {"rebalance": {"type": "raw"}}


def test_the_table_is_long_unless_a_size_is_said() -> None:
    def table(**words: t.Any) -> tuple[int, ...]:
        step = plan(desired_from({"rebalance": True, **words}), DEVICE, new_key=lambda: bytes(40))
        assert step.configuration and step.configuration.guard == Guard(8, 1000)
        return step.configuration.rss.indirection

    assert len(table()) == len(table(indirection={"weight": [3, 1]})) == 512
    assert len(table(indirection={"size": 128})) == 128
    assert table(indirection={"table": [0, 1]}) == (0, 1)


def test_only_what_the_program_computes_asks_for_another_one() -> None:
    def action(before: t.Any, after: t.Any) -> str:
        first = plan(desired_from({"rebalance": before}), DEVICE, new_key=lambda: bytes(40))
        program = AttachedProgram(5, "virtnet_rss", "", configuration=first.configuration)
        steered = DEVICE._replace(state=STEERED, program=program)
        return plan(desired_from({"rebalance": after}), steered, new_key=lambda: bytes(40)).action

    assert action(True, {"period": 7, "threshold": 20, "dry_run": True}) == "none"
    assert action(True, {"idle_ms": 9}) == "replace"
    assert action(True, False) == action(False, True) == "replace"
