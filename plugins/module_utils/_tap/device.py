# Copyright (c) 2026, virtnet.rss contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to the collection: makes and removes TAP devices and sets who may open them, through the tun driver alone.
# Not through pyroute2: on a name that exists, its "add" joins the device and overwrites its flags.

from __future__ import annotations

import abc
import contextlib
import errno
import os
import typing as t

from ansible_collections.virtnet.rss.plugins.module_utils._errors import CapabilityError, DeviceError
from ansible_collections.virtnet.rss.plugins.module_utils._tun import ioctls
from ansible_collections.virtnet.rss.plugins.module_utils._tun.descriptor import Target, control

__all__ = ("Driver", "TunDriver")


class Driver(abc.ABC):
    """The tun driver. Failures are DeviceError with errno."""

    @abc.abstractmethod
    def create(self, name: str, flags: int) -> int:
        """Make a device and hold it by the descriptor returned; until it is made persistent it goes with that."""

    @abc.abstractmethod
    def open(self, target: Target) -> t.ContextManager[int]:
        """A descriptor of an existing device, got without adding a queue to one that somebody holds."""

    @abc.abstractmethod
    def set_ownership(self, descriptor: int, *, owner: int | None, group: int | None) -> None:
        """Let this user and this group open the device; None leaves it as it is."""

    @abc.abstractmethod
    def set_persistent(self, descriptor: int, persistent: bool) -> None:
        """Whether the device stays when nobody holds it any more."""

    @abc.abstractmethod
    def close(self, descriptor: int) -> None:
        """Let go of a device."""


class TunDriver(Driver):
    """The one in the kernel."""

    def create(self, name: str, flags: int) -> int:
        descriptor = _open_control()
        try:
            ioctls.join_device(descriptor, name, flags | ioctls.IFF_TUN_EXCL)
        except OSError as exc:
            os.close(descriptor)
            raise DeviceError(_why_not_created(exc), errno=exc.errno, device=name) from exc
        return descriptor

    @contextlib.contextmanager
    def open(self, target: Target) -> t.Iterator[int]:
        with control(target) as opened:
            yield opened.descriptor

    def set_ownership(self, descriptor: int, *, owner: int | None, group: int | None) -> None:
        with _refusal_told():
            if owner is not None:
                ioctls.set_owner(descriptor, owner)
            if group is not None:
                ioctls.set_group(descriptor, group)

    def set_persistent(self, descriptor: int, persistent: bool) -> None:
        with _refusal_told():
            ioctls.set_persistent(descriptor, persistent)

    def close(self, descriptor: int) -> None:
        os.close(descriptor)


def _open_control() -> int:
    try:
        return ioctls.open_control()
    except OSError as exc:
        raise CapabilityError(
            f"cannot open {ioctls.TUN_DEVICE}: {exc.strerror}; the tun driver is needed (modprobe tun), and root",
            errno=exc.errno,
        ) from exc


def _why_not_created(exc: OSError) -> str:
    if exc.errno == errno.EBUSY:
        return "somebody has made a device of that name meanwhile"
    if exc.errno == errno.EPERM:
        return "it takes root or CAP_NET_ADMIN"
    return str(exc.strerror)


@contextlib.contextmanager
def _refusal_told() -> t.Iterator[None]:
    try:
        yield
    except OSError as exc:
        raise DeviceError(str(exc.strerror), errno=exc.errno) from exc
