# SPDX-License-Identifier: GPL-3.0-or-later
"""What another tool than this collection does to a device that a HeldTap holds."""

from __future__ import annotations

import os
import typing as t

from ansible_collections.virtnet.rss.plugins.module_utils._bpf.libbpf import load_libbpf
from ansible_collections.virtnet.rss.plugins.module_utils._bpf.steering_program import SteeringProgram
from ansible_collections.virtnet.rss.plugins.module_utils._probe.kernel import parse_release
from ansible_collections.virtnet.rss.plugins.module_utils._tun import ioctls
from ansible_collections.virtnet.rss.plugins.module_utils._tun.holders import duplicate_descriptor, find_holders

if t.TYPE_CHECKING:
    from ansible_collections.virtnet.rss.tests.support.held_tap import HeldTap

__all__ = ("STATE", "attach", "control", "detach", "set_program")

# Before Linux 5.11 a module has no BTF: the driver cannot be asked there, and suspicion has to be enough.
_CAN_BE_ASKED = parse_release(os.uname().release) >= (5, 11) or not os.path.exists("/sys/module/tun/initstate")
STATE = "foreign" if _CAN_BE_ASKED else "unknown"  # of a device with such a program


def control(tap: HeldTap) -> int:
    """A descriptor of the device, taken of its holder; the caller closes it."""
    # Other devices of this name may exist in other namespaces.
    holder = next(holder for holder in find_holders()[tap.name] if holder.pid == tap.pid)
    return duplicate_descriptor(holder.pid, holder.descriptor)


def set_program(tap: HeldTap, program: int | None) -> None:
    """Attach a loaded program, given by its descriptor, or detach what is there."""
    descriptor = control(tap)
    try:
        ioctls.set_steering_program(descriptor, program)
    finally:
        os.close(descriptor)


def attach(tap: HeldTap, rodata: bytes, elf: bytes | None = None) -> None:
    """Load a program that this collection would load in another way, and attach it."""
    with SteeringProgram(load_libbpf(), rodata, queues=tap.count, elf=elf) as program:
        set_program(tap, program.descriptor)


def detach(tap: HeldTap) -> None:
    """Back to automatic selection."""
    set_program(tap, None)
