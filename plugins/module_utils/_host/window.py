# Copyright (c) 2026, virtnet.rss contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to the collection: what a verdict needs of the devices at one moment.

from __future__ import annotations

import typing as t

if t.TYPE_CHECKING:
    from ansible_collections.virtnet.rss.plugins.module_utils._look.look import Sighting

__all__ = ("moment",)


def moment(sightings: t.Sequence[Sighting]) -> dict[str, t.Any]:
    """The part of the results of tap_steering_info that rollout_verdict reads, small enough to keep in a file."""
    return {"taps": [_tap(sighting) for sighting in sightings]}


def _tap(sighting: Sighting) -> dict[str, t.Any]:
    device, traffic, counters = sighting.device, sighting.traffic, sighting.counters
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
