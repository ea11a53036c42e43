# SPDX-License-Identifier: GPL-3.0-or-later
"""A part of `tests/robustness/run parsers`, the same inputs each time."""

from __future__ import annotations

import pytest

from ansible_collections.virtnet.rss.tests.robustness.parsers import SEEDS, fuzz

RUNS = 20_000


@pytest.mark.parametrize("name", SEEDS)
def test_nothing_but_a_sentence(name: str) -> None:
    assert fuzz(name, runs=RUNS) == ""


def test_the_fuzzer_finds_something(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VIRTNET_RSS_FUZZ_PLANT", "1")
    assert "planted" in fuzz("flow", runs=RUNS)
