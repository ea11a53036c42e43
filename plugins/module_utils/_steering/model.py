# Copyright (c) 2026, virtnet.rss contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to the collection: what steering is made of. Immutable values, no I/O.

from __future__ import annotations

import typing as t
from dataclasses import dataclass, field

from ansible_collections.virtnet.rss.plugins.module_utils._rss.config import (
    DEFAULT_HASH_TYPES,
    DEFAULT_TUNNEL_PORTS,
    DEFAULT_TUNNEL_TYPES,
    Pin,
    TunnelPorts,
    hash_types_to_mask,
    tunnel_types_to_mask,
)

if t.TYPE_CHECKING:
    from ansible_collections.virtnet.rss.plugins.module_utils._balance.options import Rebalance
    from ansible_collections.virtnet.rss.plugins.module_utils._program.model import AttachedProgram, Configuration
    from ansible_collections.virtnet.rss.plugins.module_utils._tun.device_id import DeviceId
    from ansible_collections.virtnet.rss.plugins.module_utils._tun.holders import Holder

__all__ = (
    "AUTOMATIC",
    "FOREIGN",
    "STEERED",
    "UNKNOWN",
    "Desired",
    "Device",
    "Fallback",
    "Indirection",
    "Outcome",
    "Step",
)

# States of a device: our program steers it, none does, somebody else's does, it cannot be told.
STEERED, AUTOMATIC, FOREIGN, UNKNOWN = "steered", "automatic", "foreign", "unknown"


class Device(t.NamedTuple):
    """The truth about one TAP device at the moment of the look. (Of a host with thousands, a look makes thousands.)"""

    name: str
    id: DeviceId
    tun_flags: int
    queues: int  # attached (enabled) queues
    disabled_queues: int = 0
    holders: tuple[Holder, ...] = ()  # where they have been looked for
    state: str = UNKNOWN
    reason: str = ""  # why the state is unknown
    program: AttachedProgram | None = None
    birth: int = 0  # no other device has this number until the host is started anew; 0: it cannot be told
    vnet_header: int | None = None  # bytes in front of each packet
    owner: int | None = None  # user who may open it

    @property
    def ifindex(self) -> int:
        """In its network namespace."""
        return self.id.ifindex

    @property
    def netns_inode(self) -> int:
        """Of the network namespace that it is in."""
        return self.id.netns_inode

    @property
    def is_held(self) -> bool:
        """Somebody has a queue of it open, whether that process can be seen or not."""
        return bool(self.queues or self.disabled_queues or self.holders)


@dataclass(frozen=True)
class Indirection:
    """The indirection table in the words of ``ethtool -X``; exactly one of equal, weight and table, or none of them."""

    equal: int | None = None
    weight: tuple[int, ...] | None = None
    table: tuple[int, ...] | None = None
    start: int = 0
    size: int | None = None  # None: by the number of queues


@dataclass(frozen=True)
class Desired:
    """What a task asks for, for each device alike."""

    present: bool = True
    hash_types: int = hash_types_to_mask(DEFAULT_HASH_TYPES)
    tunnel_types: int = tunnel_types_to_mask(DEFAULT_TUNNEL_TYPES)
    tunnel_ports: TunnelPorts = DEFAULT_TUNNEL_PORTS
    symmetric: bool = False
    pins: tuple[Pin, ...] = ()
    hash_key: bytes | None = field(default=None, repr=False)
    hash_seed: str | None = field(default=None, repr=False)  # instead of a key: each guest's own is made of it
    indirection: Indirection = Indirection()
    default_queue: int = 0
    redirect: bool = True
    statistics: bool = True
    foreign: str = "keep"  # keep, replace, fail
    fallback: str = "disable"  # disable, keep, fail
    verify: bool = True
    allow_future_queues: bool = False
    rebalance: Rebalance | None = None  # a live table, and how the service balances it


@dataclass(frozen=True)
class Step:
    """What the plan does with one device: none, attach, replace, detach, keep, or wait for what cannot be done now."""

    device: Device
    action: str
    configuration: Configuration | None = None  # what an attached program will compute
    new_key: bool = False  # the key was made up for this step
    reason: str = ""
    fallback: str = "disable"  # what the task asks for when it fails
    verify: bool = True  # prove the program before it is attached


@dataclass(frozen=True)
class Fallback:
    """Why a device is not steered as asked."""

    stage: str  # load, prove, attach or detach
    reason: str
    errno: int | None = None
    log: str = ""  # the verifier's, in full


@dataclass(frozen=True)
class Outcome:
    """What has become of one device."""

    step: Step
    action: str  # the step's, or fallback
    after: Device
    changed: bool
    verified: bool = False
    way: str = ""  # how the device was reached: copied, opened, joined
    fallback: Fallback | None = None
    warnings: tuple[str, ...] = ()
