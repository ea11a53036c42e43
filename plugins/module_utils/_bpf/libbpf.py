# Copyright (c) 2026, virtnet.rss contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to the collection: the only ctypes binding of libbpf. Nothing is loaded before load_libbpf() is called.

from __future__ import annotations

import contextlib
import ctypes
import functools
import os
import re
import typing as t

from ansible_collections.virtnet.rss.plugins.module_utils._errors import CapabilityError, ObjectError

__all__ = (
    "Libbpf",
    "LoadOptions",
    "MapInfo",
    "MapOptions",
    "ProgramInfo",
    "TestRunOptions",
    "error_name",
    "load_libbpf",
)

# The shared-object names of libbpf 1.x and 0.x. Their calls are the same ones; how they report errors is not.
LIBRARY_NAMES = ("libbpf.so.1", "libbpf.so.0")
MAX_ERRNO = 4095  # include/linux/err.h: a pointer in the last 4095 addresses is a negative errno
PRINT_WARNING = 0  # enum libbpf_print_level
FIRST_POINTER = 1 << 12  # no object is in the first page, so a smaller number is a descriptor or a count
KEPT = 1 << 15  # bytes of the beginning and of the end of a message
# RHEL and Debian number libbpf's own errors the same way (libbpf.h, enum libbpf_errno).
LIBBPF_ERRORS = {
    4000: "not an ELF object that libbpf understands",
    4001: "not a valid object format",
    4003: "object of the wrong byte order",
    4004: "internal error of libbpf",
    4005: "relocation failed",
    4006: "the verifier's log could not be fetched",
    4007: "the verifier refused the program",
    4008: "program too large",
    4010: "wrong program type",
}

_Pointer = ctypes.c_void_p
_Print = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_int, ctypes.c_char_p, _Pointer)


class ProgramInfo(ctypes.Structure):
    """``struct bpf_prog_info`` (include/uapi/linux/bpf.h): a kernel fills what it knows and leaves the rest zero."""

    _fields_ = [
        ("type", ctypes.c_uint32),
        ("id", ctypes.c_uint32),
        ("tag", ctypes.c_uint8 * 8),
        ("jited_prog_len", ctypes.c_uint32),
        ("xlated_prog_len", ctypes.c_uint32),
        ("jited_prog_insns", ctypes.c_uint64),
        ("xlated_prog_insns", ctypes.c_uint64),
        ("load_time", ctypes.c_uint64),
        ("created_by_uid", ctypes.c_uint32),
        ("nr_map_ids", ctypes.c_uint32),
        ("map_ids", ctypes.c_uint64),
        ("name", ctypes.c_char * 16),
        ("ifindex", ctypes.c_uint32),
        ("gpl_compatible", ctypes.c_uint32),
        ("netns_dev", ctypes.c_uint64),
        ("netns_ino", ctypes.c_uint64),
        ("nr_jited_ksyms", ctypes.c_uint32),
        ("nr_jited_func_lens", ctypes.c_uint32),
        ("jited_ksyms", ctypes.c_uint64),
        ("jited_func_lens", ctypes.c_uint64),
        ("btf_id", ctypes.c_uint32),
        ("func_info_rec_size", ctypes.c_uint32),
        ("func_info", ctypes.c_uint64),
        ("nr_func_info", ctypes.c_uint32),
        ("nr_line_info", ctypes.c_uint32),
        ("line_info", ctypes.c_uint64),
        ("jited_line_info", ctypes.c_uint64),
        ("nr_jited_line_info", ctypes.c_uint32),
        ("line_info_rec_size", ctypes.c_uint32),
        ("jited_line_info_rec_size", ctypes.c_uint32),
        ("nr_prog_tags", ctypes.c_uint32),
        ("prog_tags", ctypes.c_uint64),
        ("run_time_ns", ctypes.c_uint64),
        ("run_cnt", ctypes.c_uint64),
        ("recursion_misses", ctypes.c_uint64),  # Linux 5.12
        ("verified_insns", ctypes.c_uint32),  # Linux 5.16
        ("pad", ctypes.c_uint32),
    ]


class MapInfo(ctypes.Structure):
    """The beginning of ``struct bpf_map_info``."""

    _fields_ = [
        ("type", ctypes.c_uint32),
        ("id", ctypes.c_uint32),
        ("key_size", ctypes.c_uint32),
        ("value_size", ctypes.c_uint32),
        ("max_entries", ctypes.c_uint32),
        ("map_flags", ctypes.c_uint32),
        ("name", ctypes.c_char * 16),
    ]


class OpenOptions(ctypes.Structure):
    """The beginning of ``struct bpf_object_open_opts``: as much as libbpf 0.3 knows of it that is used here."""

    _fields_ = [("size", ctypes.c_size_t), ("object_name", ctypes.c_char_p)]


class MapOptions(ctypes.Structure):
    """The beginning of ``struct bpf_map_create_opts``."""

    _fields_ = [
        ("size", ctypes.c_size_t),
        ("btf_fd", ctypes.c_uint32),
        ("btf_key_type_id", ctypes.c_uint32),
        ("btf_value_type_id", ctypes.c_uint32),
        ("btf_vmlinux_value_type_id", ctypes.c_uint32),
        ("inner_map_fd", ctypes.c_uint32),
        ("map_flags", ctypes.c_uint32),
    ]


class LoadOptions(ctypes.Structure):
    """The beginning of ``struct bpf_prog_load_opts``, all of it that is zero here."""

    _fields_ = [("size", ctypes.c_size_t), ("attempts", ctypes.c_int), ("expected_attach_type", ctypes.c_uint32)]


class TestRunOptions(ctypes.Structure):
    """``struct bpf_test_run_opts`` of libbpf 0.3."""

    __test__ = False  # no test class, whatever pytest thinks of the name

    _fields_ = [
        ("size", ctypes.c_size_t),
        ("data_in", ctypes.c_void_p),
        ("data_out", ctypes.c_void_p),
        ("data_size_in", ctypes.c_uint32),
        ("data_size_out", ctypes.c_uint32),
        ("ctx_in", ctypes.c_void_p),
        ("ctx_out", ctypes.c_void_p),
        ("ctx_size_in", ctypes.c_uint32),
        ("ctx_size_out", ctypes.c_uint32),
        ("retval", ctypes.c_uint32),
        ("repeat", ctypes.c_int),
        ("duration", ctypes.c_uint32),
        ("flags", ctypes.c_uint32),
        ("cpu", ctypes.c_uint32),
        ("pad", ctypes.c_uint32),
    ]


# Calls that make an object: a pointer, NULL or (before 1.0) an errno in the pointer.
_POINTER_CALLS: dict[str, tuple[t.Any, ...]] = {
    "bpf_object__open_mem": (_Pointer, ctypes.c_size_t, _Pointer),
    "bpf_object__find_map_by_name": (_Pointer, ctypes.c_char_p),
    "bpf_object__find_program_by_name": (_Pointer, ctypes.c_char_p),
    "bpf_program__attach_iter": (_Pointer, _Pointer),
}
# Calls on objects: a negative errno is the result.
_OBJECT_CALLS: dict[str, tuple[t.Any, ...]] = {
    "bpf_object__load": (_Pointer,),
    "bpf_map__fd": (_Pointer,),
    "bpf_map__set_initial_value": (_Pointer, _Pointer, ctypes.c_size_t),
    "bpf_map__set_max_entries": (_Pointer, ctypes.c_uint32),
    "bpf_program__fd": (_Pointer,),
    "bpf_program__set_autoload": (_Pointer, ctypes.c_bool),
    "bpf_link__fd": (_Pointer,),
    "libbpf_num_possible_cpus": (),
}
# Thin wrappers of the system call: before 1.0 the result is -1 and errno tells, since 1.0 both do.
_SYSTEM_CALLS: dict[str, tuple[t.Any, ...]] = {
    "bpf_map_get_next_key": (ctypes.c_int, _Pointer, _Pointer),
    "bpf_map_lookup_elem": (ctypes.c_int, _Pointer, _Pointer),
    "bpf_map_update_elem": (ctypes.c_int, _Pointer, _Pointer, ctypes.c_uint64),
    "bpf_map_delete_elem": (ctypes.c_int, _Pointer),
    "bpf_map_lookup_batch": (ctypes.c_int, _Pointer, _Pointer, _Pointer, _Pointer, _Pointer, _Pointer),
    "bpf_map_update_batch": (ctypes.c_int, _Pointer, _Pointer, _Pointer, _Pointer),
    "bpf_map_delete_batch": (ctypes.c_int, _Pointer, _Pointer, _Pointer),
    "bpf_map_get_fd_by_id": (ctypes.c_uint32,),
    "bpf_prog_get_fd_by_id": (ctypes.c_uint32,),
    "bpf_prog_get_next_id": (ctypes.c_uint32, _Pointer),
    "bpf_obj_get_info_by_fd": (ctypes.c_int, _Pointer, _Pointer),
    "bpf_prog_test_run_opts": (ctypes.c_int, _Pointer),
    "bpf_iter_create": (ctypes.c_int,),
    "bpf_enable_stats": (ctypes.c_uint32,),
}
# Of libbpf 0.8 on, and optional: with all of these a program can be loaded again without its object (template.py).
_COPY_POINTER_CALLS: dict[str, tuple[t.Any, ...]] = {
    "bpf_program__insns": (_Pointer,),
    "bpf_object__btf": (_Pointer,),
    "btf__raw_data": (_Pointer, _Pointer),
}
_COPY_NUMBER_CALLS: dict[str, tuple[t.Any, ...]] = {
    "bpf_program__insn_cnt": (_Pointer,),
    "bpf_map__type": (_Pointer,),
    "bpf_map__key_size": (_Pointer,),
    "bpf_map__value_size": (_Pointer,),
    "bpf_map__max_entries": (_Pointer,),
    "bpf_map__map_flags": (_Pointer,),
    "bpf_map__btf_key_type_id": (_Pointer,),
    "bpf_map__btf_value_type_id": (_Pointer,),
}
_COPY_SYSTEM_CALLS: dict[str, tuple[t.Any, ...]] = {
    "bpf_btf_load": (_Pointer, ctypes.c_size_t, _Pointer),
    "bpf_map_create": (
        *(ctypes.c_int, ctypes.c_char_p, ctypes.c_uint32, ctypes.c_uint32, ctypes.c_uint32),
        _Pointer,
    ),
    "bpf_map_freeze": (ctypes.c_int,),
    "bpf_prog_load": (ctypes.c_int, ctypes.c_char_p, ctypes.c_char_p, _Pointer, ctypes.c_size_t, _Pointer),
}
_VOID_CALLS: dict[str, tuple[t.Any, ...]] = {"bpf_object__close": (_Pointer,)}
_DESTROY_CALLS: dict[str, tuple[t.Any, ...]] = {"bpf_link__destroy": (_Pointer,)}


def error_name(number: int) -> str:
    """A sentence fragment for an errno of the kernel or of libbpf."""
    return LIBBPF_ERRORS.get(number) or os.strerror(number)


class Libbpf:
    """libbpf 0.3 to 1.x with one convention: every call returns its value or raises ObjectError with ``errno``."""

    def __init__(self, library: ctypes.CDLL, name: str) -> None:
        self.path, self.version = _path_and_version(library, name)
        self._library = library
        for calls, restype in (
            (_POINTER_CALLS, _Pointer),
            (_OBJECT_CALLS, ctypes.c_int),
            (_SYSTEM_CALLS, ctypes.c_int),
            (_VOID_CALLS, None),
            (_DESTROY_CALLS, ctypes.c_int),
        ):
            for call, argtypes in calls.items():
                function = self._function(call)
                function.argtypes, function.restype = argtypes, restype
        self.can_copy = self._bind_copying()
        self._set_print = self._function("libbpf_set_print")
        self._set_print.argtypes, self._set_print.restype = (_Pointer,), _Pointer
        # Without a print function of ours, libbpf writes to stderr, which is the module's channel to the controller.
        self._print = _Print(self._on_message)
        self._messages: list[str] = []
        c_library = ctypes.CDLL(None)
        self._vasprintf, self._free = c_library.vasprintf, c_library.free
        self._vasprintf.argtypes, self._vasprintf.restype = (_Pointer, ctypes.c_char_p, _Pointer), ctypes.c_int
        self._free.argtypes, self._free.restype = (_Pointer,), None
        self._set_print(ctypes.cast(self._print, _Pointer))

    def _bind_copying(self) -> bool:
        """Whether this library has all that template.py needs."""
        groups = (
            (_COPY_POINTER_CALLS, _Pointer),
            (_COPY_NUMBER_CALLS, ctypes.c_int),
            (_COPY_SYSTEM_CALLS, ctypes.c_int),
        )
        wanted = [(name, types, result) for calls, result in groups for name, types in calls.items()]
        if not all(hasattr(self._library, name) for name, _types, _result in wanted):
            return False
        for name, types, result in wanted:
            function = self._function(name)
            function.argtypes, function.restype = types, result
        return True

    def _function(self, name: str) -> t.Any:
        try:
            return getattr(self._library, name)
        except AttributeError:
            raise CapabilityError(
                f"libbpf {self.version} ({self.path}) has no {name}; libbpf 0.3 or newer is needed"
            ) from None

    def _on_message(self, level: int, text: bytes, arguments: int) -> int:
        """libbpf's print callback; ``arguments`` is a va_list, which every ABI of Linux passes as one pointer."""
        if level != PRINT_WARNING:
            return 0
        # The C library finds the room: the verifier's log of a loop has many megabytes, and its end tells why.
        message = _Pointer()
        written = self._vasprintf(ctypes.byref(message), text, arguments)
        if written >= 0:
            self._messages.append(_shortened(ctypes.string_at(message, written)).decode("utf-8", "replace"))
            self._free(message)
        return 0

    @contextlib.contextmanager
    def messages(self) -> t.Iterator[list[str]]:
        """The warnings of libbpf, a refusal's verifier log among them, that come up inside the ``with`` block."""
        collected: list[str] = []
        self._messages = collected
        try:
            yield collected
        finally:
            self._messages = []

    def call(self, name: str, *arguments: object) -> int:
        """Call a libbpf function by its C name; ObjectError with ``errno`` when it fails.

        Gives a descriptor, a count or the address of an object; 0 for a function that gives nothing.
        """
        result: int | None = getattr(self._library, name)(*arguments)
        if result is not None and 0 <= result < FIRST_POINTER:  # most calls, and a look at 256 devices makes thousands
            return result
        number = _failure(name, result)
        if number:
            raise ObjectError(f"{name}: {error_name(number)}", errno=number)
        return result or 0


def _shortened(message: bytes) -> bytes:
    """A message without the middle of a very long one."""
    left_out = len(message) - 2 * KEPT
    if left_out <= 0:
        return message
    return message[:KEPT] + b"\n... %d bytes left out ...\n" % left_out + message[-KEPT:]


def _failure(name: str, result: int | None) -> int:
    """The errno of a call that failed, 0 of one that did not."""
    if name in _POINTER_CALLS or name in _COPY_POINTER_CALLS:
        if result is None:
            return ctypes.get_errno() or 2
        distance = (1 << 8 * ctypes.sizeof(_Pointer)) - result
        return distance if distance <= MAX_ERRNO else 0
    if result is None or result >= 0:
        return 0
    if name in _SYSTEM_CALLS or name in _COPY_SYSTEM_CALLS:
        return ctypes.get_errno() or -result
    return -result


def _path_and_version(library: ctypes.CDLL, name: str) -> tuple[str, str]:
    """Where the library was found, and its version: asked where it can tell (0.6 on), else from the file's name."""
    path = name
    with contextlib.suppress(OSError), open("/proc/self/maps", encoding="utf-8", errors="replace") as maps:
        path = next((line.split(None, 5)[5].strip() for line in maps if "/libbpf.so" in line), name)
    try:
        ask = library.libbpf_version_string
    except AttributeError:
        match = re.search(r"\.so\.(\d+\.\d+(?:\.\d+)?)$", os.path.realpath(path))
        return path, match.group(1) if match else "unknown"
    ask.argtypes, ask.restype = (), ctypes.c_char_p
    return path, ask().decode().lstrip("v")


@functools.lru_cache(maxsize=None)
def load_libbpf() -> Libbpf:
    """The library, found once; CapabilityError says which names were tried and what the loader said."""
    reasons = []
    for name in LIBRARY_NAMES:
        try:
            return Libbpf(ctypes.CDLL(name, use_errno=True), name)
        except OSError as exc:
            reasons.append(str(exc))
    raise CapabilityError(
        "libbpf was not found (Debian: package libbpf1, or libbpf0 on Debian 11 and Ubuntu 22.04; RHEL: libbpf): "
        + "; ".join(reasons)
    )
