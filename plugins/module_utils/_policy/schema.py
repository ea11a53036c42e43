# Copyright (c) 2026, virtnet.rss contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to the collection: the one schema of a policy, from JSON to rules. A mistake anywhere refuses the whole, with
# a sentence that names the place.

from __future__ import annotations

import json
import typing as t

from ansible_collections.virtnet.rss.plugins.module_utils._errors import InputError
from ansible_collections.virtnet.rss.plugins.module_utils._policy.rules import Match, Rule
from ansible_collections.virtnet.rss.plugins.module_utils._rss.config import VIRTIO_HASH_TYPES
from ansible_collections.virtnet.rss.plugins.module_utils._rss.indirection import indirection_table
from ansible_collections.virtnet.rss.plugins.module_utils._rss.limits import check_queue
from ansible_collections.virtnet.rss.plugins.module_utils._steering.desired import desired_from

__all__ = (
    "CHOICES",
    "INDIRECTION",
    "MATCH",
    "NUMBER",
    "NUMBERS",
    "SETTINGS",
    "SWITCH",
    "TEXT",
    "TEXTS",
    "has_key",
    "parse_rules",
)

STATES = ("present", "absent", "ignore")
TEXT, NUMBER, SWITCH, NUMBERS, TEXTS = "a text", "a whole number", "true or false", "a list of whole numbers", "a list"
MATCH: dict[str, str] = {
    "device": TEXT,
    "netns": TEXT,
    "holder": TEXT,
    "domain": TEXT,
    "interface": NUMBER,
    "mac": TEXT,
}
INDIRECTION: dict[str, str] = {"equal": NUMBER, "weight": NUMBERS, "table": NUMBERS, "start": NUMBER, "size": NUMBER}
SETTINGS: dict[str, str] = {
    "hash_types": TEXTS,
    "hash_key": TEXT,
    "default_queue": NUMBER,
    "redirect": SWITCH,
    "statistics": SWITCH,
    "allow_future_queues": SWITCH,
    "verify": SWITCH,
}
CHOICES: dict[str, tuple[str, ...]] = {
    "state": STATES,
    "foreign": ("keep", "replace", "fail"),
    "fallback": ("disable", "keep", "fail"),
}
RULE_WORDS = ("name", "match", "indirection", *SETTINGS, *CHOICES)


def parse_rules(text: str, where: str) -> list[Rule]:
    """The rules of one document, ``{"rules": [...]}``; ``where`` begins the sentence of an InputError."""
    try:
        document = json.loads(text)
    except ValueError as exc:
        raise InputError(where, "the document", f"it is no JSON: {exc}") from None
    except RecursionError:
        raise InputError(where, "the document", "it is nested too deeply") from None
    rules = _dictionary(where, document, ("rules",)).get("rules")
    if not isinstance(rules, list):
        raise InputError(f"{where}: rules", rules, "it is a list of rules")
    return [_rule(f"{where}: rules[{number}]", given) for number, given in enumerate(rules)]


def has_key(text: str) -> bool:
    """Whether a document holds a secret; False as well for one that is no document."""
    try:
        rules = json.loads(text).get("rules")
        return any(rule.get("hash_key") is not None for rule in rules)
    except (ValueError, AttributeError, TypeError, RecursionError):
        return False


def _rule(where: str, given: object) -> Rule:
    rule = _dictionary(where, given, RULE_WORDS)
    name = rule.get("name", "")
    _check_type(f"{where}.name", name, TEXT)
    match = _dictionary(f"{where}.match", rule.get("match", {}), tuple(MATCH))
    for word, value in match.items():
        _check_type(f"{where}.match.{word}", value, MATCH[word])
    if "mac" in match:
        match = {**match, "mac": match["mac"].lower()}
    for word, choices in CHOICES.items():
        if rule.get(word, choices[0]) not in choices:
            raise InputError(f"{where}.{word}", rule[word], f"choose of {', '.join(choices)}")
    for word, kind in SETTINGS.items():
        if rule.get(word) is not None:
            _check_type(f"{where}.{word}", rule[word], kind)
    _check_values(where, rule)
    if rule.get("state") == "ignore":
        return Rule(name, Match(**match), None)
    settings = {word: value for word, value in rule.items() if value is not None}
    return Rule(name, Match(**match), desired_from(settings), settings.get("verify", True))


def _check_values(where: str, rule: dict[str, t.Any]) -> None:
    """What can be known without a device; the key's value stays out of every sentence."""
    for number, name in enumerate(rule.get("hash_types") or ()):
        if name not in VIRTIO_HASH_TYPES:
            raise InputError(f"{where}.hash_types[{number}]", name, f"choose of {', '.join(VIRTIO_HASH_TYPES)}")
    indirection = rule.get("indirection")
    try:
        if rule.get("hash_key") is not None:
            desired_from({"hash_key": rule["hash_key"]})
        check_queue("default_queue", rule.get("default_queue") or 0)
        if indirection is not None:
            _check_indirection(where, indirection)
    except InputError as exc:
        place = exc.option if exc.option.startswith(where) else f"{where}.{exc.option}"
        raise InputError(place, exc.value, exc.allowed) from None


def _check_indirection(where: str, given: object) -> None:
    words = _dictionary(f"{where}.indirection", given, tuple(INDIRECTION))
    for word, value in words.items():
        _check_type(f"{where}.indirection.{word}", value, INDIRECTION[word])
    kinds = [word for word in ("equal", "weight", "table") if word in words]
    # Without one of them it is equal over the queues that will be attached: any number does for the check.
    indirection_table(**(words if kinds else {**words, "equal": 1}))


def _dictionary(where: str, given: object, words: tuple[str, ...]) -> dict[str, t.Any]:
    if not isinstance(given, dict):
        raise InputError(where, given, f"it is a dictionary of {', '.join(words)}")
    for word in given:
        if word not in words:
            raise InputError(where, word, f"its words are {', '.join(words)}")
    return given


def _check_type(where: str, value: object, kind: str) -> None:
    def number(item: object) -> bool:
        return isinstance(item, int) and not isinstance(item, bool)

    fits = {
        TEXT: isinstance(value, str),
        NUMBER: number(value),
        SWITCH: isinstance(value, bool),
        NUMBERS: isinstance(value, list) and all(map(number, value)),
        TEXTS: isinstance(value, list) and all(isinstance(item, str) for item in value),
    }
    if not fits[kind]:
        shown = "a secret" if where.endswith(".hash_key") else value
        raise InputError(where, shown, f"it is {kind}")
