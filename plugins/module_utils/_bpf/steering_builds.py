# Copyright (c) 2026, virtnet.rss contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to the collection: the steering program's objects, and the two builds of each that read packets differently.

from __future__ import annotations

import sys
import typing as t
from ctypes import sizeof
from dataclasses import dataclass, field

from ansible_collections.virtnet.rss.plugins.module_utils._bpf.bpf_object import BSS_MAP, RODATA_MAP
from ansible_collections.virtnet.rss.plugins.module_utils._bpf.embedded import embedded_object
from ansible_collections.virtnet.rss.plugins.module_utils._bpf.generated import (
    steering_abi,
    steering_full_abi,
    steering_full_object,
    steering_live_abi,
    steering_live_object,
    steering_object,
)

__all__ = (
    "DIRECT",
    "FULL",
    "HELPER",
    "LIVE",
    "LIVE_MAP",
    "OBJECTS",
    "PLAIN",
    "PROGRAM",
    "TAGS_0_1_0",
    "SteeringObject",
    "object_of",
)

PROGRAM, MAP_QUEUE_COUNTERS = steering_object.PROGRAM, steering_object.MAP_QUEUE_COUNTERS
LIVE_MAP = BSS_MAP  # the one variable there is the live table
# How a build reads packets: with inlined loads (two kernel functions that Linux has since 6.2), or by a helper call.
DIRECT, HELPER = "direct", "helper"
# Programs of release 0.1.0 (layout version 1, commit 9c0db9f): they may steer a guest for as long as it runs.
TAGS_0_1_0 = {"little": ("30cf2eb970e252c4", "ea8f8027c266012f"), "big": ("f2a631fa5a006364", "041cab828bc1cb07")}


@dataclass(frozen=True)
class SteeringObject:
    """One object: a layout of .rodata and counters, and code for them in two builds that compute the same."""

    name: str
    abi: t.Any = field(repr=False, compare=False)  # the generated module of its structures
    tags: frozenset[str]  # of the helper build; the direct build's tag differs from kernel to kernel
    _builds: dict[str, str] = field(repr=False, compare=False)
    maps: tuple[str, ...] = (RODATA_MAP, MAP_QUEUE_COUNTERS)

    @property
    def rodata_size(self) -> int:
        """Bytes; no two objects have the same."""
        return int(self.abi.RODATA_SIZE)

    @property
    def counters_size(self) -> int:
        """Bytes of one element of the map of counters."""
        return sizeof(self.abi.QueueCounters)

    def elf(self, reads: str) -> bytes:
        """The build that reads packets that way, DIRECT or HELPER, for this host's byte order."""
        return embedded_object(self._builds[reads])


PLAIN = SteeringObject(
    "plain",
    steering_abi,
    frozenset((*steering_object.TAGS[sys.byteorder].values(), *TAGS_0_1_0[sys.byteorder])),
    {DIRECT: "steering_direct", HELPER: "steering"},
)
FULL = SteeringObject(
    "full",
    steering_full_abi,
    frozenset(steering_full_object.TAGS[sys.byteorder].values()),
    {DIRECT: "steering_full_direct", HELPER: "steering_full"},
)
# The full program with a table that changes while it runs (_bpf/live_table.py).
LIVE = SteeringObject(
    "live",
    steering_live_abi,
    frozenset(steering_live_object.TAGS[sys.byteorder].values()),
    {DIRECT: "steering_live_direct", HELPER: "steering_live"},
    (RODATA_MAP, MAP_QUEUE_COUNTERS, steering_live_object.MAP_ENTRY_COUNTERS, LIVE_MAP),
)
OBJECTS = (PLAIN, FULL, LIVE)


def object_of(rodata_size: int) -> SteeringObject | None:
    """The object whose .rodata has so many bytes."""
    return next((each for each in OBJECTS if each.rodata_size == rodata_size), None)
