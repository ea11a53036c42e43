# Copyright (c) 2026, virtnet.rss contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to the collection: loads a program again from the final instructions of one that libbpf has loaded.
#
# libbpf reads the kernel's types anew for each object that refers to them, 12 to 17 ms each time. What it makes of them
# does not change while the kernel runs, so it does it once in a process.

from __future__ import annotations

import contextlib
import ctypes
import os
import struct
import typing as t
from dataclasses import dataclass

from ansible_collections.virtnet.rss.plugins.module_utils._bpf.bpf_object import RODATA_MAP
from ansible_collections.virtnet.rss.plugins.module_utils._bpf.inventory import write_element
from ansible_collections.virtnet.rss.plugins.module_utils._bpf.libbpf import LoadOptions, MapOptions

if t.TYPE_CHECKING:
    from ansible_collections.virtnet.rss.plugins.module_utils._bpf.bpf_object import BpfObject
    from ansible_collections.virtnet.rss.plugins.module_utils._bpf.libbpf import Libbpf

__all__ = ("LoadedCopy", "Template")

INSTRUCTION = struct.Struct("=BBhi")  # struct bpf_insn: code, registers, offset, immediate
LOAD_64 = 0x18  # BPF_LD | BPF_IMM | BPF_DW, whose source register says what the immediate is
MAP_MARKS = (1, 2)  # BPF_PSEUDO_MAP_FD, BPF_PSEUDO_MAP_VALUE
SOCKET_FILTER = 1  # BPF_PROG_TYPE_SOCKET_FILTER
LICENCE = b"Dual BSD/GPL"  # as the object says; the kernel's functions are for GPL programs


@dataclass(frozen=True)
class MapShape:
    """What a map is created from; types are ids in the object's BTF, 0 for none."""

    name: str
    kind: int
    key_size: int
    value_size: int
    entries: int
    flags: int
    key_type: int
    value_type: int


@dataclass(frozen=True)
class Template:
    """Everything of a loaded program that is the same for the next device. Holds bytes, no descriptor."""

    program: str
    instructions: bytes
    references: tuple[tuple[int, str], ...]  # byte offset of an immediate, and the map whose descriptor it takes
    maps: tuple[MapShape, ...]
    types: bytes  # the object's BTF, without which bpftool would not print the metadata

    @classmethod
    def of(cls, libbpf: Libbpf, loaded: BpfObject, program: str, maps: t.Sequence[str]) -> Template:
        """Take it from a loaded object; ObjectError where the library does not keep the instructions."""
        names = {loaded.map_fd(name): name for name in maps}
        instructions = loaded.instructions(program)
        references = tuple(
            (offset + 4, names[number])
            for offset in range(0, len(instructions), INSTRUCTION.size)
            for code, registers, _offset, number in (INSTRUCTION.unpack_from(instructions, offset),)
            if code == LOAD_64 and _source(registers) in MAP_MARKS
        )
        return cls(
            program, instructions, references, tuple(_shape(libbpf, loaded, name) for name in maps), loaded.types()
        )

    def load(self, libbpf: Libbpf, rodata: bytes, entries: dict[str, int]) -> LoadedCopy:
        """Load it with maps of its own: ``rodata``, and so many ``entries`` by name. ObjectError without a log."""
        return LoadedCopy(libbpf, self, rodata, entries)


def _source(registers: int) -> int:
    """The source register of an instruction: which half of the byte it is follows the host's byte order."""
    return registers >> 4 if struct.pack("=H", 1) == b"\1\0" else registers & 0x0F


def _shape(libbpf: Libbpf, loaded: BpfObject, name: str) -> MapShape:
    handle = loaded.map_handle(name)
    numbers = ("type", "key_size", "value_size", "max_entries", "map_flags", "btf_key_type_id", "btf_value_type_id")
    return MapShape(name, *(libbpf.call(f"bpf_map__{number}", handle) for number in numbers))


class LoadedCopy:
    """A program that was loaded from a template: the same descriptors as a BpfObject's."""

    def __init__(self, libbpf: Libbpf, template: Template, rodata: bytes, entries: dict[str, int]) -> None:
        self._libbpf = libbpf
        self._maps: dict[str, int] = {}
        self._program = -1
        types = libbpf.call("bpf_btf_load", template.types, len(template.types), None)
        try:
            for shape in template.maps:
                self._maps[shape.name] = self._create(shape, types, entries.get(shape.name, shape.entries))
            self._fill(rodata)
            self._program = self._load(template)
        except BaseException:
            self.close()
            raise
        finally:
            os.close(types)

    def close(self) -> None:
        """Give back every descriptor; what is attached stays."""
        descriptors = [*self._maps.values(), *([self._program] if self._program >= 0 else [])]
        self._maps, self._program = {}, -1
        for descriptor in descriptors:
            with contextlib.suppress(OSError):
                os.close(descriptor)

    def program_fd(self, _name: str) -> int:
        """Descriptor of the program; close() ends it."""
        return self._program

    def map_fd(self, name: str) -> int:
        """Descriptor of a map; close() ends it."""
        return self._maps[name]

    def _create(self, shape: MapShape, types: int, entries: int) -> int:
        options = MapOptions(
            size=ctypes.sizeof(MapOptions),
            btf_fd=types,
            btf_key_type_id=shape.key_type,
            btf_value_type_id=shape.value_type,
            map_flags=shape.flags,
        )
        sizes = (shape.key_size, shape.value_size, entries)
        return self._libbpf.call("bpf_map_create", shape.kind, shape.name.encode(), *sizes, ctypes.byref(options))

    def _fill(self, rodata: bytes) -> None:
        """Frozen before the program is loaded: so the verifier knows every value in it."""
        write_element(self._libbpf, self._maps[RODATA_MAP], rodata)
        self._libbpf.call("bpf_map_freeze", self._maps[RODATA_MAP])

    def _load(self, template: Template) -> int:
        instructions = bytearray(template.instructions)
        for offset, name in template.references:
            struct.pack_into("=i", instructions, offset, self._maps[name])
        options = LoadOptions(size=ctypes.sizeof(LoadOptions))
        content = (ctypes.c_char * len(instructions)).from_buffer(instructions)
        count = len(instructions) // INSTRUCTION.size
        arguments = (SOCKET_FILTER, template.program.encode(), LICENCE, content, count, ctypes.byref(options))
        return self._libbpf.call("bpf_prog_load", *arguments)
