# Copyright (c) 2026, virtnet.rss contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to the collection: the arguments of other processes, read by a child. The kernel fetches them out of the
# process's memory and waits for the lock of that (mm/memory.c __access_remote_vm), which its owner may keep for as long
# as he likes: who maps something over a changed file of a file system of his own keeps it until that has been written
# (fs/fuse/file.c fuse_vma_close). So does a VMM whose file server hangs.

from __future__ import annotations

import os

from ansible_collections.virtnet.rss.plugins.module_utils._errors import DeviceError
from ansible_collections.virtnet.rss.plugins.module_utils._tun.apart import SLICE, Apart

__all__ = ("LARGEST", "Arguments")

LARGEST = 1 << 20  # bytes; a guest of two hundred devices has some fifty thousand
LIMIT = 0.1  # seconds for one process; a fraction of a millisecond is enough


class Arguments:
    """Those of any number of processes; one child reads them all, from the first request until close()."""

    def __init__(self) -> None:
        self._child = Apart(_read, limit=LIMIT)

    def close(self) -> None:
        """End the child; the next request starts another one."""
        self._child.close()
        self._child = Apart(_read, limit=LIMIT)

    def of(self, pid: int) -> bytes:
        """Each ended by a zero byte, at most LARGEST + 1 bytes; empty where the process has none, has gone or is not
        ours to look at. DeviceError when the process makes us wait, which then costs SLICE seconds only until close():
        somebody may have many such processes.
        """
        try:
            descriptor = self._child.fetch(b"%d" % pid, of=(pid,))
        except DeviceError:
            self._child.close()
            self._child = Apart(_read, limit=SLICE)
            raise
        try:
            return os.pread(descriptor, LARGEST + 1, 0)
        finally:
            os.close(descriptor)


def _read(request: bytes) -> int:
    """In the child: the arguments as a file in memory, with one byte more than is believed, if there are so many. The
    kernel fetches no more than is asked for."""
    try:
        content = b""
        with open(b"/proc/%s/cmdline" % request, "rb", buffering=0) as arguments:
            while len(content) <= LARGEST:
                part = arguments.read(LARGEST + 1 - len(content))
                if not part:
                    break
                content += part
    except OSError:
        content = b""
    descriptor = os.memfd_create("arguments", os.MFD_CLOEXEC)
    with open(os.dup(descriptor), "wb") as file:
        file.write(content)
    return descriptor
