# Copyright (c) 2026, virtnet.rss contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to the collection: what a rule may say of balancing.

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from ansible_collections.virtnet.rss.plugins.module_utils._rss.option import Option

__all__ = ("REBALANCE", "Rebalance", "rebalance_from")


@dataclass(frozen=True)
class Rebalance:
    """What a rule says of it."""

    period: int = 1  # seconds
    threshold: int = 5  # percent that a queue may have beyond its share
    idle_ms: int = 8
    deadline_ms: int = 1000
    dry_run: bool = False  # only tell


# The deadline is less than 2^16 jiffies on every kernel (bpf/abi.h).
REBALANCE = Option(
    "dict",
    options={
        "period": Option("int", default=Rebalance.period, range=(1, 3600)),
        "threshold": Option("int", default=Rebalance.threshold, range=(1, 100)),
        "idle_ms": Option("int", default=Rebalance.idle_ms, range=(1, 10_000)),
        "deadline_ms": Option("int", default=Rebalance.deadline_ms, range=(1, 30_000)),
        "dry_run": Option("bool", default=Rebalance.dry_run),
    },
    switch=True,
)


def rebalance_from(given: t.Mapping[str, t.Any] | bool | None) -> Rebalance | None:
    """From the checked words of a rule, or its switch; None: the table stays as it is."""
    if given is None or given is False:
        return None
    return Rebalance(**({} if given is True else given))
