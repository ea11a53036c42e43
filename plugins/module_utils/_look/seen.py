# Copyright (c) 2026, virtnet.rss contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to the collection: the TAP devices of some network namespaces with what passed through them. Nothing here asks
# about guests.

from __future__ import annotations

import contextlib
import errno
import typing as t

from ansible_collections.virtnet.rss.plugins.module_utils._bpf.libbpf import load_libbpf
from ansible_collections.virtnet.rss.plugins.module_utils._errors import (
    CapabilityError,
    DeviceError,
    InputError,
    NotThereError,
    ObjectError,
)
from ansible_collections.virtnet.rss.plugins.module_utils._look.counters import read_counters
from ansible_collections.virtnet.rss.plugins.module_utils._names.selection import is_pattern, names_of, select
from ansible_collections.virtnet.rss.plugins.module_utils._tun.links import list_links
from ansible_collections.virtnet.rss.plugins.module_utils._tun.netns import entered

if t.TYPE_CHECKING:
    from ansible_collections.virtnet.rss.plugins.module_utils._look.counters import Counters
    from ansible_collections.virtnet.rss.plugins.module_utils._steering.model import Device
    from ansible_collections.virtnet.rss.plugins.module_utils._steering.observe import Observer
    from ansible_collections.virtnet.rss.plugins.module_utils._tun.links import Link, Traffic
    from ansible_collections.virtnet.rss.plugins.module_utils._tun.netns import Namespace

__all__ = ("Seen", "counters_of_device", "seen_devices")


class Seen(t.NamedTuple):
    """One device; its holders are told only where there is no inspector."""

    namespace: Namespace
    device: Device
    traffic: Traffic | None


def seen_devices(
    observer: Observer, taps: t.Sequence[str], namespaces: t.Sequence[Namespace], warnings: list[str]
) -> list[Seen]:
    """The named devices; what cannot be looked at is added to ``warnings``. NotThereError: a name is nowhere."""
    found: list[Seen] = []
    met: set[str] = set()
    refused: dict[str, InputError] = {}
    for namespace in namespaces:
        try:
            with entered(namespace):
                chosen = _select(taps, list_links(), met, refused)
                if not chosen:
                    continue
                traffic = {link.ifindex: link.traffic for link in chosen}
                found += [Seen(namespace, device, traffic[device.ifindex]) for device in observer.devices(chosen)]
        except DeviceError as exc:
            if not namespace.name and exc.errno in (errno.ENOENT, errno.ESRCH):
                continue  # it has gone with its process: anybody makes and ends such ones all the time
            warnings.append(f"{namespace.name or namespace.path}: {exc}")
    for name in taps:
        if name not in met and not is_pattern(name):
            raise refused.get(name) or NotThereError(
                "taps", name, "there is no such device in the network namespaces that were looked at"
            )
        if name not in met and name != "*":
            warnings.append(f"taps: no TAP device matches {name!r}")
    return found


def counters_of_device(device: Device) -> Counters | None:
    """Only of a program of ours that counts."""
    program = device.program
    configuration = program.configuration if program else None
    if program is None or program.counters_map is None or configuration is None or not configuration.statistics:
        return None
    with contextlib.suppress(CapabilityError, ObjectError):
        return read_counters(load_libbpf(), program.counters_map, configuration.queues)
    return None


def _select(taps: t.Sequence[str], links: list[Link], met: set[str], refused: dict[str, InputError]) -> list[Link]:
    """The devices of one namespace; the names that mean some of them are added to ``met``. One that is no TAP device's
    here, which is ``refused``, may be one's in the next.
    """
    present = {name for link in links for name in (link.name, *names_of(link))}
    here = [name for name in taps if is_pattern(name) or name in present]
    chosen: dict[int, Link] = {}
    for name in here:
        try:
            links_of_name, _warnings = select("taps", [name], links)
        except InputError as exc:
            refused[name] = exc
            continue
        chosen.update((link.ifindex, link) for link in links_of_name)
        if links_of_name:
            met.add(name)
    return list(chosen.values())
