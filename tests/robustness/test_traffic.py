# SPDX-License-Identifier: GPL-3.0-or-later
"""A part of `tests/robustness/run traffic`: a thousand rounds of attach, replace and detach under traffic."""

from __future__ import annotations

from ansible_collections.virtnet.rss.tests.robustness.traffic import exchange_under_traffic
from ansible_collections.virtnet.rss.tests.support.held_tap import HeldTap

ROUNDS = 1000


def test_a_thousand_rounds_under_traffic(tap: HeldTap) -> None:
    tally = exchange_under_traffic(tap, ROUNDS)
    print(tally)
    assert tally.strange == []
    assert (tally.arrived, tally.doubled, tally.out_of_order) == (tally.sent, 0, 0)
    assert tally.sent > 10 * ROUNDS and tally.during_a_change > ROUNDS, "too little traffic to prove anything"
