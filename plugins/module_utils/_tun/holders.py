# Copyright (c) 2026, virtnet.rss contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to the collection: the holders of TUN/TAP devices, found in /proc, and copies of their descriptors.

from __future__ import annotations

import contextlib
import errno
import os
import stat
from dataclasses import dataclass

from ansible_collections.virtnet.rss.plugins.module_utils._errors import DeviceError
from ansible_collections.virtnet.rss.plugins.module_utils._tun.libc import c_call

__all__ = ("BPF_PROGRAM", "Holder", "duplicate_descriptor", "find_holders", "holder_command")

TUN_RDEV = os.makedev(10, 200)  # include/linux/miscdevice.h: MISC_MAJOR, TUN_MINOR
# The same numbers on every architecture but alpha; Python has os.pidfd_open from 3.9 on, and pidfd_getfd never.
SYS_PIDFD_OPEN, SYS_PIDFD_GETFD = 434, 438
# What links of /proc/PID/fd that cannot be a device file look like; reading the link is cheaper than a stat.
BPF_PROGRAM = "anon_inode:bpf-prog"
NO_FILES = ("socket:", "pipe:", "anon_inode:", "/memfd:")


@dataclass(frozen=True)
class Holder:
    """A process that has a queue of a device open, and one of its descriptors of that device."""

    pid: int
    command: str
    descriptor: int
    has_program: bool = False  # it has a BPF program open too, as QEMU has that loaded its own steering program


def find_holders() -> dict[str, list[Holder]]:
    """Holders by device name, one entry for each open queue.

    Names are those of fdinfo's ``iff:`` line. The same name may exist in several network namespaces: ask the duplicated
    descriptor (ioctls.device_netns). Processes that come and go meanwhile are no error.
    """
    found: dict[str, list[Holder]] = {}
    for entry in os.listdir("/proc"):
        if not entry.isdigit():
            continue
        queues, has_program = _scan(entry)
        for descriptor in queues:
            name = _device_name(entry, descriptor)
            if name:
                holder = Holder(int(entry), holder_command(int(entry)), descriptor, has_program)
                found.setdefault(name, []).append(holder)
    return found


def holder_command(pid: int) -> str:
    """The process's name as the kernel keeps it (15 characters); empty when the process has gone."""
    with contextlib.suppress(OSError), open(f"/proc/{pid}/comm", encoding="utf-8", errors="replace") as comm:
        return comm.read().rstrip("\n")
    return ""


def _scan(pid: str) -> tuple[list[int], bool]:
    """The descriptors of /dev/net/tun that a process has, and whether it has a BPF program open."""
    folder = f"/proc/{pid}/fd"
    queues, has_program = [], False
    with contextlib.suppress(OSError):  # the process has ended, or is not ours to look at
        for descriptor in os.listdir(folder):
            path = f"{folder}/{descriptor}"
            with contextlib.suppress(OSError):
                link = os.readlink(path)
                has_program = has_program or link == BPF_PROGRAM
                if not link.startswith(NO_FILES) and _is_tun(os.stat(path)):
                    queues.append(int(descriptor))
    return queues, has_program


def _is_tun(status: os.stat_result) -> bool:
    return stat.S_ISCHR(status.st_mode) and status.st_rdev == TUN_RDEV


def _device_name(pid: str, descriptor: int) -> str:
    """The ``iff:`` line of fdinfo; empty for a descriptor of no device, or of one that has been deleted."""
    with contextlib.suppress(OSError), open(f"/proc/{pid}/fdinfo/{descriptor}", "rb") as fdinfo:
        for line in fdinfo:
            if line.startswith(b"iff:"):
                return os.fsdecode(line[4:].strip())
    return ""


def duplicate_descriptor(pid: int, descriptor: int) -> int:
    """A copy of another process's descriptor: the same open file, so not a new queue (kernel 5.6).

    DeviceError with errno: ESRCH the process has gone, EBADF it closed the descriptor, EPERM ptrace is not allowed
    (CAP_SYS_PTRACE, Yama scope 3, SELinux deny_ptrace), ENOSYS the kernel or a seccomp filter has no such call.
    """
    pidfd = -1
    try:
        pidfd = c_call("syscall", SYS_PIDFD_OPEN, pid, 0)
        return c_call("syscall", SYS_PIDFD_GETFD, pidfd, descriptor, 0)
    except OSError as exc:
        hint = " (ptrace of it is not allowed)" if exc.errno in (errno.EPERM, errno.EACCES) else ""
        raise DeviceError(
            f"cannot copy descriptor {descriptor} of process {pid}{hint}: {exc.strerror}", errno=exc.errno
        ) from exc
    finally:
        if pidfd >= 0:
            os.close(pidfd)
