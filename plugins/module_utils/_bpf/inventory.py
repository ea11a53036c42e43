# Copyright (c) 2026, virtnet.rss contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to the collection: which BPF programs the kernel holds, and what is in their maps.

from __future__ import annotations

import ctypes
import errno
import mmap
import os
import typing as t
from dataclasses import dataclass

from ansible_collections.virtnet.rss.plugins.module_utils._bpf.libbpf import MapInfo, ProgramInfo, TestRunOptions
from ansible_collections.virtnet.rss.plugins.module_utils._errors import ObjectError

if t.TYPE_CHECKING:
    from ansible_collections.virtnet.rss.plugins.module_utils._bpf.libbpf import Libbpf

__all__ = (
    "SOCKET_FILTER",
    "Program",
    "map_info",
    "map_memory",
    "open_map",
    "open_program",
    "program_ids",
    "program_of",
    "read_element",
    "read_per_cpu",
    "run_program",
    "write_element",
)

SOCKET_FILTER = 1  # BPF_PROG_TYPE_SOCKET_FILTER
MAX_MAPS = 64  # MAX_USED_MAPS


@dataclass(frozen=True)
class Program:
    """One program as the kernel describes it."""

    id: int
    type: int
    name: str
    tag: str  # 16 hexadecimal digits, as bpftool prints them
    load_time: int  # nanoseconds since boot
    uid: int
    map_ids: tuple[int, ...]
    run_time_ns: int = 0  # both grow only while the kernel's BPF statistics are on
    run_count: int = 0


def program_ids(libbpf: Libbpf) -> t.Iterator[int]:
    """Ids of all loaded programs in ascending order; ObjectError EPERM without CAP_SYS_ADMIN."""
    current = ctypes.c_uint32(0)
    while True:
        try:
            libbpf.call("bpf_prog_get_next_id", current.value, ctypes.byref(current))
        except ObjectError as exc:
            if exc.errno == errno.ENOENT:
                return
            raise _telling(exc) from exc
        yield current.value


def _telling(error: ObjectError) -> ObjectError:
    """With what is missing: only CAP_SYS_ADMIN may look at objects that others have loaded (kernel/bpf/syscall.c)."""
    what = " (CAP_SYS_ADMIN is missing)" if error.errno == errno.EPERM else ""
    return ObjectError(f"{error}{what}", errno=error.errno)


def _open(libbpf: Libbpf, call: str, number: int) -> int | None:
    """A descriptor by id, or None when the object has vanished since its id was read."""
    try:
        return libbpf.call(call, number)
    except ObjectError as exc:
        if exc.errno == errno.ENOENT:
            return None
        raise _telling(exc) from exc


def open_program(libbpf: Libbpf, program_id: int) -> int | None:
    """Descriptor of a program, which the caller closes; None when it has gone."""
    return _open(libbpf, "bpf_prog_get_fd_by_id", program_id)


def open_map(libbpf: Libbpf, map_id: int) -> int | None:
    """Descriptor of a map, which the caller closes; None when it has gone."""
    return _open(libbpf, "bpf_map_get_fd_by_id", map_id)


def _info(libbpf: Libbpf, descriptor: int, info: ctypes.Structure) -> None:
    length = ctypes.c_uint32(ctypes.sizeof(info))
    libbpf.call("bpf_obj_get_info_by_fd", descriptor, ctypes.byref(info), ctypes.byref(length))


def program_of(libbpf: Libbpf, descriptor: int) -> Program:
    """What the kernel tells about the program behind a descriptor."""
    map_ids = (ctypes.c_uint32 * MAX_MAPS)()
    info = ProgramInfo(nr_map_ids=MAX_MAPS, map_ids=ctypes.addressof(map_ids))
    _info(libbpf, descriptor, info)
    return Program(
        id=info.id,
        type=info.type,
        name=os.fsdecode(info.name),
        tag=bytes(info.tag).hex(),
        load_time=info.load_time,
        uid=info.created_by_uid,
        map_ids=tuple(map_ids[: min(info.nr_map_ids, MAX_MAPS)]),
        run_time_ns=info.run_time_ns,
        run_count=info.run_cnt,
    )


def map_info(libbpf: Libbpf, descriptor: int) -> MapInfo:
    """What the kernel tells about the map behind a descriptor."""
    info = MapInfo()
    _info(libbpf, descriptor, info)
    return info


def map_memory(descriptor: int, size: int) -> mmap.mmap:
    """The values of a mappable map, shared with this process: an array's are one behind the other, in whole pages."""
    try:
        return mmap.mmap(descriptor, -(-size // mmap.PAGESIZE) * mmap.PAGESIZE, mmap.MAP_SHARED)
    except OSError as exc:
        raise ObjectError(f"the memory of a BPF map cannot be shared: {exc.strerror}", errno=exc.errno) from exc


def read_element(libbpf: Libbpf, descriptor: int, size: int, key: int = 0) -> bytes:
    """One element, ``size`` bytes, of a map with 32-bit keys."""
    value = ctypes.create_string_buffer(size)
    libbpf.call("bpf_map_lookup_elem", descriptor, ctypes.byref(ctypes.c_uint32(key)), value)
    return value.raw


def write_element(libbpf: Libbpf, descriptor: int, value: bytes, key: int = 0) -> None:
    """The same the other way round; of a per-CPU map a value for every possible CPU."""
    libbpf.call("bpf_map_update_elem", descriptor, ctypes.byref(ctypes.c_uint32(key)), value, 0)


def read_per_cpu(libbpf: Libbpf, descriptor: int, size: int, keys: t.Iterable[int]) -> list[list[bytes]]:
    """Elements of a per-CPU map: for each key a value of ``size`` bytes, a multiple of 8, for every possible CPU."""
    end = size * libbpf.call("libbpf_num_possible_cpus")
    values = (read_element(libbpf, descriptor, end, key) for key in keys)
    return [[value[start : start + size] for start in range(0, end, size)] for value in values]


def run_program(libbpf: Libbpf, descriptor: int, data: bytes, *, repeat: int = 1) -> tuple[int, int]:
    """What a program gives for ``data``, and the mean run time in nanoseconds (BPF_PROG_TEST_RUN).

    A socket filter gets what is behind the first 14 bytes, which it can still read as the MAC header; ObjectError
    EINVAL where that is nothing.
    """
    options = TestRunOptions(
        size=ctypes.sizeof(TestRunOptions),
        data_in=ctypes.cast(ctypes.c_char_p(data), ctypes.c_void_p),
        data_size_in=len(data),
        repeat=repeat,
    )
    libbpf.call("bpf_prog_test_run_opts", descriptor, ctypes.byref(options))
    return options.retval, options.duration
