# Copyright (c) 2026, virtnet.rss contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to the collection: one look at the host that gives the truth about its TAP devices. A look opens nothing.
#
# Two sources. The inspector walks the kernel's own list of devices and tells which program steers each. Where it cannot
# run, the loaded programs are enumerated: each of ours is loaded for one device and kept by nothing but that device, so
# it exists exactly as long as it steers it. What that cannot tell is unknown.

from __future__ import annotations

import typing as t
from dataclasses import dataclass, field

from ansible_collections.virtnet.rss.plugins.module_utils._bpf.inspector import Inspector
from ansible_collections.virtnet.rss.plugins.module_utils._bpf.libbpf import load_libbpf
from ansible_collections.virtnet.rss.plugins.module_utils._errors import CapabilityError, ObjectError
from ansible_collections.virtnet.rss.plugins.module_utils._program.model import AttachedProgram
from ansible_collections.virtnet.rss.plugins.module_utils._program.programs import (
    OURS,
    Described,
    describe,
    describe_all,
)
from ansible_collections.virtnet.rss.plugins.module_utils._steering.model import (
    AUTOMATIC,
    FOREIGN,
    STEERED,
    UNKNOWN,
    Device,
)
from ansible_collections.virtnet.rss.plugins.module_utils._tun.device_id import DeviceId
from ansible_collections.virtnet.rss.plugins.module_utils._tun.holders import Holder, find_holders, holders_in
from ansible_collections.virtnet.rss.plugins.module_utils._tun.ioctls import IFF_TAP
from ansible_collections.virtnet.rss.plugins.module_utils._tun.links import Link, list_links
from ansible_collections.virtnet.rss.plugins.module_utils._tun.netns import current_namespace

if t.TYPE_CHECKING:
    from ansible_collections.virtnet.rss.plugins.module_utils._bpf.inspector import TunDevice

__all__ = ("Observer",)

LOOKS = 5  # while programs come and go between the walk and their being read


@dataclass
class Evidence:
    """What the loaded programs tell where there is no inspector."""

    programs: dict[int, Described] = field(default_factory=dict)
    reason: str = ""  # why they could not be enumerated or read


class Observer:
    """Looks at devices; every look is a new one. Use it in a ``with`` block."""

    def __init__(self) -> None:
        self.inspector: Inspector | None = None
        self.inspector_reason = ""  # why there is no exact way on this host
        self.blind = ""  # why the last look could tell nothing at all of what steers devices
        self._known: dict[int, Described] = {}  # a program's id is given once, and what we read of it is frozen

    def __enter__(self) -> Observer:
        self.try_inspector()
        return self

    def __exit__(self, *_exception: object) -> None:
        if self.inspector:
            self.inspector.close()

    def try_inspector(self) -> None:
        """Load it unless it is there already: a shortage of memory or descriptors that was in the way may be over."""
        if self.inspector:
            return
        try:
            self.inspector, self.inspector_reason = Inspector(load_libbpf()), ""
        except (CapabilityError, ObjectError) as exc:
            self.inspector_reason = str(exc)

    def devices(self, links: t.Sequence[Link] | None = None) -> list[Device]:
        """The TAP devices of this network namespace, or those among ``links``, with what steers them.

        Holders are only told where there is no inspector: ask with_holders() for them.
        """
        netns = current_namespace().inode
        chosen = None if links is None else {DeviceId(netns, link.ifindex): link for link in links if link.is_tap}
        if self.inspector:
            try:
                found = self._walk(self.inspector, netns, chosen)
            except ObjectError as exc:
                self.blind = str(exc)
                return [_unseen(link, netns, str(exc)) for link in _taps(links)]
            self.blind = ""
            return found if chosen is None else [found_one for found_one in found if found_one.id in chosen]
        return self._inferred(_taps(links), netns)

    def device(self, wanted: DeviceId) -> Device | None:
        """One device of this network namespace; None when it has gone."""
        links = [link for link in list_links() if link.ifindex == wanted.ifindex]
        return next((device for device in self.devices(links) if device.id == wanted), None)

    def with_holders(self, devices: t.Sequence[Device]) -> list[Device]:
        """The same with those who hold them. ObjectError when the kernel does not tell, such as for want of memory."""
        if self.inspector is None:
            return list(devices)
        holders: dict[DeviceId, list[Holder]] = {}
        for queue in self.inspector.holders([device.id for device in devices if device.is_held]):
            if queue.pid is not None:
                holder = Holder(queue.pid, queue.command, queue.descriptor, queue.image)
                holders.setdefault(DeviceId(queue.netns_inode, queue.ifindex), []).append(holder)
        return [device._replace(holders=tuple(holders.get(device.id, ()))) for device in devices]

    def snapshot(self) -> bytes | None:
        """Two snapshots are equal as long as no device, queue or program changes; None where there is no inspector."""
        return self.inspector.records()[0] if self.inspector else None

    def tap_devices(self) -> list[TunDevice] | None:
        """Every TAP device of the host as the kernel lists it; None where there is no inspector."""
        if self.inspector is None:
            return None
        return [device for device in self.inspector.look() if device.tun_flags & IFF_TAP]

    def _walk(self, inspector: Inspector, netns: int, chosen: t.Collection[DeviceId] | None) -> list[Device]:
        devices: list[Device] = []
        for _look in range(LOOKS):
            found, steering = inspector.look_in(netns)
            self._known = {number: known for number, known in self._known.items() if number in steering}
            devices = [
                self._exact(device)
                for device in found
                if device.tun_flags & IFF_TAP and (chosen is None or DeviceId(netns, device.ifindex) in chosen)
            ]
            if not any(device.state == UNKNOWN and device.program is None for device in devices):
                break
        return devices

    def _exact(self, found: TunDevice) -> Device:
        state, reason, program = self._steering(found.program_id)
        return Device(
            name=found.name,
            id=DeviceId(found.netns_inode, found.ifindex),
            tun_flags=found.tun_flags,
            queues=found.queues,
            disabled_queues=found.disabled_queues,
            state=state,
            reason=reason,
            program=program,
            birth=found.birth,
            vnet_header=found.vnet_header,
            owner=found.owner,
        )

    def _steering(self, number: int | None) -> tuple[str, str, AttachedProgram | None]:
        """State, why it is unknown, and the program."""
        if number is None:
            return AUTOMATIC, "", None
        try:
            described = self._describe(number)
        except ObjectError as exc:
            reason = f"program {number} steers it and cannot be read: {exc}"
            return UNKNOWN, reason, AttachedProgram(number, name="", tag="")
        if described is None:  # it has been replaced or detached since the walk
            return UNKNOWN, f"program {number} went away during the look", None
        return STEERED if described.program.owner == OURS else FOREIGN, "", described.program

    def _describe(self, program: int) -> Described | None:
        if program not in self._known:
            described = describe(load_libbpf(), program)
            if described is None:
                return None
            self._known[program] = described
        return self._known[program]

    def _inferred(self, taps: list[Link], netns: int) -> list[Device]:
        """The way that needs no BTF."""
        if not taps:
            return []
        try:
            evidence = Evidence(describe_all(load_libbpf()))
        except (CapabilityError, ObjectError) as exc:
            evidence = Evidence(reason=str(exc))
        self.blind = evidence.reason
        named = find_holders()
        devices = []
        for link in taps:
            # One that nobody in this namespace holds may be held from another one.
            holders = holders_in(netns, named.get(link.name, ()))
            if not holders and link.queues is not None and link.queues + link.disabled_queues:
                holders = tuple(named.get(link.name, ()))
            devices.append(_infer(_device(link, netns, holders), evidence))
        return devices


def _taps(links: t.Sequence[Link] | None) -> list[Link]:
    return [link for link in (list_links() if links is None else links) if link.is_tap]


def _device(link: Link, netns: int, holders: tuple[Holder, ...]) -> Device:
    # The driver tells the number of queues of multi-queue devices only; any other has one, while it is held.
    queues = link.queues if link.queues is not None else min(len(holders), 1)
    return Device(link.name, DeviceId(netns, link.ifindex), link.tun_flags, queues, link.disabled_queues, holders)


def _unseen(link: Link, netns: int, reason: str) -> Device:
    return _device(link, netns, ())._replace(reason=reason)


def _infer(device: Device, evidence: Evidence) -> Device:
    if evidence.reason:
        return device._replace(reason=evidence.reason)
    ours = _newest_for(evidence, device.id)
    if ours:
        return device._replace(state=STEERED, program=ours)
    others = sorted(found.program.name or "no name" for found in evidence.programs.values() if not found.identity)
    if others:
        names = ", ".join(others)
        return device._replace(
            reason=f"{len(others)} foreign socket filters are loaded ({names}), and nothing here tells for whom",
        )
    if any(found.identity and found.identity.id.ifindex == device.ifindex for found in evidence.programs.values()):
        return device._replace(reason="a program of a device with its index in another namespace is loaded")
    return device._replace(state=AUTOMATIC)


def _newest_for(evidence: Evidence, device: DeviceId) -> AttachedProgram | None:
    """While somebody looks at a replaced program, it lives on for a moment: the one loaded last is attached."""
    mine = [found.program for found in evidence.programs.values() if found.identity and found.identity.id == device]
    return max(mine, key=lambda program: program.load_time, default=None)
