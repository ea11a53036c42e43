# Copyright (c) 2026, virtnet.rss contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to the collection: everything that can be told about TAP devices without changing anything.

from __future__ import annotations

import contextlib
import time
import typing as t
from dataclasses import dataclass, replace

from ansible_collections.virtnet.rss.plugins.module_utils._bpf.libbpf import load_libbpf
from ansible_collections.virtnet.rss.plugins.module_utils._bpf.live_table import Placement, read_placements
from ansible_collections.virtnet.rss.plugins.module_utils._errors import CapabilityError, DeviceError, ObjectError
from ansible_collections.virtnet.rss.plugins.module_utils._look.card import ANY_CARD, NO_CARD, Card, Chosen
from ansible_collections.virtnet.rss.plugins.module_utils._look.implementation import NOT_ASKED, Guests
from ansible_collections.virtnet.rss.plugins.module_utils._look.measure import Measurement, measure
from ansible_collections.virtnet.rss.plugins.module_utils._look.seen import counters_of_device, seen_devices
from ansible_collections.virtnet.rss.plugins.module_utils._names.selection import check_names
from ansible_collections.virtnet.rss.plugins.module_utils._steering.observe import Observer
from ansible_collections.virtnet.rss.plugins.module_utils._tun.device_id import DeviceId
from ansible_collections.virtnet.rss.plugins.module_utils._tun.links import list_links
from ansible_collections.virtnet.rss.plugins.module_utils._tun.netns import entered

if t.TYPE_CHECKING:
    from ansible_collections.virtnet.rss.plugins.module_utils._look.counters import Counters
    from ansible_collections.virtnet.rss.plugins.module_utils._look.implementation import Implementation
    from ansible_collections.virtnet.rss.plugins.module_utils._look.observation import Observation
    from ansible_collections.virtnet.rss.plugins.module_utils._look.seen import Seen
    from ansible_collections.virtnet.rss.plugins.module_utils._steering.model import Device
    from ansible_collections.virtnet.rss.plugins.module_utils._tun.links import Traffic
    from ansible_collections.virtnet.rss.plugins.module_utils._tun.netns import Namespace

__all__ = ("Info", "Sighting", "look")


@dataclass(frozen=True)
class Sighting:
    """One device, where it is, and what it does."""

    namespace: Namespace
    device: Device
    implementation: Implementation
    traffic: Traffic | None = None
    counters: Counters | None = None  # only of a program of ours that counts
    placement: Placement | None = None  # of the entries of a live table
    measurement: Measurement | None = None
    observation: Observation | None = None
    card: Card = NO_CARD


@dataclass(frozen=True)
class Info:
    """One look at a host."""

    sightings: tuple[Sighting, ...]
    inspector_reason: str  # why programs cannot be told exactly; empty where they can
    warnings: tuple[str, ...]
    unread: tuple[str, ...] = ()  # devices whose guest was asked for and could not be read, with why; also warnings


def look(
    taps: t.Sequence[str],
    namespaces: t.Sequence[Namespace],
    *,
    seconds: float = 0,
    observer: Observer | None = None,
    chosen: Chosen = ANY_CARD,
    guests: Guests | None = None,
    deciders: bool = True,
) -> Info:
    """The named TAP devices of some network namespaces, those of them whose guest is ``chosen``; with ``seconds``, also
    what their programs do in that time.

    InputError for a name that is in none of them. An ``observer`` that is there already is used and stays open, and
    ``guests`` that are known are not read again. Who decides for each guest takes a look at all its open files, unless
    nobody asks for ``deciders``.
    """
    check_names("taps", taps)
    warnings: list[str] = []
    with contextlib.ExitStack() as stack:
        observer = observer or stack.enter_context(Observer())
        seen = _with_holders(observer, seen_devices(observer, taps, namespaces, warnings), warnings)
        guests = stack.enter_context((guests or Guests()).one_pass())
        decide = guests.implementation_of if deciders else lambda _device: NOT_ASKED
        cards = [guests.card_of(device) for _where, device, _traffic in seen]
        sightings = [
            Sighting(where, device, decide(device), traffic, counters_of_device(device), _placement(device), card=card)
            for (where, device, traffic), card in zip(seen, cards)
            if chosen(card)
        ]
        unread = [
            f"{device.name}: whose guest this is cannot be told: {card.oddity}"
            for (_where, device, _traffic), card in zip(seen, cards)
            if card.oddity and not chosen.is_any
        ]
        warnings += unread
        if seen and not sightings:
            warnings.append(f"no guest with {chosen} has one of these devices")
        if seconds:
            sightings = _measured(sightings, seconds, warnings)
        return Info(tuple(sightings), observer.inspector_reason, tuple(warnings), tuple(unread))


def _with_holders(observer: Observer, seen: list[Seen], warnings: list[str]) -> list[Seen]:
    """One search through the host's open files for the devices of all namespaces."""
    try:
        devices = observer.with_holders([device for _namespace, device, _traffic in seen])
    except ObjectError as exc:
        warnings.append(f"who holds the devices cannot be told: {exc}")
        return seen
    return [each._replace(device=device) for each, device in zip(seen, devices)]


def _placement(device: Device) -> Placement | None:
    live = device.program.live if device.program else None
    with contextlib.suppress(CapabilityError, ObjectError):
        return read_placements(load_libbpf(), live) if live else None
    return None


def _measured(sightings: list[Sighting], seconds: float, warnings: list[str]) -> list[Sighting]:
    """Two readings with the kernel's BPF statistics on in between, for all devices at once."""
    programs = {sighting.device.program.id for sighting in sightings if sighting.device.program}
    namespaces = list({sighting.namespace.inode: sighting.namespace for sighting in sightings}.values())
    before = _to_guests(namespaces)
    try:
        measurements = measure(programs, seconds, sleep=time.sleep)
    except (CapabilityError, ObjectError) as exc:
        warnings.append(f"measure: the kernel's BPF statistics cannot be had: {exc}")
        return sightings
    after = _to_guests(namespaces)
    return [
        replace(
            sighting, measurement=_with_arrived(measurements.get(sighting.device.program.id), sighting, before, after)
        )
        if sighting.device.program
        else sighting
        for sighting in sightings
    ]


def _with_arrived(
    measurement: Measurement | None, sighting: Sighting, before: dict[DeviceId, int], after: dict[DeviceId, int]
) -> Measurement | None:
    key = sighting.device.id
    if measurement is None or key not in before or key not in after:
        return measurement
    return replace(measurement, arrived=after[key] - before[key])


def _to_guests(namespaces: t.Sequence[Namespace]) -> dict[DeviceId, int]:
    """Packets that each guest got since its device was made."""
    found: dict[DeviceId, int] = {}
    for namespace in namespaces:
        with contextlib.suppress(DeviceError), entered(namespace):
            links = [link for link in list_links() if link.is_tap and link.traffic]
            found.update(
                (DeviceId(namespace.inode, link.ifindex), link.traffic.to_guest) for link in links if link.traffic
            )
    return found
