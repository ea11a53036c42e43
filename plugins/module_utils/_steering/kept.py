# Copyright (c) 2026, virtnet.rss contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to the collection: programs that were attached, so that one that somebody takes off can be put back as it was:
# nothing is loaded or proven again, which is nine tenths of the work, flows keep their queues, and counters go on.

from __future__ import annotations

import contextlib
import os
import resource
import sys
import typing as t
from dataclasses import dataclass

if t.TYPE_CHECKING:
    from ansible_collections.virtnet.rss.plugins.module_utils._program.model import AttachedProgram
    from ansible_collections.virtnet.rss.plugins.module_utils._steering.model import Device
    from ansible_collections.virtnet.rss.plugins.module_utils._tun.device_id import DeviceId

__all__ = ("Kept", "KeptPrograms")

SHARE = 4  # at most a quarter of the descriptors that this process may have


@dataclass(frozen=True)
class Kept:
    """A program that steered a device."""

    attached: AttachedProgram
    loaded_with: int  # Python's keyed hash (SipHash, 64 bits) of its .rodata, which has some 40 KiB of tables
    proven: bool
    birth: int  # of the device
    descriptor: int


class KeptPrograms:
    """By device, at most one each, and of many devices those used last: each takes a descriptor."""

    def __init__(self, most: int = 0) -> None:
        """``most`` is how many; none for work that is over soon."""
        self._most = most
        self._kept: dict[DeviceId, Kept] = {}  # the one used last is at the end

    def keep(self, device: Device, attached: AttachedProgram, rodata: bytes, descriptor: int, *, proven: bool) -> None:
        """Remember what has been attached, by a descriptor of its own. Where none is to be had, nothing is kept."""
        self.forget(device.id)
        most = min(self._most, _allowed_descriptors() // SHARE)
        while self._kept and len(self._kept) >= most:
            self.forget(next(iter(self._kept)))
        if most:
            with contextlib.suppress(OSError):
                own = os.dup(descriptor)
                self._kept[device.id] = Kept(attached, hash(rodata), proven, device.birth, own)

    def of(self, device: Device, rodata: bytes, *, proven: bool) -> Kept | None:
        """What this very device was steered by, if that is what would be loaded now."""
        kept = self._kept.get(device.id)
        if kept is None or kept.birth != device.birth or (proven and not kept.proven):
            return None
        if kept.loaded_with != hash(rodata):
            return None
        self._kept[device.id] = self._kept.pop(device.id)
        return kept

    def key_of(self, device: Device) -> bytes | None:
        """The hash key (40 bytes) that it had."""
        kept = self._kept.get(device.id)
        if kept is None or kept.birth != device.birth or kept.attached.configuration is None:
            return None
        return kept.attached.configuration.rss.hash_key

    def forget(self, device: DeviceId) -> None:
        """What steered it shall not come back."""
        kept = self._kept.pop(device, None)
        if kept:
            os.close(kept.descriptor)

    def forget_unless(self, device: DeviceId, program: int) -> None:
        """Somebody has given it another program, by this number: what it had before is not put back, nor its key."""
        kept = self._kept.get(device)
        if kept and kept.attached.id != program:
            self.forget(device)

    def forget_all_but(self, devices: t.Container[DeviceId]) -> None:
        """The others have gone, or are not ours to steer."""
        for device in [each for each in self._kept if each not in devices]:
            self.forget(device)


def _allowed_descriptors() -> int:
    limit, _hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    return sys.maxsize if limit == resource.RLIM_INFINITY else limit
