# SPDX-License-Identifier: GPL-3.0-or-later
"""What was given, before Ansible fills in and converts (K3, rows 6 and 7; K5, row 3)."""

from __future__ import annotations

import re
import typing as t

import pytest
from ansible.module_utils.common.parameters import remove_values

from ansible_collections.virtnet.rss.plugins.module_utils._errors import InputError
from ansible_collections.virtnet.rss.plugins.module_utils._module.guarded import check_matches, secrets_of
from ansible_collections.virtnet.rss.plugins.module_utils._module.host_policy import create_argument_spec
from ansible_collections.virtnet.rss.plugins.module_utils._rss.option import argument_spec
from ansible_collections.virtnet.rss.plugins.module_utils._steering.options import OPTIONS

REFUSED: list[tuple[t.Any, str]] = [
    ({"match": None}, r"policy: rules\[1\].match: null is not allowed"),
    ({"match": {"domain": None}}, r"rules\[1\].match.domain: null is not allowed; leave the word out"),
    ({"match": {"domain": None, "interface": 0}}, r"rules\[1\].match.domain: null"),
    ({"match": {"interface": None}}, r"rules\[1\].match.interface: null"),
    (
        {"match": {"mac": 41135085296}},
        r"rules\[1\].match.mac: 41135085296 is not .* text; put it in quotes",
    ),
    ({"match": {"device": ["vnet*", "tap*"]}}, r"rules\[1\].match.device: a list of 2 is not allowed; it is a text"),
    ({"match": {"device": True}}, r"rules\[1\].match.device: true is not allowed"),
    ({"match": {"netns": {"a": 1}}}, r"rules\[1\].match.netns: a dictionary of 1 is not allowed"),
]


@pytest.mark.parametrize(("rule", "sentence"), REFUSED)
def test_what_can_never_match(rule: t.Any, sentence: str) -> None:
    with pytest.raises(InputError, match=sentence):
        check_matches([{"match": {"device": "tap*"}}, rule])


@pytest.mark.parametrize("rules", [None, "text", [], [7], [{}], [{"match": {"interface": "1", "device": "tap*"}}]])
def test_the_rest_is_left_to_the_schema(rules: t.Any) -> None:
    check_matches(rules)


KEY = bytes(range(40)).hex()
SPELT = ":".join(KEY[place : place + 2] for place in range(0, 80, 2))
SEED = "correct horse battery staple"


@pytest.mark.parametrize("word", ["hash_key", "hash_seed", "hashkey", "hash-key", "key", "HASH_KEY"])
@pytest.mark.parametrize("secret", [KEY, SPELT, SEED])
def test_secrets_and_what_may_be_one(word: str, secret: str) -> None:
    """A mistyped option is refused, and shown with -vvv."""
    assert secret in set(secrets_of(argument_spec(OPTIONS), {"taps": ["tap0"], word: secret}))
    for given in ({word: secret}, {"match": {word: secret}}, {word: [{"a": secret}]}):
        assert secret in set(secrets_of(create_argument_spec(), {"rules": [{"name": "a"}, given]}))


def test_what_is_no_secret() -> None:
    given = {"taps": ["tap0"], "hash_types": ["ipv4"], "default_queue": 3, "_ansible_check_mode": True, "x": "abc"}
    assert set(secrets_of(argument_spec(OPTIONS), given)) == set()


ODD = [
    f"{SEED}\n",
    f"{KEY}\n",
    "correct\\horse battery",
    "both ' and \" quotes",
    "tabs\t and \u200b",
    f" {SEED} ",
]


@pytest.mark.parametrize("secret", ODD)
def test_nothing_of_it_is_logged(secret: str) -> None:
    """Ansible logs options as Python has them, with escapes, and takes what was registered out of that."""
    rules = [{"name": "a", "hash_seed": secret}, {"name": "b", "hash_key": secret}]
    logged = remove_values(str(rules), set(secrets_of(create_argument_spec(), {"rules": rules})))
    assert not [word for word in re.findall(r"\w{4,}", secret) if word in logged], logged
