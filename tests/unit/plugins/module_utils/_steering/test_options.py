# SPDX-License-Identifier: GPL-3.0-or-later
"""What the documentation says of an option is what the one table of options says."""

from __future__ import annotations

import typing as t

import pytest
import yaml

from ansible_collections.virtnet.rss.plugins.doc_fragments.rules import ModuleDocFragment as Rules
from ansible_collections.virtnet.rss.plugins.module_utils._errors import InputError
from ansible_collections.virtnet.rss.plugins.module_utils._rss.option import Option, Options, argument_spec, checked
from ansible_collections.virtnet.rss.plugins.module_utils._steering.desired import desired_from
from ansible_collections.virtnet.rss.plugins.module_utils._steering.model import Desired
from ansible_collections.virtnet.rss.plugins.module_utils._steering.options import OPTIONS, RULE_OPTIONS
from ansible_collections.virtnet.rss.plugins.modules import tap_steering

DOCUMENTED = yaml.safe_load(tap_steering.DOCUMENTATION)["options"]
DOCUMENTED_RULE = yaml.safe_load(Rules.DOCUMENTATION)["options"]["rules"]["suboptions"]


def told(documented: dict[str, t.Any], *, bare: bool = False) -> dict[str, t.Any]:
    """The argument spec that the documentation promises, without what it cannot tell."""
    found = {}
    for name, text in documented.items():
        words = ("type", "elements", "choices", "required", *([] if bare else ["default"]))
        found[name] = {word: text[word] for word in words if word in text}
        if "suboptions" in text:
            found[name]["options"] = told(text["suboptions"], bare=bare)
    return found


def expected(options: Options, *, bare: bool = False) -> dict[str, t.Any]:
    """The argument spec, without what the documentation cannot tell."""

    def stripped(spec: dict[str, t.Any]) -> dict[str, t.Any]:
        kept = {word: value for word, value in spec.items() if word not in ("no_log", "mutually_exclusive")}
        if "options" in kept:
            kept["options"] = {name: stripped(inner) for name, inner in kept["options"].items()}
        return kept

    spec = argument_spec(options, bare=bare)
    return {name: stripped(words) for name, words in spec.items()}


def test_the_module_documents_the_table() -> None:
    assert told(DOCUMENTED) == expected(OPTIONS)


def test_a_rule_documents_the_table() -> None:
    rule = {name: text for name, text in DOCUMENTED_RULE.items() if name not in ("name", "match")}
    assert told(rule) == expected(RULE_OPTIONS, bare=True)


def test_defaults_are_those_of_the_dataclass() -> None:
    assert desired_from({}) == Desired()


def wrong_values(option: Option) -> list[t.Any]:
    """Of another type, and out of range."""
    other: dict[str, list[t.Any]] = {
        "str": [7, True, ["a"], {}],
        "int": ["7", True, 1.5, [1], {}],
        "bool": ["yes", 1, [True]],
        "list": ["a", 7, {"a": 1}, [object()]],
        "dict": ["a", [1], {"no such word": 1}],
    }
    found = list(other[option.type])
    if option.range:
        outside = [option.range[0] - 1, option.range[1] + 1]
        found += outside if option.type == "int" else [[number] for number in outside]
    if option.choices:
        found.append("no such word" if option.type == "str" else ["no such word"])
    if option.most:
        found.append([option.range[0] if option.range else {"queue": 0}] * (option.most + 1))
    return found


def every_option(options: Options, *place: str) -> t.Iterator[tuple[tuple[str, ...], Option]]:
    for name, option in options.items():
        yield (*place, name), option
        yield from every_option(option.options, *place, name)


EVERY = list(every_option(OPTIONS))


@pytest.mark.parametrize(("place", "option"), EVERY, ids=[".".join(place) for place, _option in EVERY])
def test_what_is_wrong_is_refused_with_its_place(place: tuple[str, ...], option: Option) -> None:
    for wrong in wrong_values(option):
        outer = {place[0]: OPTIONS[place[0]]}
        value: t.Any = wrong if len(place) == 1 else {place[1]: wrong}
        if len(place) == 2 and outer[place[0]].type == "list":
            value = [value]
        with pytest.raises(InputError) as caught:
            checked(outer, {place[0]: value})
        assert caught.value.option.startswith(place[0])
        assert place[-1] in caught.value.option or "no such word" in str(caught.value)


def test_texts_of_templates() -> None:
    given = {"default_queue": "3", "redirect": "no", "indirection": {"equal": "4"}}
    assert checked(OPTIONS, {**given, "taps": ["a"]}, texts=True) == {
        "default_queue": 3,
        "redirect": False,
        "indirection": {"equal": 4},
        "taps": ["a"],
    }
    with pytest.raises(InputError, match="default_queue"):
        checked({"default_queue": OPTIONS["default_queue"]}, {"default_queue": "three"}, texts=True)


def test_at_most_one_kind_of_table() -> None:
    with pytest.raises(InputError, match=r"indirection: .*exactly one"):
        checked(OPTIONS, {"taps": ["a"], "indirection": {"equal": 4, "table": [1]}})
