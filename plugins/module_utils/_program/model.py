# Copyright (c) 2026, virtnet.rss contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to the collection: a steering program, as it is wanted and as it is found. Immutable values, no I/O.

from __future__ import annotations

import typing as t
from dataclasses import dataclass, field

if t.TYPE_CHECKING:
    from ansible_collections.virtnet.rss.plugins.module_utils._bpf.live_table import LiveMaps
    from ansible_collections.virtnet.rss.plugins.module_utils._rss.config import RssConfig

__all__ = ("ETHERNET", "AttachedProgram", "Configuration", "Guard")

ETHERNET = 14  # where layer 3 starts behind an Ethernet header


class Guard(t.NamedTuple):
    """When an entry of a live table changes its queue: silent for so long, or waiting for so long."""

    idle_ms: int
    deadline_ms: int


@dataclass(frozen=True)
class Configuration:
    """All that a steering program of ours computes from. With a guard its table is live: the indirection table of
    ``rss`` is where each entry begins, and says what part of the traffic each queue shall have."""

    rss: RssConfig
    statistics: bool = True
    l3_offset: int = ETHERNET
    guard: Guard | None = None

    @property
    def queues(self) -> int:
        """One more than the highest queue that the configuration can name."""
        pinned = [pin.queue for pin in self.rss.pins]
        return max(*self.rss.indirection, self.rss.default_queue, *pinned) + 1


@dataclass(frozen=True)
class AttachedProgram:
    """The program that steers a device, as the kernel tells it; ``configuration`` only for one of ours."""

    id: int
    name: str
    tag: str
    load_time: int = 0  # nanoseconds since boot
    uid: int = 0
    owner: str = "other"  # virtnet.rss, qemu or other
    counters_map: int | None = field(default=None, compare=False)  # id; of one of ours
    configuration: Configuration | None = None
    reads: str = ""  # how one of ours reads packets: direct or helper
    live: LiveMaps | None = field(default=None, compare=False)  # of one of ours with a live table
