# Copyright (c) 2026, virtnet.rss contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to the collection: tries what a steering program and the inspector need of the kernel's BPF.

from __future__ import annotations

import contextlib
import ctypes
import errno
import typing as t
from dataclasses import dataclass, field

from ansible_collections.virtnet.rss.plugins.module_utils._bpf.inspector import Inspector
from ansible_collections.virtnet.rss.plugins.module_utils._bpf.libbpf import load_libbpf
from ansible_collections.virtnet.rss.plugins.module_utils._bpf.steering_builds import DIRECT
from ansible_collections.virtnet.rss.plugins.module_utils._bpf.steering_program import SteeringProgram
from ansible_collections.virtnet.rss.plugins.module_utils._errors import CapabilityError, ObjectError, VerifierError
from ansible_collections.virtnet.rss.plugins.module_utils._probe.finding import NO, UNKNOWN, YES, Finding, judge

if t.TYPE_CHECKING:
    from ansible_collections.virtnet.rss.plugins.module_utils._probe.isolation import Findings

__all__ = ("Trial", "probe_bpf_syscall", "probe_program", "probe_task_file_iterator")

# kernel/bpf/verifier.c, before 5.3 and, since, for processes without CAP_BPF
LOOP_REFUSED = "back-edge"
NOT_LOADED = Finding(UNKNOWN, "it takes a loaded steering program to tell, and ours was not loaded")


@dataclass(frozen=True)
class Trial:
    """A steering program for no device, a frame to run through it, and the queue that it must give."""

    rodata: bytes = field(repr=False)
    queues: int
    frame: bytes = field(repr=False)
    queue: int


def probe_bpf_syscall() -> Findings:
    """Ask for an element of no map: it is refused as none, by newer kernels to anybody."""
    try:
        number = ctypes.c_uint32()
        load_libbpf().call("bpf_map_lookup_elem", -1, ctypes.byref(number), ctypes.byref(number))
    except ObjectError as exc:
        if exc.errno != errno.EBADF:
            raise
    return {"bpf_syscall": Finding(YES, "the bpf system call answers")}


def probe_program(trial: Trial, lacking: t.Sequence[str]) -> Findings:
    """Load our own program, which has loops, and run a frame through it."""
    try:
        program = SteeringProgram(load_libbpf(), trial.rodata, queues=trial.queues)
    except (CapabilityError, ObjectError) as exc:
        return {
            "socket_filter_load": judge(exc, lacking),
            "bounded_loops": judge(exc, lacking) if _is_about_loops(exc) else NOT_LOADED,
            "test_run": NOT_LOADED,
            "direct_reads": NOT_LOADED,
        }
    with program:
        return {
            "socket_filter_load": Finding(YES, "the steering program was loaded"),
            "bounded_loops": Finding(YES, "the steering program, which has loops, was loaded"),
            "test_run": _run(program, trial, lacking),
            "direct_reads": _reads(program),
        }


def _reads(program: SteeringProgram) -> Finding:
    """It loads, so what keeps its direct build off is the kernel or the library."""
    if program.reads == DIRECT:
        return Finding(YES, "the build that reads packets without a helper call was loaded")
    return Finding(NO, program.refusal)


def _is_about_loops(error: CapabilityError | ObjectError) -> bool:
    return isinstance(error, VerifierError) and LOOP_REFUSED in error.log


def _run(program: SteeringProgram, trial: Trial, lacking: t.Sequence[str]) -> Finding:
    try:
        queue, _duration = program.run(trial.frame)
    except ObjectError as exc:
        return judge(exc, lacking)
    if queue != trial.queue:
        return Finding(NO, f"the program sent a test frame to queue {queue} instead of queue {trial.queue}")
    return Finding(YES, f"a test frame went to queue {queue}, as computed")


def probe_task_file_iterator(loaded: Inspector | None) -> Findings:
    """Look at every open queue of every TUN/TAP device, once; with an inspector of its own where none is given."""
    with contextlib.ExitStack() as stack:
        inspector = loaded or stack.enter_context(Inspector(load_libbpf()))
        inspector.look()
    return {"task_file_iterator": Finding(YES, "the inspector has looked at every open file")}
