# Copyright (c) 2026, virtnet.rss contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to the collection: what a verdict needs of the devices at one moment.

from __future__ import annotations

import typing as t

from ansible_collections.virtnet.rss.plugins.module_utils._look.seen import counters_of_device, seen_devices

if t.TYPE_CHECKING:
    from ansible_collections.virtnet.rss.plugins.module_utils._look.seen import Seen
    from ansible_collections.virtnet.rss.plugins.module_utils._steering.observe import Observer
    from ansible_collections.virtnet.rss.plugins.module_utils._tun.netns import Namespace

__all__ = ("Moment", "moment")

Moment = t.Dict[str, t.Any]


def moment(observer: Observer, namespaces: t.Sequence[Namespace]) -> Moment:
    """The part of the results of tap_steering_info that rollout_verdict reads, small enough to keep in a file."""
    return {"taps": [_tap(seen) for seen in seen_devices(observer, ["*"], namespaces, warnings=[])]}


def _tap(seen: Seen) -> dict[str, t.Any]:
    device, traffic, counters = seen.device, seen.traffic, counters_of_device(seen.device)
    return {
        "name": device.name,
        "netns_inode": device.netns_inode,
        "ifindex": device.ifindex,
        "queues": device.queues,
        "state": device.state,
        "program": {"id": device.program.id} if device.program else None,
        "traffic": {"to_guest": traffic.to_guest, "dropped": traffic.dropped} if traffic else None,
        "counters": {"queues": counters.packets(device.queues)} if counters else None,
    }
