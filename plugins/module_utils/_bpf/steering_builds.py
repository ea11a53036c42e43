# Copyright (c) 2026, virtnet.rss contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to the collection: the steering program's objects, and the two builds of each that read packets differently.

from __future__ import annotations

import sys
from ctypes import sizeof
from dataclasses import dataclass, field

from ansible_collections.virtnet.rss.plugins.module_utils._bpf.bpf_object import embedded_object
from ansible_collections.virtnet.rss.plugins.module_utils._bpf.generated import (
    steering_abi,
    steering_direct_object,
    steering_full_abi,
    steering_full_direct_object,
    steering_full_object,
    steering_object,
)

__all__ = ("DIRECT", "FULL", "HELPER", "OBJECTS", "PLAIN", "PROGRAM", "TAGS_0_1_0", "SteeringObject", "object_of")

PROGRAM = steering_object.PROGRAM
# How a build reads packets: with inlined loads (two kernel functions that Linux has since 6.2), or by a helper call.
DIRECT, HELPER = "direct", "helper"
# Programs of release 0.1.0 (layout version 1, commit 9c0db9f): they may steer a guest for as long as it runs.
TAGS_0_1_0 = {"little": ("30cf2eb970e252c4", "ea8f8027c266012f"), "big": ("f2a631fa5a006364", "041cab828bc1cb07")}


@dataclass(frozen=True)
class SteeringObject:
    """One object: a layout of .rodata and counters, and code for them in two builds that compute the same."""

    name: str
    rodata_size: int  # bytes; no two objects have the same
    counters_size: int  # bytes of one element of the map of counters
    tags: frozenset[str]  # of the helper build; the direct build's tag differs from kernel to kernel
    _builds: dict[str, dict[str, str]] = field(repr=False, compare=False)

    def elf(self, reads: str) -> bytes:
        """The build that reads packets that way, DIRECT or HELPER, for this host's byte order."""
        return embedded_object(self._builds[reads])


PLAIN = SteeringObject(
    "plain",
    steering_abi.RODATA_SIZE,
    sizeof(steering_abi.QueueCounters),
    frozenset((*steering_object.TAGS[sys.byteorder].values(), *TAGS_0_1_0[sys.byteorder])),
    {DIRECT: steering_direct_object.OBJECTS, HELPER: steering_object.OBJECTS},
)
FULL = SteeringObject(
    "full",
    steering_full_abi.RODATA_SIZE,
    sizeof(steering_full_abi.QueueCounters),
    frozenset(steering_full_object.TAGS[sys.byteorder].values()),
    {DIRECT: steering_full_direct_object.OBJECTS, HELPER: steering_full_object.OBJECTS},
)
OBJECTS = (PLAIN, FULL)


def object_of(rodata_size: int) -> SteeringObject | None:
    """The object whose .rodata has so many bytes."""
    return next((each for each in OBJECTS if each.rodata_size == rodata_size), None)
