# Copyright (c) 2026, virtnet.rss contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to the collection: a module that knows what was given before Ansible filled in and converted, and that keeps
# secrets to itself, those behind a mistyped option too.

from __future__ import annotations

import copy
import typing as t

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.virtnet.rss.plugins.module_utils._errors import InputError, PlaceError
from ansible_collections.virtnet.rss.plugins.module_utils._module import (  # pylint: disable=unused-import
    compile_once,  # noqa: F401  # what is imported after it costs less
)
from ansible_collections.virtnet.rss.plugins.module_utils._policy.schema import MATCH
from ansible_collections.virtnet.rss.plugins.module_utils._text import described

__all__ = ("GuardedModule", "check_matches", "secrets_of")

SHORTEST = 4  # letters of a secret: a shorter one would be replaced in the middle of harmless words
Spec = t.Mapping[str, t.Mapping[str, t.Any]]


class GuardedModule(AnsibleModule):
    """``given`` is what the task says."""

    def __init__(self, **options: t.Any) -> None:
        """As AnsibleModule."""
        self.given: dict[str, t.Any] = {}
        base: t.Any = super()  # without annotations
        base.__init__(**options)

    def _load_params(self) -> None:
        """Ansible's own step, before it refuses anything: what it refuses is shown as well, with -vvv."""
        base: t.Any = super()
        base._load_params()
        self.given = copy.deepcopy(self.params)
        secrets = sorted(set(secrets_of(self.argument_spec, self.given)))
        self.no_log_values.update(secrets)
        _register(secrets)


def _register(secrets: t.Iterable[str]) -> None:
    """ansible-core 2.22 hides on the controller too what was registered, and does no longer replace it in results."""
    try:
        from ansible.module_utils.secrets import register_secrets
    except ImportError:
        return
    register_secrets(secrets)


def secrets_of(spec: Spec, given: object) -> t.Iterator[str]:
    """The texts behind options that are secret and behind words that are no options: it may be a mistyped key."""
    if isinstance(given, (list, tuple)):
        for item in given:
            yield from secrets_of(spec, item)
    if not isinstance(given, dict):
        return
    for word, value in given.items():
        option = spec.get(word)
        if str(word).startswith("_ansible_"):
            continue
        if option is None or option.get("no_log"):
            yield from _texts(value)
        elif option.get("options"):
            yield from secrets_of(option["options"], value)


def _texts(value: object) -> t.Iterator[str]:
    """A hash key in both of its spellings; each text also as Ansible logs it, who writes a list or a dictionary as
    Python has it: with escapes, which hide a line feed, a quote or a backslash from whoever looks for the text."""
    if isinstance(value, dict):
        for inner in value.values():
            yield from _texts(inner)
    elif isinstance(value, (list, tuple)):
        for inner in value:
            yield from _texts(inner)
    elif value is not None and not isinstance(value, bool) and len(str(value)) >= SHORTEST:
        text = str(value)
        yield from (text, repr(text)[1:-1])
        stripped = text.strip()
        if len(stripped) >= SHORTEST:
            yield stripped
        digits = stripped.replace(":", "")
        if len(digits) >= SHORTEST:
            yield from (digits, ":".join(digits[place : place + 2] for place in range(0, len(digits), 2)))


def check_matches(rules: object) -> None:
    """Before anything is made a text of: null is a variable without a value, and a number or a list as a text matches
    no device. InputError names the place."""
    for number, rule in enumerate(rules if isinstance(rules, list) else ()):
        if isinstance(rule, dict) and "match" in rule:
            _check_match(f"policy: rules[{number}].match", rule["match"])


def _check_match(where: str, match: object) -> None:
    if match is None:
        raise PlaceError(where, f"null is not allowed; it is a dictionary of {', '.join(MATCH)}, or left out")
    for word, value in match.items() if isinstance(match, dict) else ():
        if value is None:
            raise PlaceError(f"{where}.{word}", "null is not allowed; leave the word out, or say what must be so")
        if word in MATCH and MATCH[word].type == "str" and not isinstance(value, str):
            raise _no_text(f"{where}.{word}", value)


def _no_text(where: str, value: object) -> InputError:
    hint = "; put it in quotes" if isinstance(value, (int, float)) else ""
    return PlaceError(where, f"{described(value)} is not allowed; it is a text{hint}")
