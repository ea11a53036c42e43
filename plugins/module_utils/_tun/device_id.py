# Copyright (c) 2026, virtnet.rss contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to the collection: which device is meant: names repeat in other network namespaces, and indexes too.

from __future__ import annotations

import typing as t

__all__ = ("DeviceId",)


class DeviceId(t.NamedTuple):
    """A network device of this host. A device that is moved to another namespace has another one."""

    netns_inode: int
    ifindex: int
