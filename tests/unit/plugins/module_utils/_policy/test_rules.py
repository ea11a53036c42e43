# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import pytest

from ansible_collections.virtnet.rss.plugins.module_utils._policy.rules import Match, Policy, Rule, Subject
from ansible_collections.virtnet.rss.plugins.module_utils._steering.model import Desired

SUBJECT = Subject("vnet0")
GUESTS = Match(device="vnet*")
NEEDS_GUEST: list[tuple[list[Match], int | None]] = [
    ([GUESTS, Match(domain="router-*")], None),
    ([Match(domain="router-*"), GUESTS], 0),
    ([Match(holder="qemu*"), GUESTS], 0),
    ([Match(mac="52:*"), GUESTS], 0),
    ([Match(interface=0), GUESTS], 0),
    # rules that cannot be for this device, whatever its guest is
    ([Match(device="tap*", domain="router-*"), GUESTS], None),
    ([Match(netns="pod", domain="router-*"), GUESTS], None),
    ([Match(device="tap*"), Match(device="vnet*", domain="router-*")], 1),
    ([], None),
]


@pytest.mark.parametrize(("matches", "first"), NEEDS_GUEST)
def test_the_rule_that_needs_the_guest(matches: list[Match], first: int | None) -> None:
    rules = tuple(Rule(str(number), match, None) for number, match in enumerate(matches))
    found = Policy(rules).rule_that_needs_guest(SUBJECT)
    assert (int(found.name) if found else None) == first


@pytest.mark.parametrize(
    ("subject", "released"),
    [
        (Subject("vnet0"), False),  # steered
        (Subject("vnet1"), False),  # given automatic selection by the policy itself
        (Subject("router0"), True),  # ignored, although a later rule would steer it
        (Subject("tap0"), True),  # not spoken of
        (Subject("vnet0", own_netns=False), True),  # not spoken of in that namespace, which has no name
    ],
)
def test_the_complement(subject: Subject, released: bool) -> None:
    """Each device is for the policy or for its complement, and for one of them only."""
    policy = Policy(
        (
            Rule("routers", Match(device="router*"), None),
            Rule("automatic", Match(device="vnet1"), Desired(present=False)),
            Rule("guests", Match(device="*et*"), Desired()),
            Rule("router0, too late", Match(device="router0"), Desired()),
        )
    )
    rule = policy.complement().rule_for(subject)
    assert rule and (rule.desired is not None and not rule.desired.present) == released
