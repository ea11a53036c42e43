# Copyright (c) 2026, virtnet.rss contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to the collection: takes a device in hand and changes its program, if it still is what was planned for.

from __future__ import annotations

import contextlib
import errno
import os
import typing as t

from ansible_collections.virtnet.rss.plugins.module_utils._errors import DeviceError
from ansible_collections.virtnet.rss.plugins.module_utils._tun.descriptor import COPIED, Target, control
from ansible_collections.virtnet.rss.plugins.module_utils._tun.holders import open_process
from ansible_collections.virtnet.rss.plugins.module_utils._tun.ioctls import IFF_MULTI_QUEUE, set_steering_program

if t.TYPE_CHECKING:
    from ansible_collections.virtnet.rss.plugins.module_utils._bpf.inspector import Inspector, TunDevice
    from ansible_collections.virtnet.rss.plugins.module_utils._steering.model import Device
    from ansible_collections.virtnet.rss.plugins.module_utils._tun.apart import Apart
    from ansible_collections.virtnet.rss.plugins.module_utils._tun.descriptor import Control
    from ansible_collections.virtnet.rss.plugins.module_utils._tun.holders import Holder

__all__ = ("Lock", "MovedError", "RefusedError", "set_program")

GONE = (errno.EBADFD, errno.ENODEV)  # the holder has let go of it; it has no name any more
Lock = t.Callable[[], t.ContextManager[object]]


class MovedError(DeviceError):
    """The device is no longer what was planned for: look at it and plan again."""


class RefusedError(DeviceError):
    """The driver does not take this program."""


def set_program(
    device: Device, program: int | None, *, inspector: Inspector | None, lock: Lock, copies: Apart | None = None
) -> str:
    """Attach a program, given by its descriptor, or detach what is there; tells how the device was reached.

    Directly before the ioctl the descriptor in hand is asked which device it is and what steers it now: MovedError
    unless that is what ``device`` says. Without an inspector nothing more can be asked than which device it is. The
    lock of the one writer is held for this moment only, in which no other process can make us wait. ``copies`` is the
    copier that serves a whole run.
    """
    with _moved_when_gone(inspector), control(_target(device, inspector), copies) as reached, lock():
        if inspector:
            _check(device, reached, inspector)
        try:
            set_steering_program(reached.descriptor, program)
        except OSError as exc:
            raise RefusedError(
                f"{device.name}: the driver refused the program: {exc.strerror}", errno=exc.errno, device=device.name
            ) from exc
    return reached.way


@contextlib.contextmanager
def _moved_when_gone(inspector: Inspector | None) -> t.Iterator[None]:
    try:
        yield
    except DeviceError as exc:
        if inspector and exc.errno in GONE:
            raise MovedError(str(exc), errno=exc.errno, device=exc.device) from exc
        raise


def _target(device: Device, inspector: Inspector | None) -> Target:
    holders = device.holders
    if inspector and holders:
        # Nothing is copied that is not a queue of this device at this moment.
        holders = tuple(holder for holder in holders if _still_holds(holder, device, inspector))
        if not holders:
            raise MovedError(
                f"{device.name}: every process that held the device has let go of it since it was looked at",
                errno=errno.EBADFD,
                device=device.name,
            )
    flags = device.tun_flags if inspector else None
    return Target(device.name, device.id, holders, held=device.is_held, flags=flags)


def _still_holds(holder: Holder, device: Device, inspector: Inspector) -> bool:
    with contextlib.ExitStack() as stack:
        try:
            pidfd = open_process(holder.pid)
        except OSError as exc:  # it has gone, or pidfds are forbidden here, which the copy will tell
            return exc.errno != errno.ESRCH
        stack.callback(os.close, pidfd)
        found = inspector.in_hand(holder.descriptor, pidfd=pidfd).device
        return found is not None and found.birth == device.birth


def _check(device: Device, reached: Control, inspector: Inspector) -> None:
    hand = inspector.in_hand(reached.descriptor)
    if hand.device is None:
        raise MovedError(f"{device.name}: the device has gone", errno=errno.ENODEV, device=device.name)
    what = _difference(_as_it_should_be(device, reached), hand.device)
    if what:
        raise MovedError(f"{device.name}: {what} since it was looked at", errno=errno.EAGAIN, device=device.name)


def _as_it_should_be(device: Device, reached: Control) -> Device:
    """With the queue that is ours, which is a detached one where the device can have more than one."""
    if reached.way == COPIED:
        return device
    if device.tun_flags & IFF_MULTI_QUEUE:
        return device._replace(disabled_queues=device.disabled_queues + 1)
    return device._replace(queues=device.queues + 1)


def _difference(expected: Device, found: TunDevice) -> str:
    """What has happened; empty when nothing has."""
    if (found.birth, found.netns_inode, found.ifindex) != (expected.birth, *expected.id):
        return "it has been removed or moved"
    if found.program_id != (expected.program.id if expected.program else None):
        return "another program has been attached or taken off"
    if (found.queues, found.disabled_queues) != (expected.queues, expected.disabled_queues):
        return "the number of its queues has changed"
    return ""
