# SPDX-License-Identifier: GPL-3.0-or-later
"""A secret in any place of a policy is in no sentence about it (K5, row 1)."""

from __future__ import annotations

import json
import typing as t

import pytest

from ansible_collections.virtnet.rss.plugins.module_utils._errors import InputError
from ansible_collections.virtnet.rss.plugins.module_utils._policy.schema import MATCH, parse_document
from ansible_collections.virtnet.rss.plugins.module_utils._steering.options import RULE_OPTIONS

KEY = bytes(range(200, 240)).hex()
SPELT = ":".join(KEY[place : place + 2] for place in range(0, 80, 2))
SEED = "zzyzx correct horse battery staple"
NUMBER = int("9" * 80)
# How much of a secret may be seen: a third of a key's digits in a row would be much of it.
PIECES = [KEY[10:40], SPELT[30:90], SEED[6:], "9" * 30]
GOOD: dict[str, t.Any] = {"name": "guests", "match": {"device": "tap*"}}


def shapes(secret: t.Any) -> t.Iterator[t.Any]:
    """The secret alone, and where lists and dictionaries may be."""
    yield from (secret, [secret], {"a": secret}, {str(secret): 1}, [[secret]], [{"rules": secret}])


def documents(secret: t.Any) -> t.Iterator[t.Any]:
    """Policies with the secret in each place."""
    for shape in shapes(secret):
        yield shape
        yield {"rules": shape}
        yield {"rules": [shape]}
        for word in ("hashkey", *RULE_OPTIONS):
            yield {"rules": [{**GOOD, word: shape}]}
        for word in ("hash_key", *MATCH):
            yield {"rules": [{**GOOD, "match": {word: shape}}]}
        for word in ("hash_key", *(RULE_OPTIONS["indirection"].options)):
            yield {"rules": [{**GOOD, "indirection": {word: shape}}]}


def sentence(document: t.Any) -> str:
    try:
        parse_document(json.dumps(document), "policy.json")
    except InputError as exc:
        return str(exc)
    return ""


@pytest.mark.parametrize("secret", [KEY, SPELT, SEED, NUMBER], ids=["key", "spelt", "seed", "number"])
def test_no_message_has_it(secret: t.Any) -> None:
    sentences = [sentence(document) for document in documents(secret)]
    assert sum(map(bool, sentences)) > 100
    assert not [text for text in sentences if any(piece in text for piece in PIECES)]
