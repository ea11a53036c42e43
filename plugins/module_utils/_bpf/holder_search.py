# Copyright (c) 2026, virtnet.rss contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to the collection: who has the queues of wanted devices open (bpf/holders.h), found by the inspector's
# programs.

from __future__ import annotations

import contextlib
import ctypes
import os
import struct
import typing as t

from ansible_collections.virtnet.rss.plugins.module_utils._bpf.generated import inspect_abi as abi
from ansible_collections.virtnet.rss.plugins.module_utils._bpf.generated import inspect_object as names
from ansible_collections.virtnet.rss.plugins.module_utils._bpf.inventory import map_memory
from ansible_collections.virtnet.rss.plugins.module_utils._errors import ObjectError

if t.TYPE_CHECKING:
    from ansible_collections.virtnet.rss.plugins.module_utils._bpf.bpf_object import BpfObject
    from ansible_collections.virtnet.rss.plugins.module_utils._bpf.libbpf import Libbpf

__all__ = ("HolderSearch", "Image", "OpenQueue")

READ_SIZE = 1 << 12
BROKEN_OFF = 1000  # reads that a thousand million open files break off
# struct holder_record; ctypes would take five times as long for a thousand of them
RECORD = struct.Struct(f"=IIIIQQ{abi.HolderRecord.command.size}s")


class Image(t.NamedTuple):
    """A process for as long as it runs one program: what was once read of its arguments holds for the same image."""

    started: int  # nanoseconds since the host was started
    programs: int  # that it has become with execve(), counted on in its children


class OpenQueue(t.NamedTuple):
    """One open descriptor of a TUN/TAP device."""

    netns_inode: int
    ifindex: int
    pid: int | None  # None: the process is in no pid namespace that this one can see
    descriptor: int
    command: str
    image: Image


class HolderSearch:
    """Of one loaded object, with ``room`` for so many open queues."""

    def __init__(self, libbpf: Libbpf, loaded: BpfObject, program: str, room: int) -> None:
        self._libbpf = libbpf
        self._object = loaded
        self._program = program
        self._room = room
        self._link: t.Any = None
        self._wanted = loaded.map_fd(names.MAP_WANTED)
        self._holders = map_memory(loaded.map_fd(names.MAP_HOLDERS), room * RECORD.size)
        self._search = map_memory(loaded.map_fd(names.MAP_SEARCH), ctypes.sizeof(abi.SearchState))

    def close(self) -> None:
        """The object is the caller's to close."""
        if self._link:
            self._libbpf.call("bpf_link__destroy", self._link)
            self._link = None
        self._holders.close()
        self._search.close()

    @contextlib.contextmanager
    def wanted(self, devices: t.Collection[tuple[int, int]]) -> t.Iterator[None]:
        """Ask for these devices in the ``with`` block, and for none of their queues' files yet."""
        keys = (abi.DeviceKey * len(devices))(*(abi.DeviceKey(*device) for device in devices))
        none_told = (ctypes.c_uint32 * len(devices))()
        count = ctypes.c_uint32(len(devices))
        self._search[:] = bytes(len(self._search))
        try:
            self._libbpf.call("bpf_map_update_batch", self._wanted, keys, none_told, ctypes.byref(count), None)
            yield
        finally:
            with contextlib.suppress(ObjectError):  # they were not all put in
                self._libbpf.call("bpf_map_delete_batch", self._wanted, keys, ctypes.byref(count), None)

    def run(self) -> tuple[list[OpenQueue], int]:
        """The open queues of the wanted devices, and how many there was no room for."""
        self._iterate()
        found = int(abi.SearchState.from_buffer_copy(self._search).found)
        seen = min(found, self._room)
        content = self._holders[: seen * RECORD.size]
        return [_queue(fields) for fields in RECORD.iter_unpack(content)], found - seen

    def _iterate(self) -> None:
        """One run over all processes of the host."""
        if self._link is None:
            self._link = self._object.attach_iterator(self._program)
        iterator = self._libbpf.call("bpf_iter_create", self._libbpf.call("bpf_link__fd", self._link))
        try:
            while _read(iterator):
                pass
        except OSError as exc:
            raise ObjectError(f"the open files cannot be read: {exc.strerror}", errno=exc.errno) from exc
        finally:
            os.close(iterator)


def _read(iterator: int) -> bytes:
    """The next part of an iterator's output; nothing at its end.

    Linux breaks a read off with EAGAIN when it met a million objects and none was written (kernel/bpf/bpf_iter.c,
    MAX_ITER_OBJECTS), as on a host with so many open files; the next read goes on where it stopped.
    """
    for _million in range(BROKEN_OFF):
        with contextlib.suppress(BlockingIOError):
            return os.read(iterator, READ_SIZE)
    return os.read(iterator, READ_SIZE)


def _queue(fields: t.Sequence[t.Any]) -> OpenQueue:
    netns, ifindex, pid, descriptor, started, programs, command = fields
    text = command.partition(b"\0")[0].decode("utf-8", "replace")
    return OpenQueue(netns, ifindex, pid or None, descriptor, text, Image(started, programs))
