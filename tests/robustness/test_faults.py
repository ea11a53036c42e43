# SPDX-License-Identifier: GPL-3.0-or-later
"""A part of `tests/robustness/run faults`: each n-th system call of attach, replace and detach fails, or
is the last one."""

from __future__ import annotations

import pytest

from ansible_collections.virtnet.rss.tests.kernel.reader import HeldTap
from ansible_collections.virtnet.rss.tests.robustness.matrix import WORKS, Work, outcomes

EVERY = 17


@pytest.mark.parametrize("work", WORKS, ids=lambda work: work.name)
def test_faults(tap: HeldTap, work: Work) -> None:
    found = list(outcomes(tap, work, every=EVERY))
    assert len(found) > 3 and any(outcome.hit for outcome in found)
    assert [str(outcome) for outcome in found if outcome.problem] == []
