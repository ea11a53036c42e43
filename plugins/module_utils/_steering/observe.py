# Copyright (c) 2026, virtnet.rss contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to the collection: one look at the host that gives the truth about its TAP devices.
#
# Two sources. The inspector (a BPF iterator) reads from the kernel which program steers each device that somebody
# holds. Where it cannot run, and for devices that nobody holds, the loaded programs are enumerated: each of ours is
# loaded for one device and kept by nothing but that device, so it exists exactly as long as it steers it.

from __future__ import annotations

import typing as t
from dataclasses import dataclass, field, replace

from ansible_collections.virtnet.rss.plugins.module_utils._bpf.inspector import Inspector
from ansible_collections.virtnet.rss.plugins.module_utils._bpf.libbpf import load_libbpf
from ansible_collections.virtnet.rss.plugins.module_utils._errors import CapabilityError, ObjectError
from ansible_collections.virtnet.rss.plugins.module_utils._steering.model import (
    AUTOMATIC,
    FOREIGN,
    STEERED,
    UNKNOWN,
    AttachedProgram,
    Device,
)
from ansible_collections.virtnet.rss.plugins.module_utils._steering.programs import (
    OURS,
    Described,
    describe,
    describe_all,
)
from ansible_collections.virtnet.rss.plugins.module_utils._tun.descriptor import Target, control, holders_of
from ansible_collections.virtnet.rss.plugins.module_utils._tun.device_id import DeviceId
from ansible_collections.virtnet.rss.plugins.module_utils._tun.holders import Holder, find_holders
from ansible_collections.virtnet.rss.plugins.module_utils._tun.links import Link, list_links
from ansible_collections.virtnet.rss.plugins.module_utils._tun.netns import current_namespace

if t.TYPE_CHECKING:
    from ansible_collections.virtnet.rss.plugins.module_utils._bpf.inspector import OpenQueue
    from ansible_collections.virtnet.rss.plugins.module_utils._bpf.libbpf import Libbpf

__all__ = ("Observer",)


@dataclass
class Evidence:
    """What one look at the kernel's programs gave."""

    open_queues: dict[DeviceId, list[OpenQueue]] | None = None  # None: the inspector cannot run here
    programs: dict[int, Described] = field(default_factory=dict)
    reason: str = ""  # why the programs could not be enumerated or read


class Observer:
    """Looks at the devices of the current network namespace; every look is a new one."""

    def __init__(self) -> None:
        self._inspector: Inspector | None = None
        self.inspector_reason = ""  # why there is no exact way on this host

    def __enter__(self) -> Observer:
        self.try_inspector()
        return self

    def __exit__(self, *_exception: object) -> None:
        if self._inspector:
            self._inspector.close()

    def try_inspector(self) -> None:
        """Load it unless it is there already: a shortage of memory or descriptors that was in the way may be over."""
        if self._inspector:
            return
        try:
            self._inspector, self.inspector_reason = Inspector(load_libbpf()), ""
        except (CapabilityError, ObjectError) as exc:
            self.inspector_reason = str(exc)

    def devices(self, links: t.Sequence[Link] | None = None) -> list[Device]:
        """The TAP devices among ``links``, or all of this network namespace, with what steers them."""
        netns = current_namespace().inode
        taps = [link for link in (list_links() if links is None else links) if link.is_tap]
        if not taps:
            return []
        evidence = self._gather([DeviceId(netns, link.ifindex) for link in taps])
        if evidence.open_queues is not None:
            return [self._exact(link, netns, evidence) for link in taps]
        holders = find_holders()
        return [_inferred(_device(link, netns, _holders_of(link, netns, holders)), evidence) for link in taps]

    def _gather(self, keys: list[DeviceId]) -> Evidence:
        queues = None
        try:
            libbpf = load_libbpf()
            queues = self.open_queues()
            if queues is None or not all(key in queues for key in keys):
                return Evidence(queues, describe_all(libbpf))
            return Evidence(queues, self._attached_programs(libbpf, queues, keys))
        except (CapabilityError, ObjectError) as exc:
            return Evidence(queues, reason=str(exc))

    def snapshot(self) -> bytes | None:
        """Two snapshots are equal as long as no device, queue or program changes; None where there is no inspector."""
        return self._inspector.records() if self._inspector else None

    def open_queues(self) -> dict[DeviceId, list[OpenQueue]] | None:
        """Every open queue of the host, by its device; None where there is no inspector."""
        if self._inspector is None:
            return None
        found: dict[DeviceId, list[OpenQueue]] = {}
        for queue in self._inspector.look():
            found.setdefault(DeviceId(queue.netns_inode, queue.ifindex), []).append(queue)
        return found

    @staticmethod
    def _attached_programs(
        libbpf: Libbpf, queues: dict[DeviceId, list[OpenQueue]], keys: list[DeviceId]
    ) -> dict[int, Described]:
        ids = {queues[key][0].program_id for key in keys}
        described = {number: describe(libbpf, number) for number in ids if number}
        return {number: found for number, found in described.items() if found}

    def _exact(self, link: Link, netns: int, evidence: Evidence) -> Device:
        queues = (evidence.open_queues or {}).get(DeviceId(netns, link.ifindex))
        device = _device(link, netns, ())
        if not queues:
            return self._unheld(device, evidence)
        device = replace(
            device,
            holders=tuple(Holder(queue.pid, queue.command, queue.descriptor) for queue in queues),
            queues=queues[0].queues,
            disabled_queues=queues[0].disabled_queues,
            tun_flags=queues[0].tun_flags,
        )
        return _with_program(device, queues[0].program_id, evidence)

    def _unheld(self, device: Device, evidence: Evidence) -> Device:
        """A device without a holder: the loaded programs answer for it, or else it is opened for the look."""
        if evidence.reason:
            return self._opened(device, evidence) or _inferred(device, evidence)
        held = {queue.program_id for group in (evidence.open_queues or {}).values() for queue in group}
        rest = {number: found for number, found in evidence.programs.items() if number not in held}
        inferred = _inferred(device, Evidence(programs=rest))
        if inferred.state != UNKNOWN:
            return inferred
        return self._opened(device, evidence) or inferred

    def _opened(self, device: Device, evidence: Evidence) -> Device | None:
        """Its carrier comes up for this moment, so only where nothing else can tell."""
        with control(Target(device.name, device.id)):
            own = (self.open_queues() or {}).get(device.id)
        return _with_program(device, own[0].program_id, evidence) if own else None


def _holders_of(link: Link, netns: int, holders: dict[str, list[Holder]]) -> tuple[Holder, ...]:
    return holders_of(Target(link.name, DeviceId(netns, link.ifindex)), holders.get(link.name, ()))


def _device(link: Link, netns: int, holders: tuple[Holder, ...]) -> Device:
    # The driver tells the number of queues of multi-queue devices only; any other has one, while it is held.
    queues = link.queues if link.queues is not None else min(len(holders), 1)
    return Device(link.name, DeviceId(netns, link.ifindex), link.tun_flags, queues, link.disabled_queues, holders)


def _with_program(device: Device, program_id: int | None, evidence: Evidence) -> Device:
    if program_id is None:
        return replace(device, state=AUTOMATIC, reason="")
    described = evidence.programs.get(program_id)
    if evidence.reason:
        reason = f"program {program_id} steers it and cannot be read: {evidence.reason}"
        unread = AttachedProgram(program_id, name="", tag="")
        return replace(device, state=UNKNOWN, reason=reason, suspicion=reason, program=unread)
    if described is None:  # it has been replaced or detached since the look
        return replace(device, state=UNKNOWN, reason=f"program {program_id} went away during the look; look again")
    state = STEERED if described.program.owner == OURS else FOREIGN
    return replace(device, state=state, reason="", program=described.program)


def _inferred(device: Device, evidence: Evidence) -> Device:
    """The way that needs no BTF."""
    if evidence.reason:
        return replace(device, state=UNKNOWN, reason=evidence.reason, suspicion=_holders_program(device))
    ours = _newest_for(evidence, device.id)
    if ours:
        return replace(device, state=STEERED, program=ours)
    others = sorted(found.program.name or "no name" for found in evidence.programs.values() if not found.identity)
    if others:
        reason = (
            f"{len(others)} foreign socket filters are loaded ({', '.join(others)}), and nothing here tells for whom"
        )
        return replace(device, state=UNKNOWN, reason=reason, suspicion=reason)
    if any(found.identity and found.identity.id.ifindex == device.ifindex for found in evidence.programs.values()):
        return replace(
            device, state=UNKNOWN, reason="a program of a device with its index in another namespace is loaded"
        )
    return replace(device, state=AUTOMATIC)


def _holders_program(device: Device) -> str:
    """QEMU keeps the program that it has attached open."""
    holder = next((holder for holder in device.holders if holder.has_program), None)
    return f"its holder {holder.command}, process {holder.pid}, has a BPF program open" if holder else ""


def _newest_for(evidence: Evidence, device: DeviceId) -> AttachedProgram | None:
    """While somebody looks at a replaced program, it lives on for a moment: the one loaded last is attached."""
    mine = [found.program for found in evidence.programs.values() if found.identity and found.identity.id == device]
    return max(mine, key=lambda program: program.load_time, default=None)
