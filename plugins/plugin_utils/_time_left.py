# Copyright (c) 2026, virtnet.rss contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to the collection: when a rollout will be over. Its first batches are small, and waiting takes most of their
# time, so what a host has taken so far says little. Runs on the controller; pure.

from __future__ import annotations

import bisect
import itertools
import typing as t
from dataclasses import dataclass

from ansible.utils.helpers import pct_to_int

__all__ = ("Pace", "batch_sizes")


def batch_sizes(hosts: int, serial: t.Sequence[int | str]) -> list[int]:
    """How Ansible cuts a play's hosts into batches, by ``serial``: numbers and percentages, the last of them repeated
    (ansible.executor.playbook_executor, _get_serialized_batches)."""
    serial = serial or [0]
    sizes: list[int] = []
    left = hosts
    while left:
        size = pct_to_int(serial[min(len(sizes), len(serial) - 1)], hosts)
        sizes.append(min(size, left) if size > 0 else left)
        left -= sizes[-1]
    return sizes


@dataclass(frozen=True)
class Pace:
    """What decides how long a batch takes: seconds that it waits, once for all hosts; how many hosts work at once."""

    serial: t.Sequence[int | str]
    waits: float
    forks: int

    def seconds_left(self, *, hosts: int, done: int, seconds: float, waited: bool) -> float:
        """After ``done`` of the hosts in ``seconds``. Where nothing changes, no batch has ``waited``."""
        sizes = batch_sizes(hosts, self.serial)
        over = bisect.bisect(list(itertools.accumulate(sizes)), done)
        before, after = sizes[:over], sizes[over:]
        waits = self.waits if waited else 0.0
        a_round = max(seconds - len(before) * waits, 0.0) / max(self._rounds(before), 1)
        return len(after) * waits + self._rounds(after) * a_round

    def _rounds(self, sizes: t.Sequence[int]) -> int:
        return sum(-(-size // self.forks) for size in sizes)
