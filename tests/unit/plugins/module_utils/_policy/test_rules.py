# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import time

import pytest

from ansible_collections.virtnet.rss.plugins.module_utils._policy.rules import (
    ABOUT_CARD,
    ABOUT_GUEST,
    Answer,
    Match,
    Policy,
    Rule,
    Subject,
)
from ansible_collections.virtnet.rss.plugins.module_utils._steering.model import Desired

SUBJECT = Subject("vnet0", unknown=ABOUT_GUEST)
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
    answer = Policy(rules).ask(SUBJECT)
    assert (int(answer.rule.name) if answer.rule and answer.missing else None) == first


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
    rule = policy.complement().ask(subject).rule
    assert rule and (rule.desired is not None and not rule.desired.present) == released


CARD = Subject("vnet3", domain="web", unknown=ABOUT_CARD)
MISSING: list[tuple[list[Match], tuple[int | None, tuple[str, ...]]]] = [
    # a card that was plugged in later: a rule for its address may be meant, and no later one takes its place
    ([Match(mac="52:54:00:00:00:01"), GUESTS], (0, ("mac",))),
    ([Match(domain="web", interface=2, mac="52:*"), GUESTS], (0, ("interface", "mac"))),
    # what is known speaks against it
    ([Match(domain="db", mac="52:*"), GUESTS], (1, ())),
    # the rule before decides without it
    ([Match(domain="web"), Match(mac="52:*")], (0, ())),
    ([Match(netns="pod", mac="52:*")], (None, ())),
]


@pytest.mark.parametrize(("matches", "expected"), MISSING)
def test_what_is_not_known_is_missing(matches: list[Match], expected: tuple[int | None, tuple[str, ...]]) -> None:
    rules = tuple(Rule(str(number), match, None) for number, match in enumerate(matches))
    first, words = expected
    assert Policy(rules).ask(CARD) == Answer(None if first is None else rules[first], words)


def test_an_alternative_name_is_a_name() -> None:
    subject = Subject("vnet3", names=("web1-nic0",))
    assert Match(device="web1-*")(subject) and Match(device="vnet3")(subject) and not Match(device="db*")(subject)


def test_thousands_of_rules_and_hundreds_of_devices() -> None:
    """fnmatch keeps 256 patterns and compiled each of the others again: 61 seconds with Python 3.9 (K1, row 10)."""
    policy = Policy(tuple(Rule(str(n), Match(device=f"vnet{n}-*", domain=f"web-{n}*"), None) for n in range(2400)))
    policy.ask(Subject("first"))
    begin = time.process_time()
    for number in range(240):
        assert policy.ask(Subject(f"tap{number}", domain="x")).rule is None
    assert time.process_time() - begin < 5
