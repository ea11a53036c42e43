# Copyright (c) 2026, virtnet.rss contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to the collection: from the names on a command line to network namespaces and devices.

from __future__ import annotations

import re
import typing as t

from ansible_collections.virtnet.rss.plugins.module_utils._errors import DeviceError, InputError, NotThereError
from ansible_collections.virtnet.rss.plugins.module_utils._names.patterns import compile_pattern, is_pattern
from ansible_collections.virtnet.rss.plugins.module_utils._names.selection import check_names, select
from ansible_collections.virtnet.rss.plugins.module_utils._tun.device_id import DeviceId
from ansible_collections.virtnet.rss.plugins.module_utils._tun.links import list_links
from ansible_collections.virtnet.rss.plugins.module_utils._tun.netns import entered, list_namespaces

if t.TYPE_CHECKING:
    from ansible_collections.virtnet.rss.plugins.module_utils._tun.links import Link
    from ansible_collections.virtnet.rss.plugins.module_utils._tun.netns import Namespace

__all__ = ("chosen_devices", "chosen_namespaces")

IDENTITY = re.compile(r"[0-9]{1,20}/[0-9]{1,10}")


def chosen_namespaces(netns: str | None) -> list[Namespace]:
    """Those whose name, or ``ns:INODE`` without one, matches; None: all of them. InputError where none does."""
    fits = compile_pattern("--netns", "*" if netns is None else netns).fullmatch
    found = [each for each in list_namespaces() if fits(each.label)]
    if not found:
        raise NotThereError("--netns", netns, "there is no such network namespace")
    return found


def chosen_devices(taps: t.Sequence[str], namespaces: t.Sequence[Namespace]) -> set[DeviceId]:
    """The devices that names, patterns and NETNS_INODE/IFINDEX mean; InputError for one that means none."""
    found: set[DeviceId] = set()
    names = []
    for name in taps:
        if IDENTITY.fullmatch(name):
            inode, ifindex = name.split("/")
            found.add(DeviceId(int(inode), int(ifindex)))
        else:
            check_names("DEVICE", [name])
            names.append(name)
    present = [(namespace.inode, _links(namespace)) for namespace in (namespaces if names else ())]
    for name in names:
        found |= _of_name(name, present)
    return found


def _of_name(name: str, present: t.Sequence[tuple[int, list[Link]]]) -> set[DeviceId]:
    refusal = InputError("DEVICE", name, "no TAP device matches")
    found: set[DeviceId] = set()
    for inode, links in present:
        try:
            chosen, _warnings = select("DEVICE", [name], links)
        except InputError as exc:  # it may be in the next one
            refusal = exc
            continue
        found |= {DeviceId(inode, link.ifindex) for link in chosen}
    if not found:
        raise refusal if not is_pattern(name) else InputError("DEVICE", name, "no TAP device matches")
    return found


def _links(namespace: Namespace) -> list[Link]:
    try:
        with entered(namespace):
            return list_links()
    except DeviceError:  # it has gone
        return []
