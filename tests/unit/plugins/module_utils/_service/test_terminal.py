# Copyright (c) 2026, virtnet.rss contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from ansible_collections.virtnet.rss.plugins.module_utils._service.terminal import table

HEAD = ("device", "queues", "reason")


def test_columns() -> None:
    assert table(HEAD, [["vnet0", 4, ""], ["vnet10", 16, "why"]]).splitlines() == [
        "device  queues  reason",
        "vnet0   4",
        "vnet10  16      why",
    ]


def test_a_long_last_column_goes_on_below_itself() -> None:
    reason = "a sentence that is longer than the rest of the line"
    assert table(HEAD, [["vnet0", 4, reason], ["vnet1", 4, "short"]], 40).splitlines() == [
        "device  queues  reason",
        "vnet0   4       a sentence that is",
        "                longer than the rest of",
        "                the line",
        "vnet1   4       short",
    ]


def test_nothing_to_obey_reaches_a_terminal() -> None:
    assert table(("device",), [["tap\x1b[2J"]]) == "device\ntap\\x1b[2J"
