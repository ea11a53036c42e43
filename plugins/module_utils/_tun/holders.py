# Copyright (c) 2026, virtnet.rss contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to the collection: the holders of TUN/TAP devices, found in /proc, and copies of their descriptors.

from __future__ import annotations

import contextlib
import errno
import os
import typing as t
from dataclasses import dataclass

from ansible_collections.virtnet.rss.plugins.module_utils._errors import DeviceError
from ansible_collections.virtnet.rss.plugins.module_utils._tun.libc import c_call

__all__ = (
    "BPF_PROGRAM",
    "Holder",
    "duplicate_descriptor",
    "find_holders",
    "holder_command",
    "holders_in",
    "open_process",
)

# The same numbers on every architecture but alpha; Python has os.pidfd_open from 3.9 on, and pidfd_getfd never.
SYS_PIDFD_OPEN, SYS_PIDFD_GETFD = 434, 438
BPF_PROGRAM = "anon_inode:bpf-prog"  # what a link of /proc/PID/fd to one looks like
# What those that cannot be a device file look like; reading the link is cheaper than fdinfo.
NO_FILES = ("socket:", "pipe:", "anon_inode:", "/memfd:")
FDINFO_SIZE = 1 << 16  # of a queue it has some 100 bytes; of an epoll file it has a line for each that it waits for


@dataclass(frozen=True)
class Holder:
    """A process that has a queue of a device open, and one of its descriptors of that device."""

    pid: int
    command: str
    descriptor: int
    # Stays while the process runs one program, and no other has it; None where the kernel's own tables cannot be read.
    image: tuple[int, int] | None = None


def find_holders() -> dict[str, list[Holder]]:
    """Holders by device name, one entry for each open queue, for hosts where the kernel's own tables cannot be read.

    Names are those of fdinfo's ``iff:`` line, and the same name may exist in several network namespaces. No file is
    opened, copied or asked for its status: it may be on a file system whose server never answers. Processes that come
    and go meanwhile are no error.
    """
    found: dict[str, list[Holder]] = {}
    for entry in os.listdir("/proc"):
        if not entry.isdigit():
            continue
        for descriptor in _candidates(entry):
            name = _device_name(entry, descriptor)
            if name:
                holder = Holder(int(entry), holder_command(int(entry)), descriptor)
                found.setdefault(name, []).append(holder)
    return found


def holders_in(netns_inode: int, holders: t.Iterable[Holder]) -> tuple[Holder, ...]:
    """Those that run in this network namespace: as a rule a process holds devices of its own. What tells for certain is
    a copy of its descriptor, which is made for a change only."""
    return tuple(holder for holder in holders if _netns_of(holder.pid) == netns_inode)


def _netns_of(pid: int) -> int:
    with contextlib.suppress(OSError):
        return os.stat(f"/proc/{pid}/ns/net").st_ino
    return 0


def holder_command(pid: int) -> str:
    """The process's name as the kernel keeps it (15 characters); empty when the process has gone."""
    with contextlib.suppress(OSError), open(f"/proc/{pid}/comm", encoding="utf-8", errors="replace") as comm:
        return comm.read().rstrip("\n")
    return ""


def _candidates(pid: str) -> list[int]:
    """The descriptors of a process that may be of /dev/net/tun; the node may have any other name."""
    folder = f"/proc/{pid}/fd"
    found = []
    with contextlib.suppress(OSError):  # the process has ended, or is not ours to look at
        for descriptor in os.listdir(folder):
            with contextlib.suppress(OSError):
                if not os.readlink(f"{folder}/{descriptor}").startswith(NO_FILES):
                    found.append(int(descriptor))
    return found


def _device_name(pid: str, descriptor: int) -> str:
    """The ``iff:`` line of fdinfo; empty for a descriptor of no device, or of one that has been deleted."""
    with contextlib.suppress(OSError), open(f"/proc/{pid}/fdinfo/{descriptor}", "rb") as fdinfo:
        for line in fdinfo.read(FDINFO_SIZE).splitlines():
            if line.startswith(b"iff:"):
                return os.fsdecode(line[4:].strip())
    return ""


def open_process(pid: int) -> int:
    """A pidfd (kernel 5.3), which stands for this very process whatever becomes of its number; OSError."""
    return c_call("syscall", SYS_PIDFD_OPEN, pid, 0)


def duplicate_descriptor(pid: int, descriptor: int) -> int:
    """A copy of another process's descriptor: the same open file, so not a new queue (kernel 5.6).

    DeviceError with errno: ESRCH the process has gone, EBADF it closed the descriptor, EPERM ptrace is not allowed
    (CAP_SYS_PTRACE, Yama scope 3, SELinux deny_ptrace), ENOSYS the kernel or a seccomp filter has no such call.
    """
    pidfd = -1
    try:
        pidfd = open_process(pid)
        return c_call("syscall", SYS_PIDFD_GETFD, pidfd, descriptor, 0)
    except OSError as exc:
        hint = " (ptrace of it is not allowed)" if exc.errno in (errno.EPERM, errno.EACCES) else ""
        raise DeviceError(
            f"cannot copy descriptor {descriptor} of process {pid}{hint}: {exc.strerror}", errno=exc.errno
        ) from exc
    finally:
        if pidfd >= 0:
            os.close(pidfd)
