# Copyright (c) 2026, virtnet.rss contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to the collection: an option of a module, a word of a policy, a word of a filter: one description for all.

from __future__ import annotations

import typing as t
from dataclasses import dataclass, field

from ansible_collections.virtnet.rss.plugins.module_utils._errors import InputError, PlaceError
from ansible_collections.virtnet.rss.plugins.module_utils._text import described

__all__ = ("Option", "Options", "argument_spec", "checked", "defaults")

KINDS = {"str": "a text", "int": "a whole number", "bool": "true or false", "list": "a list", "dict": "a dictionary"}
PLURALS = {"str": "texts", "int": "whole numbers", "dict": "dictionaries"}
SWITCHES = {"true": True, "yes": True, "on": True, "false": False, "no": False, "off": False}


@dataclass(frozen=True)
class Option:
    """What may be given: the words are those of Ansible's argument spec, and what it does not know is below them."""

    type: str = "str"  # or int, bool, list, dict
    elements: str = ""  # of a list: str, int, dict
    default: t.Any = None
    choices: tuple[str, ...] = ()  # of a text, or of each text of a list
    options: t.Mapping[str, Option] = field(default_factory=dict)  # of a dictionary, or of each one of a list
    alone: tuple[str, ...] = ()  # of these sub-options at most one is given
    required: bool = False
    no_log: bool = False
    range: tuple[int, int] | None = None  # of a number, or of each number of a list
    allowed: str = ""  # the same in words of the field
    most: int | None = None  # so many elements of a list
    switch: bool = False  # of a dictionary: true stands for one without words, false for none


Options = t.Mapping[str, Option]


def argument_spec(options: Options, *, bare: bool = False) -> dict[str, dict[str, t.Any]]:
    """The options as Ansible takes them.

    Bare, for a list of rules: without defaults, so that what is not given is None, and without what Ansible would
    refuse in a sentence that does not name the rule (``checked`` does).
    """
    return {name: _spec(option, bare) for name, option in options.items()}


def _spec(option: Option, bare: bool) -> dict[str, t.Any]:
    if option.switch:
        return {"type": "raw"}  # Ansible knows no type for both
    spec: dict[str, t.Any] = {"type": option.type}
    if option.elements:
        spec["elements"] = option.elements
    if option.choices and not (bare and option.elements):
        spec["choices"] = list(option.choices)
    if option.options:
        spec["options"] = argument_spec(option.options, bare=bare)
    if option.alone and not bare:
        spec["mutually_exclusive"] = [option.alone]
    if option.default is not None and not bare:
        spec["default"] = list(option.default) if option.type == "list" else option.default
    if option.required:
        spec["required"] = True
    if option.no_log:
        spec["no_log"] = True
    return spec


def defaults(options: Options) -> dict[str, t.Any]:
    """What holds where nothing is given."""
    return {name: option.default for name, option in options.items() if option.default is not None}


def checked(options: Options, given: object, where: str = "", *, texts: bool = False) -> dict[str, t.Any]:
    """The words that are given, each of its type and in its range; null is not given. InputError names the place.

    With ``texts`` a number or a switch may be written as a text, as templates of Ansible hand it over.
    """
    if not isinstance(given, dict):
        raise _wrong(where, given, f"a dictionary of {', '.join(options)}")
    for word in given:
        if word not in options:
            raise InputError(where or "options", word, f"its words are {', '.join(options)}", words=options)
    found = {
        word: _value(options[word], value, f"{where}.{word}" if where else word, texts)
        for word, value in given.items()
        if value is not None
    }
    missing = [word for word, option in options.items() if option.required and word not in found]
    if missing:
        raise InputError(f"{where}.{missing[0]}" if where else missing[0], None, "it is needed")
    return found


def _value(option: Option, value: t.Any, where: str, texts: bool) -> t.Any:
    if option.switch and isinstance(value, bool):
        return value
    if option.switch and not isinstance(value, dict):
        raise _wrong(where, value, f"true, false or a dictionary of {', '.join(option.options)}")
    if option.type == "dict":
        found = checked(option.options, value, where, texts=texts)
        if sum(word in found for word in option.alone) > 1:
            raise InputError(where, value, f"of {', '.join(option.alone)} give exactly one")
        return found
    if option.type == "list":
        return _list(option, value, where, texts)
    return _scalar(option, option.type, value, where, texts)


def _list(option: Option, value: t.Any, where: str, texts: bool) -> list[t.Any]:
    kind = f"a list of {PLURALS[option.elements]}"
    if not isinstance(value, (list, tuple)):
        raise _wrong(where, value, kind)
    if option.most is not None and len(value) > option.most:
        raise InputError(where, value, f"at most {option.most} are allowed")
    if option.elements == "dict":
        return [checked(option.options, item, f"{where}[{place}]", texts=texts) for place, item in enumerate(value)]
    return [_scalar(option, option.elements, item, f"{where}[{place}]", texts) for place, item in enumerate(value)]


def _scalar(option: Option, kind: str, given: t.Any, where: str, texts: bool) -> t.Any:
    value = _converted(kind, given) if texts and isinstance(given, str) else given
    if not _is_of(kind, value):
        raise PlaceError(where, f"it is {KINDS[kind]}") if option.no_log else _wrong(where, value, KINDS[kind])
    if option.choices and value not in option.choices:
        raise InputError(where, value, f"choose of {', '.join(option.choices)}", words=option.choices)
    if option.range and not option.range[0] <= value <= option.range[1]:
        raise InputError(where, value, option.allowed or "it is a number from {} to {}".format(*option.range))
    return value


def _wrong(where: str, value: object, kind: str) -> InputError:
    """Nothing is said of the content: it may be a hash key in a wrong place."""
    return PlaceError(where, f"{described(value)} is not allowed; it is {kind}")


def _is_of(kind: str, value: object) -> bool:
    """A switch is no number, though it is one to Python. What Ansible hands over is of types derived from these."""
    if isinstance(value, bool):
        return kind == "bool"
    return isinstance(value, {"str": str, "int": int, "bool": bool}[kind])


def _converted(kind: str, text: str) -> t.Any:
    """A number or a switch; the text itself where it is none, for the check that follows."""
    if kind == "bool":
        return SWITCHES.get(text.lower(), text)
    if kind == "int":
        try:
            return int(text)
        except ValueError:
            return text
    return text
