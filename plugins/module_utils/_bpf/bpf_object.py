# Copyright (c) 2026, virtnet.rss contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to the collection: opens, fills and loads a BPF object, and turns every failure into one sentence.

from __future__ import annotations

import contextlib
import ctypes
import errno
import resource
import typing as t

from ansible_collections.virtnet.rss.plugins.module_utils._bpf.closing import Closing
from ansible_collections.virtnet.rss.plugins.module_utils._bpf.libbpf import OpenOptions
from ansible_collections.virtnet.rss.plugins.module_utils._bpf.verifier_log import summarise, verifier_log
from ansible_collections.virtnet.rss.plugins.module_utils._errors import ObjectError, VerifierError

if t.TYPE_CHECKING:
    from ansible_collections.virtnet.rss.plugins.module_utils._bpf.libbpf import Libbpf

__all__ = ("BpfObject", "raise_memory_lock_limit")

# libbpf names the maps of an object's sections OBJECT.SECTION, and the kernel keeps 15 characters of it.
OBJECT_NAME = "vnrss"
RODATA_MAP = f"{OBJECT_NAME}.rodata"
BSS_MAP = f"{OBJECT_NAME}.bss"
LOAD_HINTS = {
    errno.EPERM: " (CAP_BPF or CAP_SYS_ADMIN is missing, or a seccomp filter forbids bpf(), or, before Linux 5.11, "
    "RLIMIT_MEMLOCK is too low)",
    errno.ENOSYS: " (the kernel has no bpf system call, or a seccomp filter hides it)",
}


def raise_memory_lock_limit() -> None:
    """Raise RLIMIT_MEMLOCK as far as allowed: kernels before 5.11 count BPF maps against it, and libbpf before 1.0
    does not raise it. A limit that cannot be raised is no failure here; a load that needs it fails with EPERM and says
    so.
    """
    _soft, hard = resource.getrlimit(resource.RLIMIT_MEMLOCK)
    for limit in (resource.RLIM_INFINITY, hard):
        with contextlib.suppress(ValueError, OSError):
            resource.setrlimit(resource.RLIMIT_MEMLOCK, (limit, limit))
            return


class BpfObject(Closing):
    """One BPF object from bytes to descriptors; use it in a ``with`` block, whose end closes every descriptor."""

    def __init__(self, libbpf: Libbpf, elf: bytes) -> None:
        self._libbpf = libbpf
        options = OpenOptions(ctypes.sizeof(OpenOptions), OBJECT_NAME.encode())
        with libbpf.messages() as messages:
            try:
                self._handle = libbpf.call("bpf_object__open_mem", elf, len(elf), ctypes.byref(options))
            except ObjectError as exc:
                raise ObjectError(
                    f"libbpf cannot open the BPF object: {_last(messages) or exc}", errno=exc.errno
                ) from exc

    def close(self) -> None:
        """Give back every descriptor; what is attached stays."""
        if self._handle:
            self._libbpf.call("bpf_object__close", self._handle)
            self._handle = 0

    def map_handle(self, name: str) -> int:
        """The ``bpf_map`` of that name."""
        return self._libbpf.call("bpf_object__find_map_by_name", self._handle, name.encode())

    def _program(self, name: str) -> int:
        return self._libbpf.call("bpf_object__find_program_by_name", self._handle, name.encode())

    def set_rodata(self, value: bytes) -> None:
        """Replace the whole of .rodata; only before load()."""
        self._libbpf.call("bpf_map__set_initial_value", self.map_handle(RODATA_MAP), value, len(value))

    def set_max_entries(self, name: str, entries: int) -> None:
        """Set the number of a map's elements; only before load()."""
        self._libbpf.call("bpf_map__set_max_entries", self.map_handle(name), entries)

    def set_autoload(self, name: str, load: bool) -> None:
        """Whether load() loads a program; only before it."""
        self._libbpf.call("bpf_program__set_autoload", self._program(name), load)

    def load(self) -> None:
        """Create the maps and load the program; VerifierError with the full log, or ObjectError."""
        raise_memory_lock_limit()
        with self._libbpf.messages() as messages:
            try:
                self._libbpf.call("bpf_object__load", self._handle)
            except ObjectError as exc:
                log = verifier_log(messages)
                cause = summarise(log)  # none, though there is a log, when what failed came after the verifier
                if cause:
                    raise VerifierError(
                        f"the kernel's verifier refused the program: {cause}", errno=exc.errno, log=log
                    ) from exc
                hint = LOAD_HINTS.get(exc.errno or 0, "")
                raise ObjectError(f"the kernel did not load the program: {exc}{hint}", errno=exc.errno) from exc

    def program_fd(self, name: str) -> int:
        """Descriptor of a loaded program; close() ends it."""
        return self._libbpf.call("bpf_program__fd", self._program(name))

    def map_fd(self, name: str) -> int:
        """Descriptor of a map; close() ends it."""
        return self._libbpf.call("bpf_map__fd", self.map_handle(name))

    def instructions(self, name: str) -> bytes:
        """The instructions of a loaded program as the kernel got them: ``struct bpf_insn``, 8 bytes each."""
        program = self._program(name)
        count = self._libbpf.call("bpf_program__insn_cnt", program)
        return ctypes.string_at(self._libbpf.call("bpf_program__insns", program), 8 * count)

    def types(self) -> bytes:
        """The object's BTF as libbpf gave it to the kernel."""
        size = ctypes.c_uint32()
        of_object = self._libbpf.call("bpf_object__btf", self._handle)
        return ctypes.string_at(self._libbpf.call("btf__raw_data", of_object, ctypes.byref(size)), size.value)

    def attach_iterator(self, name: str) -> int:
        """The ``bpf_link`` of an iterator program; destroy it with Libbpf.call("bpf_link__destroy", link)."""
        with self._libbpf.messages():
            return self._libbpf.call("bpf_program__attach_iter", self._program(name), None)


def _last(messages: list[str]) -> str:
    return messages[-1].strip() if messages else ""
