# SPDX-License-Identifier: GPL-3.0-or-later
"""The devices of this network namespace by their names."""

from __future__ import annotations

from ansible_collections.virtnet.rss.plugins.module_utils._steering.model import Device
from ansible_collections.virtnet.rss.plugins.module_utils._steering.observe import Observer

__all__ = ("by_name",)


def by_name() -> dict[str, Device]:
    with Observer() as observer:
        return {device.name: device for device in observer.devices()}
