# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import itertools
import os

import pytest

from ansible_collections.virtnet.rss.plugins.module_utils._errors import InputError, PlaceError, sentence_of
from ansible_collections.virtnet.rss.plugins.module_utils._text import (
    as_in_kernel,
    cut,
    printable,
    printable_tree,
    shown,
    written_out,
)

NAMES = [
    (b"tap0", "tap0"),
    (b"tap\xff", r"tap\xff"),
    (rb"tap\xff", r"tap\x5cxff"),
    (b"tap\x1b[2J", r"tap\x1b[2J"),
    (rb"a\b", r"a\b"),
    ("vnet\u5317".encode(), "vnet\u5317"),
    ("a\u202eb".encode(), r"a\u202eb"),
    ("a\u0085".encode(), r"a\u0085"),
    (b"a\x85", r"a\x85"),
]


@pytest.mark.parametrize(("name", "text"), NAMES)
def test_a_name(name: bytes, text: str) -> None:
    inside = name.decode("utf-8", "surrogateescape")
    assert written_out(inside) == text and as_in_kernel(text) == inside
    assert printable(text) == text  # once is enough
    assert text.encode("utf-8").decode().isprintable()


def test_no_two_names_look_alike() -> None:
    """Prometheus takes two series of one name for an error and reads nothing of the file (K1, row 4)."""
    pieces = (b"\\", b"x", b"u", b"ff", b"\xff", b"5c", b"\x7f", b"\xc3\xbf", b"0085", b"\x85", b"\xc2\x85")
    names = {b"".join(letters) for count in range(5) for letters in itertools.product(pieces, repeat=count)}
    inside = [name.decode("utf-8", "surrogateescape") for name in names]
    assert len({written_out(name) for name in inside}) == len(names)
    assert all(os.fsencode(as_in_kernel(written_out(name))) == os.fsencode(name) for name in inside)


def test_a_tree() -> None:
    assert printable_tree({"a\udcff": ["b\x1b", ("c\nd\x07",), 1, None]}) == {
        r"a\xff": [r"b\x1b", ["c\nd\\x07"], 1, None]
    }


KEY = bytes(range(40)).hex()
SHOWN = [
    (None, "null"),
    (True, "true"),
    (-3, "-3"),
    (10**40, "a large number"),
    (float("nan"), "a large number"),
    ("vnet0", "'vnet0'"),
    ("", "''"),
    ("tap\udcff", r"'tap\xff'"),
    ("a" * 61, "a text of 61 letters"),
    (KEY, "a text of 80 letters"),
    (KEY[:40], "a text of 40 letters"),
    (":".join(KEY[i : i + 2] for i in range(0, 40, 2)), "a text of 59 letters"),
    ([KEY], "a list of 1"),
    ({KEY: 1}, "a dictionary of 1"),
    ([], "an empty list"),
    (object(), "a object"),
]


@pytest.mark.parametrize(("value", "text"), SHOWN, ids=[text for _value, text in SHOWN])
def test_shown(value: object, text: str) -> None:
    assert shown(value) == text


def test_only_a_mistyped_word_is_repeated() -> None:
    assert shown("tcp4", ("ipv4", "tcpv4")) == "'tcp4'"
    assert shown("swordfish", ("ipv4", "tcpv4")) == "a text of 9 letters"


def test_the_sentences_of_input_errors() -> None:
    assert str(InputError("queue", 7, "choose of 0 to 3")) == "queue: 7 is not allowed; choose of 0 to 3"
    moved = InputError("queue", 7, "choose of 0 to 3").at("rules[0].queue")
    assert (moved.option, str(moved)) == ("rules[0].queue", "rules[0].queue: 7 is not allowed; choose of 0 to 3")
    assert str(PlaceError("/etc/x", "the folder cannot be read")) == "/etc/x: the folder cannot be read"


def test_an_exception_that_nobody_meant_is_told_without_its_text() -> None:
    empty: dict[str, int] = {}
    with pytest.raises(KeyError) as caught:
        print(empty[KEY])
    assert sentence_of(caught.value).startswith("KeyError in test_text.py, line ")
    assert sentence_of(OSError(2, "No such file", KEY)) == "No such file"
    assert sentence_of(PlaceError("a", "b")) == "a: b"


def test_cut() -> None:
    assert cut("a" * 1000) == "a" * 1000
    assert len(cut("a" * 10**6)) == 1000 and cut("a" * 10**6).endswith("a... (1000000 letters)")
