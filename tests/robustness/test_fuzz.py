# SPDX-License-Identifier: GPL-3.0-or-later
"""A small part of `tests/robustness/run fuzz`, the same frames each time."""

from __future__ import annotations

import pytest

from ansible_collections.virtnet.rss.tests.packets.configurations import CONFIGURATIONS
from ansible_collections.virtnet.rss.tests.robustness.frames import compare


@pytest.mark.parametrize("seed", range(4))
def test_program_and_reference_agree(seed: int) -> None:
    assert [str(found) for found in compare(seed, 300 * len(CONFIGURATIONS))] == []
