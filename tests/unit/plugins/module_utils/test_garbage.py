# SPDX-License-Identifier: GPL-3.0-or-later
"""Typed garbage for everything that takes what somebody else wrote: an answer or an InputError, and nothing else. The
long fuzzer is tests/robustness/parsers.py."""

from __future__ import annotations

import json
import random
import typing as t

import pytest

from ansible_collections.virtnet.rss.plugins.module_utils._errors import InputError
from ansible_collections.virtnet.rss.plugins.module_utils._look.qemu import parse_arguments
from ansible_collections.virtnet.rss.plugins.module_utils._module.guarded import check_matches, secrets_of
from ansible_collections.virtnet.rss.plugins.module_utils._policy.rules import (
    ABOUT_GUEST,
    Match,
    Policy,
    Rule,
    Subject,
)
from ansible_collections.virtnet.rss.plugins.module_utils._policy.schema import MATCH, RULE, parse_document
from ansible_collections.virtnet.rss.plugins.module_utils._rss.option import argument_spec
from ansible_collections.virtnet.rss.plugins.module_utils._steering.desired import desired_from
from ansible_collections.virtnet.rss.plugins.module_utils._steering.options import OPTIONS
from ansible_collections.virtnet.rss.plugins.module_utils._text import printable_tree, shown

ROUNDS = 300
WORDS = [*RULE, *MATCH, *RULE["indirection"].options, "rules", "type", "tap", "id", "driver", "netdev", "fds", "model"]
LEAVES: list[t.Any] = [
    None,
    True,
    False,
    0,
    -1,
    7,
    10**40,
    1.5,
    float("inf"),
    "",
    "*",
    "[9-0]",
    "\udcff",
    "\ud800",
    "a,b=c",
]
SUBJECTS = (
    Subject("vnet0"),
    Subject("tap\\xff\\x1b[", netns="ns:1", own_netns=False, names=("web1", "")),
    Subject("vnet1", domain="", holders=("q",), interface=2**70, mac="52:54:00:00:00:01"),
    Subject("vnet2", unknown=ABOUT_GUEST),
)
ASKED = Policy((Rule("", Match(device="vnet*", domain="a*", interface=0, mac="52:*", holder="q*"), None),))


def garbage(source: random.Random, depth: int = 4) -> t.Any:
    """A value of any type, with words that mean something here."""
    kind = source.randrange(5) if depth else 0
    if kind == 3:
        return [garbage(source, depth - 1) for _item in range(source.randrange(4))]
    if kind == 4:
        return {source.choice(WORDS): garbage(source, depth - 1) for _item in range(source.randrange(5))}
    return source.choice([*LEAVES, *WORDS])


def policy(given: t.Any) -> None:
    asked(given)


def rules(given: t.Any) -> None:
    """What is no match at all is refused: words of one, with garbage behind them."""
    match = given if isinstance(given, dict) else dict.fromkeys(list(MATCH)[len(str(given)) % len(MATCH) :], given)
    asked({"match": match})


def asked(given: t.Any) -> None:
    """A rule that is taken answers."""
    found = Policy(parse_document(json.dumps({"rules": [given]}), "policy.json").rules)
    for subject in SUBJECTS:
        found.ask(subject)
        found.complement().ask(subject)


def qemu(given: t.Any) -> None:
    for option in ("-nic", "-netdev", "-device", "-name", "-object", "-global"):
        guest = parse_arguments(["qemu", option, json.dumps(given), "-nic", "tap,model=virtio"])
        for nic in guest.nics:
            guest.nic_of("tap0", nic.descriptors, "fe:54:00:00:00:01")
            ASKED.ask(Subject("tap0", domain=guest.name, interface=nic.index, mac=nic.mac))


def module(given: t.Any) -> None:
    list(secrets_of(argument_spec(OPTIONS), given))
    check_matches([given])


def told(given: t.Any) -> None:
    json.dumps(printable_tree({"x": given})).encode("ascii")
    shown(given).encode("utf-8")


PARSERS: dict[str, t.Callable[[t.Any], object]] = {
    "policy": policy,
    "rules": rules,
    "qemu": qemu,
    "module": module,
    "task": lambda given: desired_from(given if isinstance(given, dict) else {"hash_types": given}),
    "told": told,
}


@pytest.mark.parametrize("name", PARSERS)
@pytest.mark.parametrize("seed", range(4))
def test_garbage(name: str, seed: int) -> None:
    source, taken = random.Random(f"{name} {seed}"), 0
    for _round in range(ROUNDS):
        given = garbage(source)
        try:
            PARSERS[name](given)
        except InputError as exc:
            text = str(exc)
        else:
            text, taken = "", taken + 1
        assert "\n" not in text, given
    assert taken or name in ("policy", "task")  # some of it is right
