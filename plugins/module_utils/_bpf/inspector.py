# Copyright (c) 2026, virtnet.rss contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to the collection: asks the kernel itself which program steers which device (bpf/inspect.bpf.c).

from __future__ import annotations

import ctypes
import os
import typing as t
from dataclasses import dataclass

from ansible_collections.virtnet.rss.plugins.module_utils._bpf.bpf_object import BpfObject, embedded_object
from ansible_collections.virtnet.rss.plugins.module_utils._bpf.closing import Closing
from ansible_collections.virtnet.rss.plugins.module_utils._bpf.generated import inspect_object
from ansible_collections.virtnet.rss.plugins.module_utils._bpf.generated.inspect_abi import QueueRecord
from ansible_collections.virtnet.rss.plugins.module_utils._errors import ObjectError

if t.TYPE_CHECKING:
    from ansible_collections.virtnet.rss.plugins.module_utils._bpf.libbpf import Libbpf

__all__ = ("Inspector", "OpenQueue")

READ_SIZE = 1 << 16
KERNEL_TYPES = "/sys/kernel/btf/vmlinux"


@dataclass(frozen=True)
class OpenQueue:
    """One open descriptor of a TUN/TAP device, in whatever network namespace."""

    pid: int
    command: str
    descriptor: int
    netns_inode: int
    ifindex: int
    device: str
    tun_flags: int
    queues: int
    disabled_queues: int
    program_id: int | None


class Inspector(Closing):
    """A loaded iterator over all open files; each look() runs it once. Use it in a ``with`` block."""

    def __init__(self, libbpf: Libbpf) -> None:
        """VerifierError or ObjectError where the kernel has no such iterator (before 5.8), or no BTF."""
        self._libbpf = libbpf
        self._link = None
        self._object = BpfObject(libbpf, embedded_object(inspect_object.OBJECTS))
        try:
            self._object.load()
            self._link = self._object.attach_iterator(inspect_object.PROGRAM)
        except BaseException as exc:
            self.close()
            # libbpf looks elsewhere too, so the file is no condition; but without it its error tells nothing.
            if isinstance(exc, ObjectError) and not os.path.exists(KERNEL_TYPES):
                reason = f"the kernel does not tell its types (no BTF in {KERNEL_TYPES}): {exc}"
                raise ObjectError(reason, errno=exc.errno) from exc
            raise

    def close(self) -> None:
        """Unload the iterator."""
        if self._link:
            self._libbpf.call("bpf_link__destroy", self._link)
            self._link = None
        self._object.close()

    def records(self) -> bytes:
        """What look() makes its list of (struct queue_record, bpf/record.h): the same bytes, the same state."""
        iterator = self._libbpf.call("bpf_iter_create", self._libbpf.call("bpf_link__fd", self._link))
        try:
            return b"".join(iter(lambda: os.read(iterator, READ_SIZE), b""))
        finally:
            os.close(iterator)

    def look(self) -> list[OpenQueue]:
        """Every open queue on this host, as far as its process is in our pid namespace."""
        content, size = self.records(), ctypes.sizeof(QueueRecord)
        return [_queue(QueueRecord.from_buffer_copy(content, start)) for start in range(0, len(content), size)]


def _queue(record: QueueRecord) -> OpenQueue:
    return OpenQueue(
        pid=record.tgid,
        command=record.command.decode("utf-8", "replace"),
        descriptor=record.descriptor,
        netns_inode=record.netns_inode,
        ifindex=record.ifindex,
        device=os.fsdecode(record.device),
        tun_flags=record.flags,
        queues=record.queues,
        disabled_queues=record.disabled_queues,
        program_id=record.program_id or None,
    )
