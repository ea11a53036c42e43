# Copyright (c) 2026, virtnet.rss contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to the collection: the only place that talks to the tun driver (include/uapi/linux/if_tun.h).

from __future__ import annotations

import errno
import fcntl
import os
import struct
import typing as t

from ansible_collections.virtnet.rss.plugins.module_utils._errors import DeviceError

__all__ = (
    "IFF_MULTI_QUEUE",
    "IFF_NAPI",
    "IFF_NAPI_FRAGS",
    "IFF_NO_CARRIER",
    "IFF_NO_PI",
    "IFF_PERSIST",
    "IFF_TAP",
    "IFF_TUN",
    "IFF_TUN_EXCL",
    "IFF_VNET_HDR",
    "TUNGETDEVNETNS",
    "TUNGETIFF",
    "TUNSETGROUP",
    "TUNSETIFF",
    "TUNSETOWNER",
    "TUNSETPERSIST",
    "TUNSETQUEUE",
    "TUNSETSTEERINGEBPF",
    "TUN_DEVICE",
    "detach_queue",
    "device_netns",
    "device_of",
    "ifreq",
    "join_device",
    "open_control",
    "set_group",
    "set_owner",
    "set_persistent",
    "set_steering_program",
)

TUN_DEVICE = "/dev/net/tun"

IFF_TUN = 0x0001
IFF_TAP = 0x0002
IFF_NAPI = 0x0010
IFF_NAPI_FRAGS = 0x0020
IFF_NO_CARRIER = 0x0040  # of the open alone (Linux 6.2): it leaves the carrier as it is; older kernels ignore it
IFF_MULTI_QUEUE = 0x0100
IFF_DETACH_QUEUE = 0x0400
IFF_PERSIST = 0x0800
IFF_NO_PI = 0x1000
IFF_VNET_HDR = 0x4000
IFF_TUN_EXCL = 0x8000  # a device of that name is an error (EBUSY), never joined

NAME_SIZE = 16  # IFNAMSIZ, with the terminating zero
IFREQ_SIZE = 40  # whole struct ifreq: the kernel copies all of it, so a shorter buffer would be overrun

# include/uapi/asm-generic/ioctl.h, and the architectures that differ from it
_OLD_DIRECTIONS = os.uname().machine.startswith(("ppc", "mips", "sparc"))
_NONE, _WRITE, _READ = (1, 4, 2) if _OLD_DIRECTIONS else (0, 1, 2)
_DIRECTION_SHIFT = 29 if _OLD_DIRECTIONS else 30


def _ioctl_number(direction: int, number: int, size: int) -> int:
    return direction << _DIRECTION_SHIFT | size << 16 | ord("T") << 8 | number


TUNSETIFF = _ioctl_number(_WRITE, 202, 4)
TUNSETPERSIST = _ioctl_number(_WRITE, 203, 4)
TUNSETOWNER = _ioctl_number(_WRITE, 204, 4)
TUNSETGROUP = _ioctl_number(_WRITE, 206, 4)
TUNGETIFF = _ioctl_number(_READ, 210, 4)
TUNSETQUEUE = _ioctl_number(_WRITE, 217, 4)
# A "set" that the kernel defines as a read: as _IOW it is EINVAL.
TUNSETSTEERINGEBPF = _ioctl_number(_READ, 224, 4)
TUNGETDEVNETNS = _ioctl_number(_NONE, 227, 0)

NO_PROGRAM = -1


def ifreq(name: str, flags: int) -> bytearray:
    """A whole ``struct ifreq`` (40 bytes): 16 bytes of name, then the flags as unsigned 16 bits in host byte order."""
    encoded = os.fsencode(name)
    if len(encoded) >= NAME_SIZE:
        raise DeviceError(f"{name!r} has {len(encoded)} bytes; a device name has at most {NAME_SIZE - 1}")
    return bytearray(struct.pack(f"={NAME_SIZE}sH", encoded, flags & 0xFFFF).ljust(IFREQ_SIZE, b"\0"))


def open_control() -> int:
    """Open /dev/net/tun: a descriptor that is no queue of any device yet."""
    return os.open(TUN_DEVICE, os.O_RDWR | os.O_CLOEXEC | os.O_NONBLOCK)


def join_device(descriptor: int, name: str, flags: int) -> None:
    """Make a control descriptor a queue of ``name``; ``flags`` must be the device's own, for they overwrite them.

    A name that no device has *creates* one: look first. OSError EBUSY: a single-queue device that is held;
    EINVAL: IFF_MULTI_QUEUE does not match.
    """
    fcntl.ioctl(descriptor, TUNSETIFF, ifreq(name, flags & ~IFF_PERSIST))


def detach_queue(descriptor: int) -> None:
    """Take the queue of this descriptor out of the device's receive path; the descriptor still controls the device."""
    fcntl.ioctl(descriptor, TUNSETQUEUE, ifreq("", IFF_DETACH_QUEUE))


def device_of(descriptor: int) -> tuple[str, int]:
    """Name and flags of the device that this descriptor belongs to; OSError EBADFD when it belongs to none."""
    request = bytearray(ifreq("", 0))
    fcntl.ioctl(descriptor, TUNGETIFF, request)
    name, flags = t.cast("tuple[bytes, int]", struct.unpack_from(f"={NAME_SIZE}sH", request))
    return os.fsdecode(name.partition(b"\0")[0]), flags


def device_netns(descriptor: int) -> int | None:
    """Inode of the network namespace that the descriptor's device is in; None before Linux 5.7, which cannot tell."""
    try:
        namespace = fcntl.ioctl(descriptor, TUNGETDEVNETNS)
    except OSError as exc:
        if exc.errno in (errno.EINVAL, errno.ENOTTY):
            return None
        raise
    try:
        return os.fstat(namespace).st_ino
    finally:
        os.close(namespace)


def set_owner(descriptor: int, number: int) -> None:
    """Let this user open the descriptor's device."""
    fcntl.ioctl(descriptor, TUNSETOWNER, _signed(number))


def set_group(descriptor: int, number: int) -> None:
    """Let this group open the descriptor's device."""
    fcntl.ioctl(descriptor, TUNSETGROUP, _signed(number))


def set_persistent(descriptor: int, persistent: bool) -> None:
    """Whether the descriptor's device stays when nobody holds it any more."""
    fcntl.ioctl(descriptor, TUNSETPERSIST, int(persistent))


def _signed(number: int) -> int:
    """Python takes a C int; the kernel reads ids as unsigned."""
    return number - (1 << 32) if number >= 1 << 31 else number


def set_steering_program(descriptor: int, program: int | None) -> None:
    """Attach a loaded socket filter, given by its descriptor, as the device's steering program; None detaches.

    One pointer swap in the kernel (drivers/net/tun.c, __tun_set_ebpf): each packet sees the old program or the new one.
    """
    fcntl.ioctl(descriptor, TUNSETSTEERINGEBPF, struct.pack("=i", NO_PROGRAM if program is None else program))
