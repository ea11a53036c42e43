# SPDX-License-Identifier: GPL-3.0-or-later
"""`foreign DEVICE` makes DEVICE with four queues and attaches a program to it that is nobody's we know: it sends every
packet to queue 3. Writes its id to /run/foreign-DEVICE and holds both until it is told to stop. Needs no library."""

from __future__ import annotations

import ctypes
import fcntl
import os
import platform
import signal
import struct
import sys

from ansible_collections.virtnet.rss.tests.support.held_tap import FLAGS, open_queue, set_up

TUNSETSTEERINGEBPF = 0x800454E0
BPF = {"x86_64": 321, "aarch64": 280}[platform.machine()]
PROG_LOAD, SOCKET_FILTER, GET_INFO = 5, 1, 15
QUEUE = 3
CODE = struct.pack("=BBhi", 0xB7, 0, 0, QUEUE) + struct.pack("=BBhi", 0x95, 0, 0, 0)  # r0 = 3; exit


def bpf(command: int, attributes: bytes) -> int:
    buffer = ctypes.create_string_buffer(attributes, 128)
    libc = ctypes.CDLL(None, use_errno=True)
    result = int(libc.syscall(BPF, command, ctypes.byref(buffer), len(buffer)))
    if result < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return result


def main(device: str) -> None:
    queues = [open_queue(device, FLAGS) for _queue in range(4)]
    set_up(device)
    code, licence = ctypes.create_string_buffer(CODE), ctypes.create_string_buffer(b"GPL")
    load = (SOCKET_FILTER, len(CODE) // 8, ctypes.addressof(code), ctypes.addressof(licence))
    program = bpf(PROG_LOAD, struct.pack("=IIQQ", *load))
    fcntl.ioctl(queues[0], TUNSETSTEERINGEBPF, struct.pack("=i", program))
    info = ctypes.create_string_buffer(64)
    bpf(GET_INFO, struct.pack("=IIQ", program, len(info), ctypes.addressof(info)))
    with open(f"/run/foreign-{device}", "w", encoding="ascii") as file:
        print(struct.unpack_from("=II", info)[1], file=file)
    signal.pause()


if __name__ == "__main__":
    main(sys.argv[1])
