# SPDX-License-Identifier: GPL-3.0-or-later
"""What a holder takes off is put back as it was, and who does it all the time costs nobody else anything."""

from __future__ import annotations

import time

from ansible_collections.virtnet.rss.tests.support import foreign
from ansible_collections.virtnet.rss.tests.support.eventually import eventually
from ansible_collections.virtnet.rss.tests.support.held_tap import HeldTap
from ansible_collections.virtnet.rss.tests.support.loaded import our_programs
from ansible_collections.virtnet.rss.tests.support.run_module import run_module
from ansible_collections.virtnet.rss.tests.support.running import Running
from ansible_collections.virtnet.rss.tests.support.steered import (
    OTHER_KEY,
    RULE,
    assert_steered,
    info,
    wait_until_steered,
)

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


def test_the_very_program_comes_back(service: Running, tap: HeldTap) -> None:
    """No other key, of a rule that names none: flows keep their queues, and the counters go on."""
    service.write({key: value for key, value in RULE.items() if key != "hash_key"})
    service.start()
    before = info()
    tap.send([bytes(60)])
    for number in range(1, 4):
        foreign.detach(tap)
        service.wait_until_put_back(number)
    after = info()
    assert after["program"] == before["program"]
    assert after["config"] == before["config"]
    assert after["counters"]["packets"] == before["counters"]["packets"] + 1


def test_another_policy_has_another_program(service: Running, tap: HeldTap) -> None:
    """What the device had before comes back for none but its own configuration."""
    service.write(RULE)
    service.start()
    former = info()["program"]["id"]
    service.write({**RULE, "hash_key": OTHER_KEY.hex()})
    eventually(lambda: info()["program"]["id"] != former, 3)
    second = info()["program"]["id"]
    foreign.detach(tap)
    service.wait_until_put_back(1)
    assert info()["program"]["id"] == second
    assert_steered(tap, OTHER_KEY)


def test_what_a_task_has_replaced_does_not_come_back(service: Running, tap: HeldTap) -> None:
    """Nor does its key, which may be why it was replaced."""
    service.write({key: value for key, value in RULE.items() if key != "hash_key"})
    service.start("--watch", "0.1")
    former = info()
    run_module("tap_steering", {"taps": ["tap0"], "hash_key": OTHER_KEY.hex()})
    replaced = info()
    time.sleep(1)
    assert info()["program"] == replaced["program"]  # it is as the rule wants it, and the service has seen it
    foreign.detach(tap)
    service.wait_until_put_back(1)
    keys = {each["config"]["hash_key"] for each in (former, replaced, info())}
    assert len(keys) == 3


def test_nothing_is_kept_of_who_has_gone(service: Running) -> None:
    """Neither the program of a device that is gone, nor of one that the policy has given up."""
    others = our_programs()
    service.write(RULE)
    service.start()
    with HeldTap("tap0"):
        wait_until_steered()
        assert our_programs() - others
    eventually(lambda: not our_programs() - others, 2)
    with HeldTap("tap0"):
        wait_until_steered()
        service.write({**RULE, "state": "absent"})
        eventually(lambda: not our_programs() - others, 2)
