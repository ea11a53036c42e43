# Copyright (c) 2026, virtnet.rss contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to the collection: one look at a TAP device, before its changes are planned.

from __future__ import annotations

import typing as t

from ansible_collections.virtnet.rss.plugins.module_utils._tap.plan import Observed
from ansible_collections.virtnet.rss.plugins.module_utils._tun.descriptor import Target
from ansible_collections.virtnet.rss.plugins.module_utils._tun.device_id import DeviceId
from ansible_collections.virtnet.rss.plugins.module_utils._tun.holders import find_holders, holders_in
from ansible_collections.virtnet.rss.plugins.module_utils._tun.links import find_link
from ansible_collections.virtnet.rss.plugins.module_utils._tun.netns import current_namespace

if t.TYPE_CHECKING:
    from ansible_collections.virtnet.rss.plugins.module_utils._tun.holders import Holder
    from ansible_collections.virtnet.rss.plugins.module_utils._tun.links import Link

__all__ = ("observe", "target_of")


def observe(name: str, bridge: str | None = None) -> Observed:
    """The device that answers to ``name`` in the current network namespace, and what belongs to it."""
    link = find_link(name)
    return Observed(
        link=link,
        master=find_link(link.master) if link and link.master else None,
        bridge=find_link(bridge) if bridge else None,
        holders=_holders(link) if link and link.is_tap else (),
    )


def target_of(link: Link, holders: tuple[Holder, ...] = ()) -> Target:
    """How this very device is reached, in the current network namespace."""
    held = bool((link.queues or 0) + link.disabled_queues)
    return Target(link.name, DeviceId(current_namespace().inode, link.ifindex), holders, held=held)


def _holders(link: Link) -> tuple[Holder, ...]:
    """Who holds it, by its name: what tells for certain is a copy of a descriptor, which is made for a change only.
    Where the driver says that nobody does, /proc is not searched."""
    if link.queues is not None and not link.queues + link.disabled_queues:
        return ()
    named = find_holders().get(link.name, ())
    here = holders_in(current_namespace().inode, named)
    # A single-queue device, of which the driver does not tell: one of that name elsewhere must not keep ours.
    return here if here or link.queues is None else tuple(named)
