# Copyright (c) 2026, virtnet.rss contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to the collection: who chooses the queue that the guest sees, after the table in QEMU's
# docs/devel/ebpf_rss.rst. The tun driver chooses first, with a steering program or without; QEMU's own RSS ("in-qemu")
# sorts the packets again, whatever the driver chose, so a program in the driver is of no use to such a guest.

from __future__ import annotations

import contextlib
import errno
import time
import typing as t
from dataclasses import dataclass, replace

from ansible_collections.virtnet.rss.plugins.module_utils._errors import DeviceError, StateError, sentence_of
from ansible_collections.virtnet.rss.plugins.module_utils._look.card import NO_CARD, Card
from ansible_collections.virtnet.rss.plugins.module_utils._look.processes import Processes
from ansible_collections.virtnet.rss.plugins.module_utils._look.qemu import (
    Guest,
    Nic,
    is_libvirt,
    mac_of_card,
    read_guest,
)
from ansible_collections.virtnet.rss.plugins.module_utils._program.programs import QEMU
from ansible_collections.virtnet.rss.plugins.module_utils._rss.keys import guest_identity
from ansible_collections.virtnet.rss.plugins.module_utils._steering.model import AUTOMATIC, FOREIGN, STEERED
from ansible_collections.virtnet.rss.plugins.module_utils._tun.holders import BPF_PROGRAM

if t.TYPE_CHECKING:
    from ansible_collections.virtnet.rss.plugins.module_utils._steering.model import Device

__all__ = ("EBPF", "NOT_ASKED", "Guests", "Implementation", "Traces", "decide", "descriptors_of", "processes_of")

Process = t.Tuple[int, t.Optional[t.Tuple[int, int]]]  # its number and its image

EBPF, NO_PROGRAM, CANNOT_TELL = "ebpf", "automatic", "unknown"
VHOST_NET = "/dev/vhost-net"
REST = 30.0  # seconds for which a process that made us wait is not asked again
# struct virtio_net_hdr as QEMU starts with it; 12 bytes with VIRTIO_F_VERSION_1, 20 with VIRTIO_NET_F_HASH_REPORT.
HEADER_WITHOUT_DRIVER, HEADER_WITH_HASH = 10, 20


@dataclass(frozen=True)
class Implementation:
    """``decides`` is ebpf, automatic or unknown; ``reason`` is a sentence, empty where nothing needs one.

    It is never in-qemu: a guest that enables RSS in QEMU's software leaves no trace outside (seen on QEMU 7.2 and 10),
    so a guest that may have done so is unknown, and the reason names it.
    """

    decides: str
    reason: str = ""
    vhost: bool | None = None
    rss: bool | None = None
    hash: bool | None = None


NOT_ASKED: t.Final = Implementation(CANNOT_TELL, "it was not asked")


@dataclass(frozen=True)
class Traces:
    """What can be seen of a QEMU from outside. None: it cannot be looked at."""

    vhost: bool | None = None  # it has /dev/vhost-net open
    program: bool | None = None  # it has a BPF program open: with rss=on it loads its own at the start, if it can
    header: int | None = None  # size of the header in front of each packet, which tells what the guest negotiated


class Guests:
    """The QEMU processes that were met, each read once for as long as it runs one program. They are asked in a
    ``with guests.one_pass()`` block."""

    def __init__(self) -> None:
        self._guests: dict[Process, Guest | None] = {}
        self._slow: dict[Process, float] = {}  # those that made us wait: when they are asked again
        self._open_files: dict[int, frozenset[str]] = {}  # in this pass, by process
        self._processes = Processes()

    def implementation_of(self, device: Device) -> Implementation:
        """Who chooses the queue for the guest behind a device; whatever is odd about the guest is a reason not to know
        it, and nothing more."""
        try:
            return self._implementation_of(device)
        except Exception as exc:
            return Implementation(CANNOT_TELL, f"the guest cannot be looked at: {sentence_of(exc)}")

    def _implementation_of(self, device: Device) -> Implementation:
        for process in processes_of(device):
            guest = self.guest(process)
            if guest:
                nic = guest.nic_of(device.name, descriptors_of(device, process))
                if guest.oddity or not nic:
                    return _unmatched(device, guest)
                return decide(device, nic, self._traces(guest.pid, device, nic))
        return _driver(device)

    def identity_of(self, device: Device, address: str = "") -> str:
        """What belongs to the guest of a device and stays (_rss/keys.py); ``address`` is the device's own. StateError
        where a holder could not be read now: another identity is another key, and would stay."""
        mac, domain, interface = mac_of_card(address), "", None
        for process in processes_of(device):
            guest = self.guest(process)
            if guest and guest.unread:
                raise StateError(f"{device.name}: {guest.oddity}", device=device.name)
            if guest and not guest.oddity:
                nic = guest.nic_of(device.name, descriptors_of(device, process), address)
                if nic:
                    mac, domain, interface = nic.mac or mac, guest.name, nic.index
        return guest_identity(mac=mac, domain=domain, interface=interface, device=device.name)

    def card_of(self, device: Device) -> Card:
        """The guest's side of a device; what nobody can tell is left empty."""
        for process in processes_of(device):
            guest = self.guest(process)
            if guest and guest.oddity:
                return NO_CARD if not guest.unread else Card(oddity=guest.oddity)
            if guest:
                nic = guest.nic_of(device.name, descriptors_of(device, process))
                return Card(guest.name, nic.index, nic.mac or "") if nic else Card(guest.name)
        return NO_CARD

    def guest(self, process: Process) -> Guest | None:
        """The guest of a process, None when it is no QEMU."""
        if process not in self._guests:
            pid, _image = process
            try:
                self._guests[process] = read_guest(pid, self._processes)
            except Exception as exc:  # a stranger's arguments: it is the stranger who is not known then
                if isinstance(exc, DeviceError) and exc.errno == errno.ETIMEDOUT:
                    self._slow[process] = time.monotonic() + REST
                oddity = f"its arguments cannot be read: {sentence_of(exc)}"
                self._guests[process] = Guest(pid, oddity=oddity, unread=True)
        return self._guests[process]

    def is_libvirt(self, process: Process) -> bool:
        """Whether a process runs libvirt's daemon; not, when it makes us wait, and when it is known as a QEMU."""
        pid, image = process
        known = self._guests.get(process)
        if image is not None and known and not known.oddity:
            return False
        try:
            return is_libvirt(pid, self._processes)
        except DeviceError:
            return False

    @contextlib.contextmanager
    def one_pass(self) -> t.Iterator[Guests]:
        """What is known longer than for one pass is a guest whose process told its image and could be read: any other
        may be another one by now, or was short of something. One that made us wait is left for a while."""
        now = time.monotonic()
        self._slow = {process: until for process, until in self._slow.items() if until > now}
        known = ((process, guest) for process, guest in self._guests.items() if process[1] is not None)
        self._guests = {
            process: guest for process, guest in known if guest and (not guest.oddity or process in self._slow)
        }
        self._open_files = {}
        with contextlib.closing(self._processes):
            yield self

    def _traces(self, pid: int, device: Device, nic: Nic) -> Traces:
        """Only what is asked for: a fleet's host has many guests, and each has a hundred files open."""
        if not (nic.vhost or nic.rss):
            return Traces()
        if pid not in self._open_files:
            self._open_files[pid] = self._processes.open_files(pid)
        links = self._open_files[pid]
        if not links:  # not ours to look at
            return Traces()
        return Traces(VHOST_NET in links, BPF_PROGRAM in links, device.vnet_header)

    def forget_all_but(self, devices: t.Iterable[Device]) -> None:
        """Those who hold none of these have gone."""
        held = {process for device in devices for process in processes_of(device)}
        self._guests = {process: guest for process, guest in self._guests.items() if process in held}


def processes_of(device: Device) -> list[Process]:
    """Those that hold a device, each once, in the kernel's order."""
    return list(dict.fromkeys((holder.pid, holder.image) for holder in device.holders))


def descriptors_of(device: Device, process: Process) -> list[int]:
    """Those of the device that a process has."""
    return [holder.descriptor for holder in device.holders if (holder.pid, holder.image) == process]


def decide(device: Device, nic: Nic, traces: Traces) -> Implementation:
    """The table of QEMU's document, with what is attached and what can be seen of QEMU."""
    # vhost=on is a wish: QEMU carries the packets itself when /dev/vhost-net cannot be opened.
    vhost = traces.vhost if nic.vhost and traces.vhost is not None else nic.vhost
    return replace(_decide(device, nic, traces, vhost), vhost=vhost, rss=nic.rss, hash=nic.hash)


def _decide(device: Device, nic: Nic, traces: Traces, vhost: bool | None) -> Implementation:
    if nic.rss is False or vhost:  # packets that vhost carries never pass through QEMU
        return _driver(device)
    if nic.rss is None or vhost is None:
        return Implementation(CANNOT_TELL, "QEMU's arguments do not tell whether rss is on")
    if device.program and device.program.owner == QEMU:  # QEMU detaches it when it sorts packets itself
        return _driver(device)
    if traces.header == HEADER_WITHOUT_DRIVER:
        return _driver(device, "rss=on, and no driver of the guest has started yet")
    hash_ = nic.hash is not False and traces.header in (HEADER_WITH_HASH, None)
    if traces.program and not hash_:
        return _driver(device, "QEMU has a program of its own for rss=on, and it is not attached now")
    cause = "the guest takes hashes from QEMU (hash=on)" if hash_ else "QEMU has no program of its own loaded"
    return Implementation(
        CANNOT_TELL,
        f"rss=on, vhost=off and {cause}: once the guest enables RSS, QEMU sorts its packets again (in-qemu), "
        "whatever is attached to the device; whether the guest has done so cannot be seen from outside",
    )


def _driver(device: Device, reason: str = "") -> Implementation:
    """Nobody sorts again: what the tun driver does is what the guest sees."""
    if device.state == AUTOMATIC:
        return Implementation(NO_PROGRAM, reason)
    if device.state not in (STEERED, FOREIGN):
        return Implementation(CANNOT_TELL, device.reason)
    if device.queues == 1:
        reason = "one queue is enabled, so there is nothing to choose, and the driver does not ask the program"
    return Implementation(EBPF, reason)


def _unmatched(device: Device, guest: Guest) -> Implementation:
    if guest.oddity:
        return Implementation(CANNOT_TELL, f"the process that holds {device.name} is odd: {guest.oddity}")
    return Implementation(
        CANNOT_TELL,
        f"the arguments of the QEMU that holds {device.name} do not tell which of its network cards this is (one "
        "plugged in later?), so neither whether its rss is on",
    )
