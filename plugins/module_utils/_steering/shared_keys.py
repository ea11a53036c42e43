# Copyright (c) 2026, virtnet.rss contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to the collection: whether one hash key steers the devices of several guests. A guest that sends itself some
# packets and notes their queues learns what matters of its key, and may aim flows at one queue of the others.

from __future__ import annotations

import typing as t

from ansible_collections.virtnet.rss.plugins.module_utils._text import written_out

if t.TYPE_CHECKING:
    from ansible_collections.virtnet.rss.plugins.module_utils._steering.model import Device

__all__ = ("shared_keys",)

NAMED = 3


def shared_keys(devices: t.Iterable[Device]) -> list[str]:
    """A sentence for each key that devices of several holders have; the key is not in it."""
    found: dict[bytes, dict[frozenset[int], list[str]]] = {}
    for device in devices:
        configuration = device.program.configuration if device.program else None
        pids = frozenset(holder.pid for holder in device.holders)
        if configuration and pids:
            found.setdefault(configuration.rss.hash_key, {}).setdefault(pids, []).append(written_out(device.name))
    return [_sentence([names[0] for names in holders.values()]) for holders in found.values() if len(holders) > 1]


def _sentence(names: list[str]) -> str:
    others = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
    return (
        f"one hash key steers the devices of several guests ({', '.join(names[:NAMED])}{others}); each of them can "
        "learn it and aim flows at one queue of the others; hash_seed gives each guest a key of its own"
    )
