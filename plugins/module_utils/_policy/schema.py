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
from ansible_collections.virtnet.rss.plugins.module_utils._rss.indirection import indirection_table
from ansible_collections.virtnet.rss.plugins.module_utils._rss.option import Option, checked
from ansible_collections.virtnet.rss.plugins.module_utils._steering.desired import desired_from
from ansible_collections.virtnet.rss.plugins.module_utils._steering.options import RULE_OPTIONS

__all__ = ("MATCH", "RULE", "has_key", "parse_rules")

MATCH = {
    "device": Option(),
    "netns": Option(),
    "holder": Option(),
    "domain": Option(),
    "interface": Option("int"),
    "mac": Option(),
}
RULE = {"name": Option(), "match": Option("dict", options=MATCH), **RULE_OPTIONS}


def parse_rules(text: str, where: str) -> list[Rule]:
    """The rules of one document, ``{"rules": [...]}``; ``where`` begins the sentence of an InputError."""
    try:
        document = json.loads(text)
    except ValueError as exc:
        raise InputError(where, "the document", f"it is no JSON: {exc}") from None
    except RecursionError:
        raise InputError(where, "the document", "it is nested too deeply") from None
    rules = _only_rules(where, document).get("rules")
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


def _only_rules(where: str, document: object) -> dict[str, t.Any]:
    if not isinstance(document, dict):
        raise InputError(where, document, "it is a dictionary of rules")
    for word in document:
        if word != "rules":
            raise InputError(where, word, "its words are rules")
    return document


def _rule(where: str, given: object) -> Rule:
    rule = checked(RULE, given, where)
    match = rule.get("match", {})
    for word, value in ((t.cast("dict[str, t.Any]", given)).get("match") or {}).items():
        if value is None:  # a variable without a value must not make a rule for every device
            raise InputError(f"{where}.match.{word}", value, "leave the word out, or say what must be so")
    if "mac" in match:
        match = {**match, "mac": match["mac"].lower()}
    state = rule.get("state", "present")
    settings = {**rule, "state": "present"} if state == "ignore" else rule
    try:
        desired = desired_from(settings)
        _check_table(rule.get("indirection"))
    except InputError as exc:
        raise InputError(f"{where}.{exc.option}", exc.value, exc.allowed) from None
    return Rule(rule.get("name", ""), Match(**match), None if state == "ignore" else desired)


def _check_table(words: dict[str, t.Any] | None) -> None:
    """What can be known without a device."""
    if words is not None:
        kinds = [word for word in ("equal", "weight", "table") if word in words]
        # Without one of them it is equal over the queues that will be attached: any number does for the check.
        indirection_table(**(words if kinds else {**words, "equal": 1}))
