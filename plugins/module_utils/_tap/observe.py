# Copyright (c) 2026, virtnet.rss contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to the collection: one look at a TAP device, before its changes are planned.

from __future__ import annotations

import os
import typing as t

from ansible_collections.virtnet.rss.plugins.module_utils._errors import DeviceError
from ansible_collections.virtnet.rss.plugins.module_utils._tap.plan import Observed
from ansible_collections.virtnet.rss.plugins.module_utils._tun.descriptor import Target, belongs_to
from ansible_collections.virtnet.rss.plugins.module_utils._tun.device_id import DeviceId
from ansible_collections.virtnet.rss.plugins.module_utils._tun.holders import duplicate_descriptor, find_holders
from ansible_collections.virtnet.rss.plugins.module_utils._tun.netns import current_namespace

if t.TYPE_CHECKING:
    from ansible_collections.virtnet.rss.plugins.module_utils._tap.links import Links, LinkState
    from ansible_collections.virtnet.rss.plugins.module_utils._tun.holders import Holder

__all__ = ("observe", "target_of")


def observe(links: Links, name: str, bridge: str | None = None) -> Observed:
    """The device that answers to ``name`` in the current network namespace, and what belongs to it."""
    link = links.find(name)
    return Observed(
        link=link,
        master=links.get(link.master) if link and link.master else None,
        bridge=links.find(bridge) if bridge else None,
        holders=_holders(link) if link and link.is_tap else (),
    )


def target_of(link: LinkState, holders: tuple[Holder, ...] = ()) -> Target:
    """How this very device is reached, in the current network namespace."""
    return Target(link.name, DeviceId(current_namespace().inode, link.ifindex), holders)


def _holders(link: LinkState) -> tuple[Holder, ...]:
    """Who holds it; where the driver says that nobody does, /proc is not searched."""
    if link.queues is not None and not link.queues + link.disabled_queues:
        return ()
    target = target_of(link)
    return tuple(holder for holder in find_holders().get(link.name, ()) if _holds(holder, target))


def _holds(holder: Holder, target: Target) -> bool:
    """False for the holder of a device with the same name in another network namespace."""
    try:
        descriptor = duplicate_descriptor(holder.pid, holder.descriptor)
    except DeviceError:  # it may not be copied: believe the name
        return True
    try:
        return belongs_to(descriptor, target)
    except DeviceError:
        return True
    finally:
        os.close(descriptor)
