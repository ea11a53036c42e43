# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import fnmatch
import itertools
import re
import time

import pytest

from ansible_collections.virtnet.rss.plugins.module_utils._errors import InputError
from ansible_collections.virtnet.rss.plugins.module_utils._names.patterns import compile_pattern, is_pattern

WORDS = r"a * ** ? a* *a *a*b* [ab]* [!a] []a] [!]a] [a-b]? [a-] [ a[ [] [*] [?]b a.b ^a$ (a) [[] [-a] a|b *[ \a [\]"
PATTERNS = [*WORDS.split(), "[^a]", "", "a\n*", "?\n", "[a-b-c]"]
TEXTS = ["".join(letters) for count in range(4) for letters in itertools.product("ab]-[\n", repeat=count)]


@pytest.mark.parametrize("pattern", PATTERNS)
def test_as_fnmatch(pattern: str) -> None:
    fits = compile_pattern("name", pattern).fullmatch
    assert {text for text in TEXTS if fits(text)} == {text for text in TEXTS if fnmatch.fnmatchcase(text, pattern)}


@pytest.mark.parametrize(("pattern", "range_"), [("vnet[9-0]", "9-0"), ("[!z-a]*", "z-a"), ("[a-cx-b]", "x-b")])
def test_a_range_that_is_backwards(pattern: str, range_: str) -> None:
    """re.error up to Python 3.9 (K1, row 5)."""
    with pytest.raises(InputError, match=f"^--netns: the pattern .* has the range {range_}, which is backwards$"):
        compile_pattern("--netns", pattern)


def test_a_name_cannot_make_it_slow() -> None:
    begin = time.process_time()
    assert not compile_pattern("name", "*a*a*a*a*a*a*a*b").fullmatch("a" * 255)
    assert time.process_time() - begin < 0.5


@pytest.mark.parametrize("letter", [*map(chr, range(1, 256)), "\udcff", "\u202e"])
def test_every_letter_is_itself(letter: str) -> None:
    if not is_pattern(letter) and letter != "]":
        assert _fits(letter, letter) and _fits(f"[,{letter}]", letter)
    assert isinstance(compile_pattern("name", f"[{letter}"), re.Pattern)


def _fits(pattern: str, name: str) -> bool:
    return compile_pattern("name", pattern).fullmatch(name) is not None
