# Copyright (c) 2026, virtnet.rss contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to the collection: the flags of a TUN/TAP device in full. rtnetlink keeps IFF_NAPI and IFF_NAPI_FRAGS to
# itself, and opening a device with other flags than its own would overwrite them.

from __future__ import annotations

import typing as t

if t.TYPE_CHECKING:
    from ansible_collections.virtnet.rss.plugins.module_utils._tun.links import Link

__all__ = ("read_tun_flags",)

NET_CLASS = "/sys/class/net"


def read_tun_flags(link: Link) -> int:
    """All flags of the device, where sysfs shows this network namespace; else those that rtnetlink told.

    /sys shows the namespace of the process that mounted it: the ifindex says whether its entry is our device.
    """
    try:
        if _read(link, "ifindex", 10) == link.ifindex:
            return _read(link, "tun_flags", 16)
    except (OSError, ValueError):
        pass
    return link.tun_flags


def _read(link: Link, attribute: str, base: int) -> int:
    with open(f"{NET_CLASS}/{link.name}/{attribute}", encoding="ascii") as stream:
        return int(stream.read(), base)
