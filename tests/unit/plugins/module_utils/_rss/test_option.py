# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.virtnet.rss.plugins.module_utils._errors import InputError
from ansible_collections.virtnet.rss.plugins.module_utils._rss.option import Option, checked

OPTIONS = {"text": Option(), "number": Option("int"), "switch": Option("bool"), "numbers": Option("list", "int")}


class TaggedText(str):
    """As ansible-core 2.19 hands over what a template gave."""


class TaggedNumber(int):
    """The same of a number."""


@pytest.mark.parametrize(
    "given",
    [
        {"text": TaggedText("a")},
        {"number": TaggedNumber(3)},
        {"numbers": [TaggedNumber(3), 4]},
        {"switch": True, "text": "", "number": None},
    ],
)
def test_taken(given: dict[str, t.Any]) -> None:
    assert checked(OPTIONS, given) == {word: value for word, value in given.items() if value is not None}


@pytest.mark.parametrize(
    "given",
    [
        {"text": 1},
        {"text": True},
        {"number": True},
        {"number": "3"},
        {"switch": 1},
        {"numbers": [True]},
        {"numbers": 3},
    ],
)
def test_refused(given: dict[str, t.Any]) -> None:
    with pytest.raises(InputError, match=next(iter(given))):
        checked(OPTIONS, given)
