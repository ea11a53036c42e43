# Copyright (c) 2026, virtnet.rss contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to the collection: a descriptor through which a TAP device can be controlled without disturbing its guest.

from __future__ import annotations

import contextlib
import errno
import os
import typing as t
from dataclasses import dataclass

from ansible_collections.virtnet.rss.plugins.module_utils._errors import DeviceError
from ansible_collections.virtnet.rss.plugins.module_utils._tun import ioctls
from ansible_collections.virtnet.rss.plugins.module_utils._tun.holders import duplicate_descriptor
from ansible_collections.virtnet.rss.plugins.module_utils._tun.links import find_link
from ansible_collections.virtnet.rss.plugins.module_utils._tun.sysfs import read_tun_flags

if t.TYPE_CHECKING:
    from ansible_collections.virtnet.rss.plugins.module_utils._tun.device_id import DeviceId
    from ansible_collections.virtnet.rss.plugins.module_utils._tun.holders import Holder

__all__ = ("COPIED", "JOINED", "OPENED", "Control", "Target", "belongs_to", "control", "holders_of")

# How the device was reached. Only JOINED is felt by a guest: for an instant the device has one more queue.
COPIED, OPENED, JOINED = "copied", "opened", "joined"
PTRACE_FORBIDDEN = (errno.EPERM, errno.EACCES, errno.ENOSYS)


@dataclass(frozen=True)
class Target:
    """The device that is meant: names repeat in other namespaces, and indexes too."""

    name: str
    id: DeviceId
    holders: tuple[Holder, ...] = ()


@dataclass(frozen=True)
class Control:
    """An open descriptor of the device, and how it was come by."""

    descriptor: int
    way: str


@contextlib.contextmanager
def control(target: Target) -> t.Iterator[Control]:
    """A descriptor of the device for the ``with`` block; DeviceError when it has gone or cannot be reached.

    A held device is reached through a copy of a holder's descriptor: that is the same open file, so no queue is added.
    Only where copying is forbidden, the device is joined for an instant; one that nobody holds is opened.
    """
    opened = _copy_of_holder(target) if target.holders else Control(_open(target), OPENED)
    if opened is None:
        opened = Control(_join_and_detach(target), JOINED)
    try:
        yield opened
    finally:
        os.close(opened.descriptor)


def _copy_of_holder(target: Target) -> Control | None:
    """None when the kernel forbids copying; DeviceError when no holder has the device any more."""
    forbidden = False
    for holder in target.holders:
        try:
            descriptor = duplicate_descriptor(holder.pid, holder.descriptor)
        except DeviceError as exc:
            forbidden = forbidden or exc.errno in PTRACE_FORBIDDEN
            continue
        with contextlib.ExitStack() as unless_it_is:
            unless_it_is.callback(os.close, descriptor)
            if belongs_to(descriptor, target):
                unless_it_is.pop_all()
                return Control(descriptor, COPIED)
    if forbidden:
        return None
    raise DeviceError(
        f"{target.name}: every process that held the device has let go of it since it was looked at; run again",
        errno=errno.EBADFD,
        device=target.name,
    )


def belongs_to(descriptor: int, target: Target) -> bool:
    """Whether a descriptor is one of this very device: the holder may have reused its number since we looked.

    DeviceError EPERM without CAP_NET_ADMIN, which telling the device's network namespace takes.
    """
    try:
        name, _flags = ioctls.device_of(descriptor)
        netns = ioctls.device_netns(descriptor)
    except PermissionError as exc:
        raise DeviceError(
            f"{target.name}: cannot tell whose device it is: CAP_NET_ADMIN is missing",
            errno=exc.errno,
            device=target.name,
        ) from exc
    except OSError:
        return False
    return name == target.name and netns in (None, target.id.netns_inode)


def holders_of(target: Target, holders: t.Iterable[Holder]) -> tuple[Holder, ...]:
    """Those of this very device, out of the holders of any with its name: it may repeat in other network namespaces."""
    return tuple(holder for holder in holders if _holds(holder, target))


def _holds(holder: Holder, target: Target) -> bool:
    try:
        descriptor = duplicate_descriptor(holder.pid, holder.descriptor)
    except DeviceError:  # it may not be copied: believe the name
        return True
    try:
        return belongs_to(descriptor, target)
    except DeviceError:  # it cannot be told either
        return True
    finally:
        os.close(descriptor)


def _open(target: Target) -> int:
    """Open a device that nobody holds, with exactly its own flags."""
    descriptor = ioctls.open_control()
    try:
        _join(descriptor, target)
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor


def _join_and_detach(target: Target) -> int:
    """Join a held device and leave its receive path at once: the descriptor still controls the device."""
    descriptor = _open(target)
    try:
        ioctls.detach_queue(descriptor)
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor


def _join(descriptor: int, target: Target) -> None:
    # TUNSETIFF on a name that no device has would create one, so look immediately before.
    link = find_link(target.id.ifindex)
    if link is None or link.name != target.name:
        raise DeviceError(f"{target.name}: the device has gone", errno=errno.ENODEV, device=target.name)
    flags = read_tun_flags(link)
    try:
        ioctls.join_device(descriptor, link.name, flags)
    except OSError as exc:
        reason = "a process holds its only queue" if exc.errno == errno.EBUSY else exc.strerror
        raise DeviceError(
            f"{target.name}: cannot open the device: {reason}", errno=exc.errno, device=link.name
        ) from exc
