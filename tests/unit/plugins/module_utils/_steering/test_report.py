# Copyright (c) 2026, virtnet.rss contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The words in which a device and its steering are told."""

from __future__ import annotations

from dataclasses import replace

import pytest

from ansible_collections.virtnet.rss.plugins.module_utils._program.model import AttachedProgram, Configuration
from ansible_collections.virtnet.rss.plugins.module_utils._rss.config import RssConfig
from ansible_collections.virtnet.rss.plugins.module_utils._rss.keys import fingerprint
from ansible_collections.virtnet.rss.plugins.module_utils._steering.model import (
    AUTOMATIC,
    STEERED,
    Device,
    Fallback,
    Outcome,
    Step,
)
from ansible_collections.virtnet.rss.plugins.module_utils._steering.report import (
    configuration_report,
    outcome_report,
    program_report,
)
from ansible_collections.virtnet.rss.plugins.module_utils._tun.device_id import DeviceId

KEY = bytes(range(40))
CONFIGURATION = Configuration(RssConfig(KEY, 0x3, (0, 1, 2, 3) * 32, default_queue=2), statistics=False)
BEFORE = Device("tap0", DeviceId(1, 7), 0x1102, queues=4, state=AUTOMATIC)
AFTER = BEFORE._replace(
    state=STEERED, program=AttachedProgram(5, "tun_steering", "ab" * 8, configuration=CONFIGURATION)
)
ATTACHED = Outcome(Step(BEFORE, "attach", CONFIGURATION), "attach", AFTER, changed=True, verified=True, way="copied")


def test_a_configuration_in_the_words_of_the_options() -> None:
    told = configuration_report(CONFIGURATION)
    assert told is not None
    assert told["hash_types"] == ["ipv4", "tcpv4"]
    assert told["indirection"]["equal"] == 4
    assert (told["default_queue"], told["redirect"], told["statistics"]) == (2, True, False)


def test_the_key_is_never_told() -> None:
    told = configuration_report(CONFIGURATION)
    assert told is not None and told["hash_key"] == fingerprint(KEY)
    assert KEY.hex() not in repr(told) and repr(KEY) not in repr(told)


def test_nothing_is_told_of_nothing() -> None:
    assert configuration_report(None) is None and program_report(None) is None


def test_an_outcome() -> None:
    told = outcome_report(ATTACHED, netns="blue", check=False)
    assert (told["name"], told["netns"], told["action"], told["changed"]) == ("tap0", "blue", "attach", True)
    assert (told["before"]["state"], told["after"]["state"], told["state"]) == (AUTOMATIC, STEERED, STEERED)
    assert told["program"]["id"] == 5 and told["config"] == told["after"]["config"]
    assert (told["verified"], told["reached"], told["fallback"]) == (True, "copied", None)


@pytest.mark.parametrize("new_key", [True, False])
def test_check_mode_promises_no_program_and_no_key_that_it_made_up(new_key: bool) -> None:
    outcome = replace(ATTACHED, step=replace(ATTACHED.step, new_key=new_key))
    told = outcome_report(outcome, netns="", check=True)
    assert told["program"] is None
    assert told["config"]["hash_key"] == ("a new random key" if new_key else fingerprint(KEY))


def test_a_fallback_is_told_with_its_stage_and_error() -> None:
    fallback = Fallback("load", "permission denied", errno=1, log="line 1")
    told = outcome_report(Outcome(ATTACHED.step, "fallback", BEFORE, False, fallback=fallback), netns="", check=False)
    assert told["fallback"] == {"stage": "load", "reason": "permission denied", "errno": 1, "verifier_log": "line 1"}
    assert told["state"] == AUTOMATIC and told["config"] is None
