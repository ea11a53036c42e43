# Copyright (c) 2026, virtnet.rss contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest

from ansible_collections.virtnet.rss.plugins.module_utils._look.spread import excess, spread


@pytest.mark.parametrize(
    ("packets", "expected"),
    [([25, 25, 25, 25], 1.0), ([100, 0, 0, 0], 4.0), ([30, 20], 1.2), ([0, 0], None), ([7], 1.0)],
)
def test_spread(packets: list[int], expected: float | None) -> None:
    assert spread(packets) == expected


@pytest.mark.parametrize(
    ("packets", "table", "expected"),
    [
        ([25, 25, 25, 25], (0, 1, 2, 3), 1.0),
        ([40, 20, 20, 20], (0, 1, 2, 3), 1.6),
        ([75, 25], (0, 0, 0, 1), 1.0),  # as the weights want it
        ([50, 50], (0, 0, 0, 1), 2.0),
        ([10, 45, 45], (1, 2), 0.9),  # queue 0 has no entry: what is there came by the default queue
        ([50, 50], (0, 1, 2, 3), 1.0),  # the driver takes them modulo two
        ([0, 0], (0, 1), 1.0),
    ],
)
def test_excess(packets: list[int], table: tuple[int, ...], expected: float) -> None:
    assert excess(packets, table) == expected
