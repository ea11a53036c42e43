# Copyright (c) 2026, virtnet.rss contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to the collection: what /proc tells of other processes, read by a child, for their owners can make a reader
# wait. Arguments are fetched out of the process's memory, whose lock (mm/memory.c __access_remote_vm) is kept by who
# maps something over a changed file of a file system of his own until that is written (fs/fuse/file.c fuse_vma_close);
# so does a VMM whose file server hangs. The lock of the folder /proc/PID is kept by who lists it into such a file.

from __future__ import annotations

import itertools
import os
import typing as t

from ansible_collections.virtnet.rss.plugins.module_utils._errors import DeviceError
from ansible_collections.virtnet.rss.plugins.module_utils._tun.apart import SLICE, Apart

__all__ = ("LARGEST", "Processes")

LARGEST = 1 << 20  # bytes of arguments; a guest of two hundred devices has some fifty thousand
MOST_DESCRIPTORS = 8192  # of a process that are looked at
LIMIT = 0.1  # seconds for one process; a fraction of a millisecond is enough


class Processes:
    """Any number of them; one child reads of them all, from the first request until close().

    Each method raises DeviceError when the process makes us wait, which then costs SLICE seconds only until close():
    somebody may have many such processes. What has gone, or is not ours to look at, is empty.
    """

    def __init__(self) -> None:
        self._child = Apart(_read, limit=LIMIT)

    def close(self) -> None:
        """End the child; the next request starts another one."""
        self._child.close()
        self._child = Apart(_read, limit=LIMIT)

    def arguments(self, pid: int) -> bytes:
        """Each ended by a zero byte, at most LARGEST + 1 bytes: one more than is believed."""
        return self._ask("arguments", pid)

    def program(self, pid: int) -> str:
        """The name of the file that it runs, without its folders."""
        return os.path.basename(os.fsdecode(self._ask("program", pid)))

    def open_files(self, pid: int) -> frozenset[str]:
        """What its descriptors are of, as links of /proc/PID/fd tell it."""
        return frozenset(filter(None, os.fsdecode(self._ask("open_files", pid)).split("\0")))

    def _ask(self, what: str, pid: int) -> bytes:
        try:
            descriptor = self._child.fetch(f"{what} {pid}".encode(), of=(pid,))
        except DeviceError:
            self._child.close()
            self._child = Apart(_read, limit=SLICE)
            raise
        try:
            return os.pread(descriptor, os.fstat(descriptor).st_size, 0)
        finally:
            os.close(descriptor)


def _read(request: bytes) -> int:
    """In the child: the answer as a file in memory."""
    what, pid = request.decode().split()
    try:
        content = READERS[what](f"/proc/{pid}")
    except OSError:
        content = b""
    descriptor = os.memfd_create("answer", os.MFD_CLOEXEC)
    with open(os.dup(descriptor), "wb") as file:
        file.write(content)
    return descriptor


def _arguments(process: str) -> bytes:
    """The kernel fetches no more than is asked for."""
    content = b""
    with open(f"{process}/cmdline", "rb", buffering=0) as arguments:
        while len(content) <= LARGEST:
            part = arguments.read(LARGEST + 1 - len(content))
            if not part:
                break
            content += part
    return content


def _program(process: str) -> bytes:
    return os.fsencode(os.readlink(f"{process}/exe"))


def _open_files(process: str) -> bytes:
    links = set()
    with os.scandir(f"{process}/fd") as entries:
        for entry in itertools.islice(entries, MOST_DESCRIPTORS):
            try:
                links.add(os.readlink(entry.path))
            except FileNotFoundError:  # closed since
                continue
    return os.fsencode("\0".join(links))


READERS: dict[str, t.Callable[[str], bytes]] = {
    "arguments": _arguments,
    "program": _program,
    "open_files": _open_files,
}
