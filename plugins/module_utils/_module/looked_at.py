# Copyright (c) 2026, virtnet.rss contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to the collection: the options netns and observe of a module that looks.

from __future__ import annotations

import contextlib
import time
import typing as t
from dataclasses import replace

from ansible_collections.virtnet.rss.plugins.module_utils._tun.netns import (
    Namespace,
    current_namespace,
    list_namespaces,
    network_namespace,
)

if t.TYPE_CHECKING:
    from ansible_collections.virtnet.rss.plugins.module_utils._look.look import Sighting

__all__ = ("looked_at", "observed")

ALL = "all"


@contextlib.contextmanager
def looked_at(netns: str | None) -> t.Iterator[list[Namespace]]:
    """The network namespaces that the option means; in the ``with`` block this thread is in the one that it names."""
    if netns == ALL:
        yield list_namespaces()
        return
    with network_namespace(netns):
        yield [replace(current_namespace(), name=netns or "")]


def observed(sightings: t.Sequence[Sighting], seconds: float) -> list[Sighting]:
    """With what passed in ``seconds``; 0 looks at no packet."""
    if not seconds:
        return list(sightings)
    # Only here: it brings along all that reads packets.
    from ansible_collections.virtnet.rss.plugins.module_utils._look.observation import observe, wanted_configuration

    found = observe(sightings, lambda each: wanted_configuration(each.device), seconds, sleep=time.sleep)
    return [replace(sighting, observation=observation) for sighting, observation in zip(sightings, found)]
