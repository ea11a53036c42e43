# Copyright (c) 2026, virtnet.rss contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to the collection: the .rodata of a steering program, written before it is loaded and read back from the
# kernel.

from __future__ import annotations

import ctypes
import os
import sys
import time
import typing as t
from dataclasses import dataclass, replace

from ansible_collections.virtnet.rss.plugins.module_utils._bpf.generated import steering_abi
from ansible_collections.virtnet.rss.plugins.module_utils._bpf.steering_builds import FULL, LIVE, PLAIN, object_of
from ansible_collections.virtnet.rss.plugins.module_utils._errors import InputError
from ansible_collections.virtnet.rss.plugins.module_utils._program.features import features_of, read_features
from ansible_collections.virtnet.rss.plugins.module_utils._program.model import Configuration, Guard
from ansible_collections.virtnet.rss.plugins.module_utils._rss.config import RssConfig
from ansible_collections.virtnet.rss.plugins.module_utils._rss.limits import HASH_KEY_SIZE
from ansible_collections.virtnet.rss.plugins.module_utils._rss.toeplitz import lookup_tables
from ansible_collections.virtnet.rss.plugins.module_utils._tun.device_id import DeviceId
from ansible_collections.virtnet.rss.plugins.module_utils._tun.netns import current_namespace

if t.TYPE_CHECKING:
    from ansible_collections.virtnet.rss.plugins.module_utils._bpf.steering_builds import SteeringObject

__all__ = ("NO_WAITING", "OWNER", "Identity", "decode", "encode", "kind_of", "nobodys")

OWNER = b"virtnet.rss"
TABLES = steering_abi.RssConfig.toeplitz.size
# The least work for the verifier; a feature makes it the full program's.
NOTHING = RssConfig(bytes(HASH_KEY_SIZE), 0, (0,), redirect=False)
NO_WAITING = Guard(1, 1)
COARSE = 6  # CLOCK_MONOTONIC_COARSE, whose resolution is the kernel's tick, a jiffy (kernel/time/posix-timers.c)


@dataclass(frozen=True)
class Identity:
    """The device that a program was loaded for, as it was then: it may have been renamed or moved since."""

    name: str
    id: DeviceId


def kind_of(configuration: Configuration) -> SteeringObject:
    """The smallest object that computes it."""
    if configuration.guard:
        return LIVE
    return PLAIN if configuration.rss.is_plain else FULL


def encode(identity: Identity, configuration: Configuration) -> bytes:
    """The section's content: ``struct rodata`` of the object that the configuration needs (generated/*_abi.py); host
    byte order.
    """
    kind = kind_of(configuration)
    abi = kind.abi
    rodata = abi.Rodata()
    name = os.fsencode(identity.name)
    rodata.bpf_metadata_owner = OWNER
    rodata.bpf_metadata_device = name
    steering = rodata.steering
    steering.identity.magic = abi.ABI_MAGIC
    steering.identity.layout_version = abi.ABI_LAYOUT_VERSION
    steering.identity.netns_inode = identity.id.netns_inode
    steering.identity.ifindex = identity.id.ifindex
    steering.identity.device = name
    rss, config = configuration.rss, steering.config
    config.hash_types = rss.hash_types
    config.indirection_mask = len(rss.indirection) - 1
    config.default_queue = rss.default_queue
    config.redirect = rss.redirect
    config.statistics = configuration.statistics
    config.l3_offset = configuration.l3_offset
    config.hash_key[:] = rss.hash_key
    config.indirection[: len(rss.indirection)] = rss.indirection
    tables = lookup_tables(key=rss.hash_key, byteorder=sys.byteorder)
    ctypes.memmove(ctypes.addressof(config.toeplitz), tables, TABLES)
    if kind is not PLAIN:
        # Each object has a class of its own for the same bytes.
        steering.features = abi.Features.from_buffer_copy(features_of(rss))
    if configuration.guard:
        steering.guard = abi.Guard(*configuration.guard, *map(_jiffies, configuration.guard))
    return bytes(rodata)[: kind.rodata_size]


def _jiffies(milliseconds: int) -> int:
    """At least so long."""
    tick = round(time.clock_getres(COARSE) * 1e9)
    return -(-milliseconds * 1_000_000 // tick)


def decode(content: bytes) -> tuple[Identity, Configuration] | None:
    """Identity and configuration out of a program's .rodata; None when it is not what encode() writes.

    Another magic, layout, size, a value out of range, or tables that do not follow from the rest make a program
    somebody else's, whatever its name says.
    """
    kind = object_of(len(content))
    if kind is None:
        return None
    steering = kind.abi.Steering.from_buffer_copy(content)
    device, config = steering.identity, steering.config
    try:
        configuration = Configuration(
            rss=RssConfig(
                hash_key=bytes(config.hash_key),
                hash_types=config.hash_types,
                indirection=tuple(config.indirection[: config.indirection_mask + 1]),
                default_queue=config.default_queue,
                redirect=bool(config.redirect),
                **({} if kind is PLAIN else read_features(steering.features)),
            ),
            statistics=bool(config.statistics),
            l3_offset=config.l3_offset,
            guard=Guard(steering.guard.idle_ms, steering.guard.deadline_ms) if kind is LIVE else None,
        )
    except InputError:
        return None
    identity = Identity(os.fsdecode(device.device), DeviceId(device.netns_inode, device.ifindex))
    return (identity, configuration) if encode(identity, configuration) == content else None


def nobodys(kind: SteeringObject) -> bytes:
    """For a program that is loaded to be looked at, of no device here: whoever looks meanwhile sees that it steers
    nothing in this namespace.
    """
    configuration = Configuration(NOTHING, statistics=False, guard=NO_WAITING if kind is LIVE else None)
    if kind is FULL:
        configuration = replace(configuration, rss=replace(NOTHING, symmetric=True))
    return encode(Identity("", DeviceId(current_namespace().inode, 0)), configuration)
