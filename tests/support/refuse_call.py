# SPDX-License-Identifier: GPL-3.0-or-later
"""`refuse_call.py CALL ERRNO COMMAND ...` runs a command; every system call of that name is answered with the error.

This is what systemd's SystemCallFilter= and container engines do, by the same means: a seccomp filter.
"""

from __future__ import annotations

import ctypes
import errno
import os
import struct
import sys

__all__ = ("refusing",)

NUMBERS = {  # include/uapi/asm-generic/unistd.h
    "bpf": {"x86_64": 321, "aarch64": 280, "riscv64": 280, "ppc64le": 361, "s390x": 351},
    "kill": {"x86_64": 62, "aarch64": 129, "riscv64": 129, "ppc64le": 37, "s390x": 37},
}
PR_SET_SECCOMP, SECCOMP_MODE_FILTER = 22, 2
SECCOMP_RET_ALLOW, SECCOMP_RET_ERRNO = 0x7FFF0000, 0x00050000
# Classic BPF: load the system call's number (offset 0 of struct seccomp_data), compare, return.
LOAD, JUMP_IF_EQUAL, RETURN = 0x20, 0x15, 0x06


def refusing(error: str, call: str = "bpf") -> list[str]:
    """The words in front of a command whose calls shall get this error."""
    return [sys.executable, os.path.abspath(__file__), call, error]


class Program(ctypes.Structure):
    """``struct sock_fprog``."""

    _fields_ = [("length", ctypes.c_ushort), ("filter", ctypes.c_char_p)]


def refuse(call: str, error: int) -> None:
    """From here on, and in every program that this process becomes; needs CAP_SYS_ADMIN."""
    instructions = (
        (LOAD, 0, 0, 0),
        (JUMP_IF_EQUAL, 0, 1, NUMBERS[call][os.uname().machine]),
        (RETURN, 0, 0, SECCOMP_RET_ERRNO | error),
        (RETURN, 0, 0, SECCOMP_RET_ALLOW),
    )
    code = b"".join(struct.pack("=HBBI", *instruction) for instruction in instructions)
    libc = ctypes.CDLL(None, use_errno=True)
    program = Program(len(instructions), code)
    if libc.prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, ctypes.byref(program), 0, 0):
        raise OSError(ctypes.get_errno(), "prctl")


if __name__ == "__main__":
    refuse(sys.argv[1], getattr(errno, sys.argv[2]))
    os.execvp(sys.argv[3], sys.argv[3:])
