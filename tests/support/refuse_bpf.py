# SPDX-License-Identifier: GPL-3.0-or-later
"""`refuse_bpf.py ERRNO COMMAND ...` runs a command whose every bpf() system call is answered with that error.

This is what systemd's SystemCallFilter= and container engines do, by the same means: a seccomp filter.
"""

from __future__ import annotations

import ctypes
import errno
import os
import struct
import sys

__all__ = ("refusing",)

BPF = {"x86_64": 321, "aarch64": 280, "riscv64": 280, "ppc64le": 361, "s390x": 351}  # include/uapi/asm-generic/unistd.h
PR_SET_SECCOMP, SECCOMP_MODE_FILTER = 22, 2
SECCOMP_RET_ALLOW, SECCOMP_RET_ERRNO = 0x7FFF0000, 0x00050000
# Classic BPF: load the system call's number (offset 0 of struct seccomp_data), compare, return.
LOAD, JUMP_IF_EQUAL, RETURN = 0x20, 0x15, 0x06


def refusing(error: str) -> list[str]:
    """The words in front of a command whose bpf() calls shall get this error."""
    return [sys.executable, os.path.abspath(__file__), error]


class Program(ctypes.Structure):
    """``struct sock_fprog``."""

    _fields_ = [("length", ctypes.c_ushort), ("filter", ctypes.c_char_p)]


def refuse_bpf(number: int) -> None:
    """From here on, and in every program that this process becomes; needs CAP_SYS_ADMIN."""
    instructions = (
        (LOAD, 0, 0, 0),
        (JUMP_IF_EQUAL, 0, 1, BPF[os.uname().machine]),
        (RETURN, 0, 0, SECCOMP_RET_ERRNO | number),
        (RETURN, 0, 0, SECCOMP_RET_ALLOW),
    )
    code = b"".join(struct.pack("=HBBI", *instruction) for instruction in instructions)
    libc = ctypes.CDLL(None, use_errno=True)
    program = Program(len(instructions), code)
    if libc.prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, ctypes.byref(program), 0, 0):
        raise OSError(ctypes.get_errno(), "prctl")


if __name__ == "__main__":
    refuse_bpf(getattr(errno, sys.argv[1]))
    os.execvp(sys.argv[2], sys.argv[2:])
