# SPDX-License-Identifier: GPL-3.0-or-later
"""A part of `tests/robustness/run faults`: each n-th system call of attach, replace and detach fails, or
is the last one."""

from __future__ import annotations

import pytest

from ansible_collections.virtnet.rss.tests.robustness.injection import Fault
from ansible_collections.virtnet.rss.tests.robustness.matrix import WORKS, Work, outcome_of, outcomes
from ansible_collections.virtnet.rss.tests.support.held_tap import HeldTap

EVERY = 29


@pytest.mark.parametrize("work", WORKS, ids=lambda work: work.name)
def test_faults(tap: HeldTap, work: Work) -> None:
    found = list(outcomes(tap, work, every=EVERY))
    assert len(found) > 3
    # Which call is the n-th differs a little from run to run; a fault that is not met shows nothing.
    assert sum(outcome.hit for outcome in found) > 0.9 * len(found)
    assert [str(outcome) for outcome in found if outcome.problem] == []


def test_a_program_without_a_name(tap: HeldTap) -> None:
    """libbpf asks once whether the kernel knows names, and leaves them out when that fails; which call it is depends on
    libbpf. Nobody could tell afterwards that such a program is ours."""
    found = [outcome_of(tap, WORKS[0], Fault("kernel", "bpf", number, "EMFILE")) for number in range(8, 20)]
    assert [str(outcome) for outcome in found if outcome.problem] == []


def test_no_lock(tap: HeldTap) -> None:
    outcome = outcome_of(tap, WORKS[1], Fault("kernel", "flock", 1, "ENOLCK"))
    assert (outcome.hit, outcome.ended, outcome.problem) == (True, "old", "")
