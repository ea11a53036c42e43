# Copyright (c) 2026, virtnet.rss contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to the collection: the steering program from specialised .rodata to a descriptor that can be attached.

from __future__ import annotations

import contextlib
import ctypes
import errno
import os
import typing as t

from ansible_collections.virtnet.rss.plugins.module_utils._bpf.bpf_object import RODATA_MAP, BpfObject
from ansible_collections.virtnet.rss.plugins.module_utils._bpf.closing import Closing
from ansible_collections.virtnet.rss.plugins.module_utils._bpf.generated.steering_live_object import MAP_ENTRY_COUNTERS
from ansible_collections.virtnet.rss.plugins.module_utils._bpf.generated.steering_object import MAP_QUEUE_COUNTERS
from ansible_collections.virtnet.rss.plugins.module_utils._bpf.inventory import (
    map_info,
    program_of,
    run_program,
    write_element,
)
from ansible_collections.virtnet.rss.plugins.module_utils._bpf.live_table import content_of
from ansible_collections.virtnet.rss.plugins.module_utils._bpf.steering_builds import (
    DIRECT,
    HELPER,
    LIVE,
    LIVE_MAP,
    PROGRAM,
    SteeringObject,
    object_of,
)
from ansible_collections.virtnet.rss.plugins.module_utils._bpf.template import Template
from ansible_collections.virtnet.rss.plugins.module_utils._errors import ObjectError

if t.TYPE_CHECKING:
    from ansible_collections.virtnet.rss.plugins.module_utils._bpf.inventory import Program
    from ansible_collections.virtnet.rss.plugins.module_utils._bpf.libbpf import Libbpf
    from ansible_collections.virtnet.rss.plugins.module_utils._bpf.template import LoadedCopy

__all__ = ("SteeringProgram", "direct_tag")

# BPF_PROG_TEST_RUN takes an Ethernet header off a socket filter's packet, so a frame needs 14 bytes more in front
# (net/bpf/test_run.c, bpf_prog_test_run_skb).
TEST_RUN_HEADER = bytes(14)
# What fails for want of these says nothing about the kernel.
SHORTAGES = (errno.EPERM, errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.EAGAIN)

# What this process has learnt by doing: objects that were loaded once, the tags of their programs, and why the direct
# build of an object (by its name) cannot be used here.
_templates: dict[bytes, Template] = {}
_tags: dict[bytes, str] = {}
_refusals: dict[str, str] = {}


class SteeringProgram(Closing):
    """A loaded steering program, not attached yet. Without a device that refers to it, close() ends it.

    ``reads`` is DIRECT or HELPER; ``refusal`` says why it is not DIRECT.
    """

    def __init__(self, libbpf: Libbpf, rodata: bytes, *, queues: int, elf: bytes | None = None) -> None:
        """Load ``rodata`` (struct rodata of one of the layouts), with counters for ``queues`` queues.

        The direct build, or where this kernel does not take it the helper build; ``elf`` replaces both, in tests.
        Raises VerifierError and ObjectError.
        """
        kind = object_of(len(rodata))
        if kind is None:
            raise ObjectError(f"no steering program has {len(rodata)} bytes of configuration", errno=errno.EINVAL)
        self._libbpf = libbpf
        self._queues = queues
        self._kind = kind
        self._rodata = rodata
        self.reads, self.refusal = "", ""
        self._loaded = self._load(elf) if elf else self._load_best()
        try:
            self.descriptor = self._loaded.program_fd(PROGRAM)
            self._check_names()
            if kind is LIVE:
                self._fill_table()
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Give back the descriptors; an attached program lives on in the tun driver."""
        self._loaded.close()

    def _load_best(self) -> BpfObject | LoadedCopy:
        """Chosen by doing, once in a process: kernels carry backports, and more than the version decides."""
        name, lasting = self._kind.name, True
        self.refusal = _refusals.get(name, "")
        if not self.refusal:
            try:
                self.reads = DIRECT
                return self._load(self._kind.elf(DIRECT))
            except ObjectError as exc:
                self.refusal, lasting = str(exc), exc.errno not in SHORTAGES
        self.reads = HELPER
        loaded = self._load(self._kind.elf(HELPER))
        if lasting:  # and not when both fail: then it is not for the reading
            _refusals[name] = self.refusal
        return loaded

    def _load(self, elf: bytes) -> BpfObject | LoadedCopy:
        template = _templates.get(elf)
        if template:
            try:
                return template.load(self._libbpf, self._rodata, {MAP_QUEUE_COUNTERS: self._queues})
            except ObjectError:
                pass  # libbpf's own way, with the verifier's log, says what is wrong
        loaded = BpfObject(self._libbpf, elf)
        try:
            loaded.set_rodata(self._rodata)
            loaded.set_max_entries(MAP_QUEUE_COUNTERS, self._queues)
            loaded.load()
            self._learn(elf, loaded)
        except BaseException:
            loaded.close()
            raise
        return loaded

    def _learn(self, elf: bytes, loaded: BpfObject) -> None:
        _tags[elf] = program_of(self._libbpf, loaded.program_fd(PROGRAM)).tag
        if self._libbpf.can_copy and elf not in _templates:
            with contextlib.suppress(ObjectError):  # without it libbpf loads the next one as it did this one
                _templates[elf] = Template.of(self._libbpf, loaded, PROGRAM, self._kind.maps)

    def refuse_direct_reads(self, reason: str) -> bool:
        """Use the helper build from now on in this process; False when this program is no direct build."""
        if self.reads != DIRECT:
            return False
        _refusals[self._kind.name] = reason
        return True

    def _check_names(self) -> None:
        """libbpf finds out once in a process whether the kernel knows names. When that fails for another reason, such
        as a shortage of descriptors, it leaves them out: nobody could tell afterwards that the program is ours.
        """
        rodata = map_info(self._libbpf, self._loaded.map_fd(RODATA_MAP))
        if (self.describe().name, os.fsdecode(rodata.name)) != (PROGRAM, RODATA_MAP):
            raise ObjectError(
                "libbpf loaded the program without its name, most likely for a shortage of descriptors or memory; "
                "run again, and restart virtnet-rss where it is the service that says so",
                errno=errno.EAGAIN,
            )

    def _fill_table(self) -> None:
        """Every entry begins where the configuration has it. The program does not run yet."""
        table = self._kind.abi.Steering.from_buffer_copy(self._rodata).config.indirection
        write_element(self._libbpf, self._loaded.map_fd(LIVE_MAP), content_of(table))

    def describe(self) -> Program:
        """The kernel's description: id, name, tag."""
        return program_of(self._libbpf, self.descriptor)

    def run(self, frame: bytes, *, repeat: int = 1) -> tuple[int, int]:
        """The queue that the program gives a frame, and the mean run time in nanoseconds (BPF_PROG_TEST_RUN)."""
        return run_program(self._libbpf, self.descriptor, TEST_RUN_HEADER + frame, repeat=repeat)

    def clear_counters(self) -> None:
        """Set every counter to zero: a proof runs the program, and its frames are nobody's packets."""
        cpus = self._libbpf.call("libbpf_num_possible_cpus")
        counters = self._loaded.map_fd(MAP_QUEUE_COUNTERS)
        for queue in range(self._queues):
            write_element(self._libbpf, counters, bytes(self._kind.counters_size * cpus), queue)
        if self._kind is LIVE:
            size = ctypes.sizeof(self._kind.abi.EntryCounters)
            write_element(self._libbpf, self._loaded.map_fd(MAP_ENTRY_COUNTERS), bytes(size * cpus))


def direct_tag(libbpf: Libbpf, kind: SteeringObject, trial: bytes) -> str:
    """The tag of an object's direct build on this kernel; "" where the kernel does not take it, so that none is loaded.

    Its instructions hold numbers of this kernel, so it takes a load, once in a process: of ``trial``, the .rodata of no
    device. ObjectError when that fails for want of rights, descriptors or memory.
    """
    elf = kind.elf(DIRECT)
    if elf not in _tags and kind.name not in _refusals:
        try:
            with SteeringProgram(libbpf, trial, queues=1) as program:
                lacking = "" if program.reads == DIRECT or kind.name in _refusals else program.refusal
        except ObjectError as exc:
            lacking = str(exc)
        if lacking:
            raise ObjectError(f"whether its instructions are ours cannot be told: {lacking}")
    return _tags.get(elf, "")
