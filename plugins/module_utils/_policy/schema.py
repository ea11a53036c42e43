# Copyright (c) 2026, virtnet.rss contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to the collection: the one schema of a policy, from JSON to rules. A mistake anywhere refuses the whole, with
# a sentence that names the place.

from __future__ import annotations

import json
import re
import typing as t
from dataclasses import dataclass

from ansible_collections.virtnet.rss.plugins.module_utils._errors import InputError, PlaceError
from ansible_collections.virtnet.rss.plugins.module_utils._names.patterns import compile_pattern, is_pattern
from ansible_collections.virtnet.rss.plugins.module_utils._policy.rules import Match, Rule
from ansible_collections.virtnet.rss.plugins.module_utils._rss.indirection import indirection_table
from ansible_collections.virtnet.rss.plugins.module_utils._rss.option import Option, checked
from ansible_collections.virtnet.rss.plugins.module_utils._steering.desired import desired_from
from ansible_collections.virtnet.rss.plugins.module_utils._steering.options import RULE_OPTIONS
from ansible_collections.virtnet.rss.plugins.module_utils._text import described, holds_key

__all__ = ("MATCH", "RULE", "Document", "parse_document")

MATCH = {
    "device": Option(),
    "netns": Option(),
    "holder": Option(),
    "domain": Option(),
    "interface": Option("int"),
    "mac": Option(),
}
LONGEST_DEVICE = 127  # bytes: ALTIFNAMSIZ less the terminating zero
MAC_WITH_WILDCARDS = re.compile(r"[0-9a-f:*?!\[\]-]+")
MAC = re.compile(r"[0-9a-f]{2}(:[0-9a-f]{2}){5}")
SECRETS = ("hash_key", "hash_seed")
RULE = {"name": Option(), "match": Option("dict", options=MATCH), **RULE_OPTIONS}


@dataclass(frozen=True)
class Document:
    """A policy file's content."""

    rules: tuple[Rule, ...]
    given: tuple[dict[str, t.Any], ...]  # the same rules as they are written, keys and all

    @property
    def has_key(self) -> bool:
        """Whether it holds a secret."""
        return any(rule.get(word) is not None for rule in self.given for word in SECRETS)


def parse_document(text: str, where: str) -> Document:
    """One document, ``{"rules": [...]}``; ``where`` begins the sentence of an InputError."""
    try:
        document = json.loads(text)
    except ValueError as exc:
        raise PlaceError(where, f"the document is no JSON: {exc}") from None
    except RecursionError:
        raise PlaceError(where, "the document is nested too deeply") from None
    rules = _only_rules(where, document).get("rules")
    if not isinstance(rules, list):
        raise _wrong(f"{where}: rules", rules, "a list of rules")
    parsed = (_rule(f"{where}: rules[{number}]", given) for number, given in enumerate(rules))
    return Document(tuple(parsed), tuple(rules))


def _only_rules(where: str, document: object) -> dict[str, t.Any]:
    if not isinstance(document, dict):
        raise _wrong(where, document, "a dictionary of rules")
    for word in document:
        if word != "rules":
            raise InputError(where, word, "its words are rules", words=("rules",))
    return document


def _rule(where: str, given: object) -> Rule:
    rule = checked(RULE, given, where)
    if holds_key(rule.get("name", "")):
        raise PlaceError(f"{where}.name", "it holds a hash key, and names are shown everywhere")
    match = _match(f"{where}.match", t.cast("dict[str, t.Any]", given).get("match", {}))
    state = rule.get("state", "present")
    settings = {**rule, "state": "present"} if state == "ignore" else rule
    try:
        desired = desired_from(settings)
        _check_table(rule.get("indirection"))
    except InputError as exc:
        raise exc.at(f"{where}.{exc.option}") from None
    return Rule(rule.get("name", ""), match, None if state == "ignore" else desired)


def _match(where: str, given: t.Any) -> Match:
    """What can never match is refused: a rule that is passed over in silence lets the next one have its devices, and
    one that a variable without a value has left without a condition is for every device."""
    if given is None:
        raise _wrong(where, given, f"a dictionary of {', '.join(MATCH)}")
    for word, value in given.items():
        if value is None:
            raise PlaceError(f"{where}.{word}", "null is not allowed; leave the word out, or say what must be so")
    words = checked(MATCH, given, where)
    if "mac" in words:
        words["mac"] = words["mac"].lower()
    for word, value in words.items():
        _check_match(f"{where}.{word}", word, value)
    return Match(**words)


def _check_match(where: str, word: str, value: t.Any) -> None:
    if word == "interface":
        if value < 0:
            raise InputError(where, value, "network cards are numbered from 0")
        return
    if not value and word != "netns":  # the host's own namespace has no name
        raise PlaceError(where, "an empty text is not allowed; nothing is called so, leave the word out")
    compile_pattern(where, value)
    if word == "mac" and not (MAC_WITH_WILDCARDS if is_pattern(value) else MAC).fullmatch(value):
        raise _wrong(where, value, "six pairs of hexadecimal digits with colons, or a pattern for them")
    if word == "device" and not _can_name_a_device(value):
        raise _wrong(where, value, "the name of a device or a pattern for it, without white space, slash and line feed")


def _can_name_a_device(value: str) -> bool:
    letters = not any(letter.isspace() or letter == "/" for letter in value)
    return letters and (is_pattern(value) or len(value.encode("utf-8", "surrogateescape")) <= LONGEST_DEVICE)


def _wrong(where: str, value: object, kind: str) -> InputError:
    return PlaceError(where, f"{described(value)} is not allowed; it is {kind}")


def _check_table(words: dict[str, t.Any] | None) -> None:
    """What can be known without a device."""
    if words is not None:
        kinds = [word for word in ("equal", "weight", "table") if word in words]
        # Without one of them it is equal over the queues that will be attached: any number does for the check.
        indirection_table(**(words if kinds else {**words, "equal": 1}))
