# SPDX-License-Identifier: GPL-3.0-or-later
"""Stops a piece of work at one of its system calls, for something to happen there; by ptrace, in a child of this
process, so at any call, and exactly there."""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import struct
import typing as t

__all__ = ("Stopped", "stopped_at")

TRACEME, SETOPTIONS, SYSCALL, GET_SYSCALL_INFO = 0, 0x4200, 24, 0x420E
TRACESYSGOOD, TRACEFORK, TRACEVFORK, TRACECLONE, EXITKILL = 1, 2, 4, 8, 1 << 20
SYSCALL_STOP = signal.SIGTRAP | 0x80
ENTRY = 1  # PTRACE_SYSCALL_INFO_ENTRY
WALL = 0x40000000
BPF = {"x86_64": 321, "aarch64": 280, "riscv64": 280, "ppc64le": 361, "s390x": 351}[os.uname().machine]
IOCTL = {"x86_64": 16, "ppc64le": 54, "s390x": 54}.get(os.uname().machine, 29)
PROG_TEST_RUN, TUNSETSTEERINGEBPF = 10, 0x800454E0


class Stopped(t.NamedTuple):
    """How many system calls there were between look and swap, in the work and its children, whether it was stopped at
    one of them, and how it ended."""

    calls: int
    met: bool
    status: int


def stopped_at(work: t.Callable[[], object], number: int, then: t.Callable[[], object]) -> Stopped:
    """Do ``work`` in a child, and ``then`` in this process while the child is at its ``number``-th system call.

    Counted from 1, after the first bpf(BPF_PROG_TEST_RUN), by which the inspector looks, to the last call before the
    first swap; 0 stops nowhere.
    """
    child = os.fork()
    if not child:
        _traced(work)
    os.waitpid(child, 0)
    _ptrace(SETOPTIONS, child, 0, TRACESYSGOOD | TRACEFORK | TRACEVFORK | TRACECLONE | EXITKILL)
    _ptrace(SYSCALL, child, 0, 0)
    alive, ended, counted, looked, swapped = {child}, 0, 0, False, False
    while alive:
        pid, status = os.waitpid(-1, WALL)
        if not os.WIFSTOPPED(status):
            alive.discard(pid)
            ended = status if pid == child else ended
            continue
        alive.add(pid)
        call = _entered(pid) if os.WSTOPSIG(status) == SYSCALL_STOP else None
        swapped = swapped or call == (IOCTL, TUNSETSTEERINGEBPF)
        if call and looked and not swapped:
            counted += 1
            if counted == number:
                then()
        looked = looked or call == (BPF, PROG_TEST_RUN)
        with contextlib.suppress(ProcessLookupError):  # it has been killed meanwhile
            _ptrace(SYSCALL, pid, 0, _signal(status))
    return Stopped(counted, 0 < number <= counted, ended)


def _signal(status: int) -> int:
    """The signal that a stopped process is to get: none for a stop at a call, an event or a new child's first."""
    caught = os.WSTOPSIG(status)
    return 0 if caught in (SYSCALL_STOP, signal.SIGTRAP, signal.SIGSTOP) else caught


def _traced(work: t.Callable[[], object]) -> t.NoReturn:
    code = 1
    try:
        _ptrace(TRACEME, 0, 0, 0)
        os.kill(os.getpid(), signal.SIGSTOP)
        work()
        code = 0
    finally:
        os._exit(code)


def _entered(pid: int) -> tuple[int, int] | None:
    """The call that a stopped process is about to make, and what it is asked for; None where it has made it."""
    info = ctypes.create_string_buffer(88)  # struct ptrace_syscall_info
    with contextlib.suppress(ProcessLookupError):  # a child that has been killed meanwhile
        _ptrace(GET_SYSCALL_INFO, pid, len(info), ctypes.addressof(info))
    if info.raw[0] != ENTRY:
        return None
    number, first, second = struct.unpack_from("=QQQ", info.raw, 24)
    return number, second & 0xFFFFFFFF if number == IOCTL else first


def _ptrace(request: int, pid: int, address: int, data: int) -> int:
    libc = ctypes.CDLL(None, use_errno=True)
    libc.ptrace.restype = ctypes.c_long
    libc.ptrace.argtypes = (ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p)
    result = int(libc.ptrace(request, pid, address, data))
    if result < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return result
