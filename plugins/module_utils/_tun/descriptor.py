# Copyright (c) 2026, virtnet.rss contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to the collection: a descriptor through which a TAP device can be changed without disturbing its guest.

from __future__ import annotations

import contextlib
import errno
import json
import os
import socket
import typing as t
from dataclasses import dataclass

from ansible_collections.virtnet.rss.plugins.module_utils._errors import DeviceError
from ansible_collections.virtnet.rss.plugins.module_utils._tun import ioctls
from ansible_collections.virtnet.rss.plugins.module_utils._tun.apart import Apart
from ansible_collections.virtnet.rss.plugins.module_utils._tun.device_id import DeviceId
from ansible_collections.virtnet.rss.plugins.module_utils._tun.holders import duplicate_descriptor
from ansible_collections.virtnet.rss.plugins.module_utils._tun.links import find_link

if t.TYPE_CHECKING:
    from ansible_collections.virtnet.rss.plugins.module_utils._tun.holders import Holder
    from ansible_collections.virtnet.rss.plugins.module_utils._tun.links import Link

__all__ = ("COPIED", "JOINED", "OPENED", "Control", "Target", "control", "copier")

# How the device was reached. Only JOINED is felt by a guest: for an instant the device has one more queue.
COPIED, OPENED, JOINED = "copied", "opened", "joined"
NET_CLASS = "/sys/class/net"
MOST_HOLDERS = 64  # that are asked for a copy; each was seen to hold the device a moment before
PTRACE_FORBIDDEN = (errno.EPERM, errno.EACCES, errno.ENOSYS)


@dataclass(frozen=True)
class Target:
    """The device that is meant: names repeat in other namespaces, and indexes too."""

    name: str
    id: DeviceId
    holders: tuple[Holder, ...] = ()
    held: bool = False  # also by somebody who cannot be seen
    flags: int | None = None  # the driver's own; None: as sysfs and netlink tell them


@dataclass(frozen=True)
class Control:
    """An open descriptor of the device, and how it was come by."""

    descriptor: int
    way: str


def copier() -> Apart:
    """A child that copies descriptors, for the devices of the network namespace in which it is first used; close it."""
    return Apart(_copy)


@contextlib.contextmanager
def control(target: Target, copies: Apart | None = None) -> t.Iterator[Control]:
    """A descriptor of the device for the ``with`` block; DeviceError when it has gone or cannot be reached.

    ``copies`` is a copier() that serves many devices; without it there is one for this device.

    A held device is reached through a copy of a holder's descriptor: that is the same open file, so no queue is added.
    Only where copying is forbidden or the holder cannot be seen, the device is joined; one that nobody holds is opened.
    Either way its new queue is detached at once, and no carrier comes up. Only for a change: a look needs none of it.
    """
    opened = _copy_of_holder(target, copies) if target.holders else None
    if opened is None:
        way = JOINED if target.held or target.holders else OPENED
        opened = Control(_open_and_detach(target), way)
    try:
        yield opened
    finally:
        os.close(opened.descriptor)


def _copy_of_holder(target: Target, copies: Apart | None) -> Control | None:
    """None when the kernel forbids copying; DeviceError when no holder has the device any more."""
    descriptors = [(holder.pid, holder.descriptor) for holder in target.holders[:MOST_HOLDERS]]
    request = json.dumps({"name": target.name, "id": target.id, "descriptors": descriptors}).encode()
    with contextlib.ExitStack() as stack:
        copies = copies or stack.enter_context(contextlib.closing(copier()))
        try:
            return Control(copies.fetch(request, of={pid for pid, _number in descriptors}), COPIED)
        except DeviceError as exc:
            if exc.errno in PTRACE_FORBIDDEN:
                return None
            raise DeviceError(f"{target.name}: {exc}", errno=exc.errno, device=target.name) from exc


def _copy(request: bytes) -> int:
    """In the child: what is copied may be any file by now."""
    wanted = json.loads(request)
    target = Target(wanted["name"], DeviceId(*wanted["id"]))
    forbidden: DeviceError | None = None
    for pid, number in wanted["descriptors"]:
        try:
            descriptor = duplicate_descriptor(pid, number)
        except DeviceError as exc:
            forbidden = exc if exc.errno in PTRACE_FORBIDDEN else forbidden
            continue
        if belongs_to(descriptor, target):
            return descriptor
        os.close(descriptor)
    raise forbidden or DeviceError(
        "every process that held the device has let go of it since it was looked at; run again", errno=errno.EBADFD
    )


def belongs_to(descriptor: int, target: Target) -> bool:
    """Whether a descriptor is one of this very device: the holder may have reused its number since we looked.

    DeviceError EPERM without CAP_NET_ADMIN, which telling the device's network namespace takes.
    """
    try:
        name, _flags = ioctls.device_of(descriptor)
        netns = ioctls.device_netns(descriptor)
        # by the name that it has in this namespace, where the target is
        ifindex = socket.if_nametoindex(name)
    except PermissionError as exc:
        raise DeviceError(
            "cannot tell whose device it is: CAP_NET_ADMIN is missing", errno=exc.errno, device=target.name
        ) from exc
    except OSError:
        return False
    return ifindex == target.id.ifindex and netns in (None, target.id.netns_inode)


def _open_and_detach(target: Target) -> int:
    """Open a device with exactly its own flags, and leave its receive path at once: the descriptor still controls it.

    A VMM that starts meanwhile gets its queues in their order, and a guest loses nothing to a queue that nobody reads.
    """
    try:
        descriptor = ioctls.open_control()
    except OSError as exc:
        raise DeviceError(
            f"{target.name}: cannot open {ioctls.TUN_DEVICE}: {exc.strerror}; "
            "it is needed where no process's queue of the device can be copied",
            errno=exc.errno,
            device=target.name,
        ) from exc
    try:
        flags = _join(descriptor, target)
        if flags & ioctls.IFF_MULTI_QUEUE:  # any other has one queue, which cannot be detached
            ioctls.detach_queue(descriptor)
        if not belongs_to(descriptor, target):
            # Ours has gone since: TUNSETIFF made this one, which goes with the descriptor, or it is somebody else's.
            raise _gone(target)
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor


def _join(descriptor: int, target: Target) -> int:
    """The flags that the device has been opened with."""
    # TUNSETIFF on a name that no device has would create one, so look immediately before.
    link = find_link(target.id.ifindex)
    if link is None or link.name != target.name:
        raise _gone(target)
    flags = _own_flags(link) if target.flags is None else target.flags
    try:
        ioctls.join_device(descriptor, link.name, flags | ioctls.IFF_NO_CARRIER)
    except OSError as exc:
        reason = "a process holds its only queue" if exc.errno == errno.EBUSY else exc.strerror
        raise DeviceError(
            f"{target.name}: cannot open the device: {reason}", errno=exc.errno, device=link.name
        ) from exc
    return flags


def _gone(target: Target) -> DeviceError:
    return DeviceError(f"{target.name}: the device has gone", errno=errno.ENODEV, device=target.name)


def _own_flags(link: Link) -> int:
    """All flags of the device, where sysfs shows this network namespace; else those that rtnetlink told.

    rtnetlink keeps IFF_NAPI and IFF_NAPI_FRAGS to itself, and opening a device with other flags than its own would
    overwrite them. /sys shows the namespace of the process that mounted it: the ifindex says whether its entry is ours.
    """
    try:
        if _attribute(link, "ifindex", 10) == link.ifindex:
            return _attribute(link, "tun_flags", 16)
    except (OSError, ValueError):
        pass
    return link.tun_flags


def _attribute(link: Link, attribute: str, base: int) -> int:
    with open(f"{NET_CLASS}/{link.name}/{attribute}", encoding="ascii") as stream:
        return int(stream.read(), base)
