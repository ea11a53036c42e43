# Copyright (c) 2026, virtnet.rss contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to the collection: which loaded programs are ours, for which device, and how they are configured.

from __future__ import annotations

import os
import sys
import typing as t
from dataclasses import dataclass

from ansible_collections.virtnet.rss.plugins.module_utils._bpf import inventory
from ansible_collections.virtnet.rss.plugins.module_utils._bpf.bpf_object import RODATA_MAP
from ansible_collections.virtnet.rss.plugins.module_utils._bpf.generated import (
    enter_object,
    observe_full_object,
    observe_object,
)
from ansible_collections.virtnet.rss.plugins.module_utils._bpf.generated.steering_live_object import (
    MAP_ENTRY_COUNTERS,
    MAP_QUEUE_COUNTERS,
)
from ansible_collections.virtnet.rss.plugins.module_utils._bpf.live_table import LiveMaps
from ansible_collections.virtnet.rss.plugins.module_utils._bpf.steering_builds import (
    DIRECT,
    HELPER,
    LIVE_MAP,
    OBJECTS,
    PROGRAM,
    object_of,
)
from ansible_collections.virtnet.rss.plugins.module_utils._bpf.steering_program import direct_tag
from ansible_collections.virtnet.rss.plugins.module_utils._program.model import AttachedProgram
from ansible_collections.virtnet.rss.plugins.module_utils._program.rodata import OWNER, decode, nobodys

if t.TYPE_CHECKING:
    from ansible_collections.virtnet.rss.plugins.module_utils._bpf.libbpf import Libbpf
    from ansible_collections.virtnet.rss.plugins.module_utils._program.rodata import Identity

__all__ = ("OURS", "QEMU", "Described", "describe", "describe_all")

OURS, QEMU, OTHER = OWNER.decode(), "qemu", "other"
# What QEMU calls its program (ebpf/rss.bpf.c), as the kernel keeps it: 15 characters.
QEMU_PROGRAM = "tun_rss_steering_prog"[:15]
FDINFO_SIZE = 4096  # a map's has some 200 bytes
# Names and tags of an observer's two programs: the filter of its socket, and where that goes on
OBSERVERS = frozenset(
    (built.PROGRAM, tag)
    for built in (enter_object, observe_object, observe_full_object)
    for tag in built.TAGS[sys.byteorder].values()
)
RODATA_SIZES = frozenset(each.rodata_size for each in OBJECTS)


@dataclass(frozen=True)
class Described:
    """A socket filter, and the device that it was loaded for when it is ours."""

    program: AttachedProgram
    identity: Identity | None = None


def describe_all(libbpf: Libbpf) -> dict[int, Described]:
    """Every loaded socket filter by id; ObjectError EPERM without CAP_SYS_ADMIN."""
    described = {}
    for program_id in inventory.program_ids(libbpf):
        found = describe(libbpf, program_id)
        if found:
            described[program_id] = found
    return described


def describe(libbpf: Libbpf, program_id: int) -> Described | None:
    """One program; None when it has gone or is no socket filter.

    Ours is the one with our name, our very instructions (the tag is a digest of them), and a frozen .rodata that
    decodes.
    """
    descriptor = inventory.open_program(libbpf, program_id)
    if descriptor is None:
        return None
    try:
        program = inventory.program_of(libbpf, descriptor)
    finally:
        os.close(descriptor)
    if program.type != inventory.SOCKET_FILTER or _is_observer(program):
        return None
    decoded, reads = None, ""
    maps, rodata = _maps(libbpf, program.map_ids) if program.name == PROGRAM else ({}, None)
    if rodata:
        reads = _reads(libbpf, program.tag, rodata)
        decoded = decode(rodata) if reads else None
    owner = OURS if decoded else QEMU if program.name == QEMU_PROGRAM else OTHER
    attached = AttachedProgram(
        id=program.id,
        name=program.name,
        tag=program.tag,
        load_time=program.load_time,
        uid=program.uid,
        owner=owner,
        counters_map=maps.get(MAP_QUEUE_COUNTERS) if decoded else None,
        configuration=decoded[1] if decoded else None,
        reads=reads if decoded else "",
        live=_live(maps) if decoded and decoded[1].guard else None,
    )
    return Described(attached, decoded[0] if decoded else None)


def _is_observer(program: inventory.Program) -> bool:
    """Our filter of packet sockets (bpf/observe.bpf.c): it steers nothing, and hides nobody who does."""
    return (program.name, program.tag) in OBSERVERS


def _reads(libbpf: Libbpf, tag: str, rodata: bytes) -> str:
    """How the build with this tag reads packets; "" for instructions that are not ours."""
    kind = object_of(len(rodata))
    if kind is None:
        return ""
    if tag in kind.tags:
        return HELPER
    return DIRECT if tag == direct_tag(libbpf, kind, nobodys(kind)) else ""


def _live(maps: dict[str, int]) -> LiveMaps | None:
    table, packets = maps.get(LIVE_MAP), maps.get(MAP_ENTRY_COUNTERS)
    return None if table is None or packets is None else LiveMaps(table, packets)


def _maps(libbpf: Libbpf, map_ids: tuple[int, ...]) -> tuple[dict[str, int], bytes | None]:
    """A program's maps by name, and the content of its .rodata; None unless it is frozen, for what can still change
    proves nothing."""
    named: dict[str, int] = {}
    rodata = None
    for map_id in map_ids:
        descriptor = inventory.open_map(libbpf, map_id)
        if descriptor is None:
            break
        try:
            info = inventory.map_info(libbpf, descriptor)
            name = os.fsdecode(info.name)
            named[name] = map_id
            if name == RODATA_MAP and info.value_size in RODATA_SIZES and _is_frozen(descriptor):
                rodata = inventory.read_element(libbpf, descriptor, info.value_size)
        finally:
            os.close(descriptor)
    return named, rodata


def _is_frozen(descriptor: int) -> bool:
    fdinfo = os.open(f"/proc/self/fdinfo/{descriptor}", os.O_RDONLY | os.O_CLOEXEC)
    try:
        return b"frozen:\t1" in os.read(fdinfo, FDINFO_SIZE)
    finally:
        os.close(fdinfo)
