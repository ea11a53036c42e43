# Copyright (c) 2026, virtnet.rss contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to the collection: the steering program from specialised .rodata to a descriptor that can be attached.

from __future__ import annotations

import ctypes
import errno
import os
import typing as t

from ansible_collections.virtnet.rss.plugins.module_utils._bpf.bpf_object import (
    RODATA_MAP,
    BpfObject,
    embedded_object,
)
from ansible_collections.virtnet.rss.plugins.module_utils._bpf.generated import steering_object
from ansible_collections.virtnet.rss.plugins.module_utils._bpf.generated.steering_abi import QueueCounters
from ansible_collections.virtnet.rss.plugins.module_utils._bpf.inventory import map_info, program_of
from ansible_collections.virtnet.rss.plugins.module_utils._bpf.libbpf import TestRunOptions
from ansible_collections.virtnet.rss.plugins.module_utils._errors import ObjectError

if t.TYPE_CHECKING:
    from types import TracebackType

    from ansible_collections.virtnet.rss.plugins.module_utils._bpf.inventory import Program
    from ansible_collections.virtnet.rss.plugins.module_utils._bpf.libbpf import Libbpf

__all__ = ("SteeringProgram",)

# BPF_PROG_TEST_RUN takes an Ethernet header off a socket filter's packet, so a frame needs 14 bytes more in front
# (net/bpf/test_run.c, bpf_prog_test_run_skb).
TEST_RUN_HEADER = bytes(14)


class SteeringProgram:
    """A loaded steering program, not attached yet. Without a device that refers to it, close() ends it."""

    def __init__(self, libbpf: Libbpf, rodata: bytes, *, queues: int, elf: bytes | None = None) -> None:
        """Load ``rodata`` (struct rodata of steering_abi), with counters for ``queues`` queues.

        ``elf`` replaces the embedded object, in tests. Raises VerifierError and ObjectError.
        """
        self._libbpf = libbpf
        self._queues = queues
        self._object = BpfObject(libbpf, elf or embedded_object(steering_object.OBJECTS))
        try:
            self._object.set_rodata(rodata)
            self._object.set_max_entries(steering_object.MAP_QUEUE_COUNTERS, queues)
            self._object.load()
            self.descriptor = self._object.program_fd(steering_object.PROGRAM)
            self._check_names()
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> SteeringProgram:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Give back the descriptors; an attached program lives on in the tun driver."""
        self._object.close()

    def _check_names(self) -> None:
        """libbpf finds out once in a process whether the kernel knows names. When that fails for another reason, such
        as a shortage of descriptors, it leaves them out: nobody could tell afterwards that the program is ours.
        """
        rodata = map_info(self._libbpf, self._object.map_fd(RODATA_MAP))
        if (self.describe().name, os.fsdecode(rodata.name)) != (steering_object.PROGRAM, RODATA_MAP):
            raise ObjectError(
                "libbpf loaded the program without its name, most likely for a shortage of descriptors or memory; "
                "run again, and restart virtnet-rss where it is the service that says so",
                errno=errno.EAGAIN,
            )

    def describe(self) -> Program:
        """The kernel's description: id, name, tag."""
        return program_of(self._libbpf, self.descriptor)

    def run(self, frame: bytes, *, repeat: int = 1) -> tuple[int, int]:
        """The queue that the program gives a frame, and the mean run time in nanoseconds (BPF_PROG_TEST_RUN)."""
        data = TEST_RUN_HEADER + frame
        options = TestRunOptions(
            size=ctypes.sizeof(TestRunOptions),
            data_in=ctypes.cast(ctypes.c_char_p(data), ctypes.c_void_p),
            data_size_in=len(data),
            repeat=repeat,
        )
        self._libbpf.call("bpf_prog_test_run_opts", self.descriptor, ctypes.byref(options))
        return options.retval, options.duration

    def clear_counters(self) -> None:
        """Set every counter to zero: a proof runs the program, and its frames are nobody's packets."""
        counters = self._object.map_fd(steering_object.MAP_QUEUE_COUNTERS)
        cpus = int(self._libbpf.call("libbpf_num_possible_cpus"))
        zeros = ctypes.create_string_buffer(ctypes.sizeof(QueueCounters) * cpus)
        for queue in range(self._queues):
            key = ctypes.c_uint32(queue)
            self._libbpf.call("bpf_map_update_elem", counters, ctypes.byref(key), zeros, 0)
