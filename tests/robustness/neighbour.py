# SPDX-License-Identifier: GPL-3.0-or-later
"""A local user who means harm: `neighbour.py ROLE FOLDER`, run without privileges in a user namespace of its own;
the roles `clears` and `swaps` in the host's network namespace, where the devices that they name belong to the user.

FOLDER has copies of /dev/net/tun and /dev/fuse that everybody may open. Imports nothing of the collection; prints
"ready" and lives until its standard input ends. Run as a copy of Python that is called like QEMU.
"""

from __future__ import annotations

import contextlib
import ctypes
import fcntl
import mmap
import os
import resource
import select
import struct
import sys
import threading
import time

TUNSETIFF, TUNSETSTEERINGEBPF, IFF = 0x400454CA, 0x800454E0, 0x1102  # IFF_TAP, IFF_MULTI_QUEUE, IFF_NO_PI
PR_SET_MM, PR_SET_MM_MAP = 35, 14
ARGUMENTS = 3 << 29  # bytes: 1.5 GiB
FORKS = 59
# include/uapi/linux/fuse.h
IN_HEADER, OUT_HEADER = struct.Struct("=IIQQIIIHH"), struct.Struct("=IiQ")
LOOKUP, GETATTR, OPEN, FLUSH, INIT = 1, 3, 14, 25, 26
ATTR = struct.Struct("=QQQQQQIIIIIIIIII")


def queue(folder: str, name: str = "vnet%d") -> int:
    """One of a device in this network namespace."""
    descriptor = os.open(f"{folder}/tun", os.O_RDWR)
    fcntl.ioctl(descriptor, TUNSETIFF, struct.pack("16sH22x", name.encode(), IFF))
    return descriptor


def arguments(folder: str) -> None:
    """The kernel takes any memory for a process's arguments."""
    queue(folder)
    memory = mmap.mmap(-1, ARGUMENTS)
    memory[:48] = b'qemu-system-x86_64\0-nic\0{"type":"tap","model":1}\0'[:48]
    begin = ctypes.addressof(ctypes.c_char.from_buffer(memory))
    with open("/proc/self/stat", encoding="ascii") as file:
        fields = ["0", "0", *file.read().rpartition(")")[2].split()]  # field n of proc(5) is fields[n - 1]
    code = [int(fields[number - 1]) for number in (26, 27, 45, 46, 47)]
    libc = ctypes.CDLL(None, use_errno=True)
    libc.sbrk.restype = ctypes.c_void_p
    stack, environment = int(fields[28 - 1]), [int(fields[number - 1]) for number in (50, 51)]
    found = struct.pack("=11QQIi", *code, libc.sbrk(0), stack, begin, begin + ARGUMENTS, *environment, 0, 0, -1)
    if libc.prctl(PR_SET_MM, PR_SET_MM_MAP, found, len(found), 0):
        raise OSError(ctypes.get_errno(), "PR_SET_MM_MAP")


def descriptors(folder: str) -> None:
    """A million copies of one descriptor."""
    _soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    first = queue(folder)
    with contextlib.suppress(OSError):  # as many as there may be
        while True:
            os.dup(first)
    for _fork in range(FORKS):
        parent = os.getpid()
        if not os.fork():
            while os.getppid() == parent:
                time.sleep(0.5)
            os._exit(0)


def fuse(folder: str) -> None:
    """A file whose server never answers, beside a queue: stat() and the close() of a copy wait for it."""
    queue(folder)
    os.dup2(_trap(folder), 63)  # a queue's number a moment before


def swaps(folder: str) -> None:
    """Two numbers, of a queue and of such a file, change places all the time."""
    os.dup2(queue(folder, "evil-swap"), 64)
    os.dup2(_trap(folder), 65)
    os.closerange(3, 64)

    def swap() -> None:
        while True:
            first = os.dup(64)
            os.dup2(65, 64)
            os.dup2(first, 65)
            os.close(first)
            time.sleep(0.01)

    threading.Thread(target=swap, daemon=True).start()


def clears(folder: str) -> None:
    """Devices whose programs are taken off ten times a second."""
    queues = [queue(folder, f"evil-clear{number}") for number in range(4)]

    def clear() -> None:
        while True:
            for descriptor in queues:
                fcntl.ioctl(descriptor, TUNSETSTEERINGEBPF, struct.pack("=i", -1))
            time.sleep(0.1)

    threading.Thread(target=clear, daemon=True).start()


def _trap(folder: str) -> int:
    """The server is a process of its own, which ends with this one's standard input: then everybody who waits is let
    go."""
    where = f"{folder}/{os.getpid()}"
    libc = ctypes.CDLL(None, use_errno=True)
    server = os.open(f"{folder}/fuse", os.O_RDWR)
    os.makedirs(where)
    options = f"fd={server},rootmode=40000,user_id=0,group_id=0".encode()
    if libc.mount(b"x", where.encode(), b"fuse", 0, options):
        raise OSError(ctypes.get_errno(), "mount")
    if not os.fork():
        os.closerange(3, server)  # it holds no queue
        os.closerange(server + 1, 100)
        with contextlib.suppress(Exception):
            _serve(server)
        os._exit(0)
    os.close(server)
    return os.open(f"{where}/file", os.O_RDWR)


def _serve(server: int) -> None:
    """Enough for open(), and for this user's own close(); whatever comes then is read and never answered."""
    attributes = {1: ATTR.pack(1, *[0] * 8, 0o40777, 2, *[0] * 5), 2: ATTR.pack(2, *[0] * 8, 0o100666, 1, *[0] * 5)}
    entry = struct.pack("=QQQQII", 2, 0, 3600, 3600, 0, 0) + attributes[2]
    answers = {
        INIT: struct.pack("=IIIIHHIIHHI28x", 7, 31, 4096, 0, 12, 9, 4096, 1, 1, 0, 0),
        LOOKUP: entry,
        OPEN: struct.pack("=QII", 1, 0, 0),
        GETATTR: struct.pack("=QII", 3600, 0, 0) + attributes[1],
    }
    while not select.select([server, 0], [], [])[0].count(0):
        request = os.read(server, 1 << 17)
        _length, opcode, unique, node, user, *_rest = IN_HEADER.unpack_from(request)
        answer = b"" if (opcode, user) == (FLUSH, 0) else answers.get(opcode)
        if answer is not None and (opcode, node) != (GETATTR, 2):
            os.write(server, OUT_HEADER.pack(OUT_HEADER.size + len(answer), 0, unique) + answer)


def words(folder: str) -> None:
    """Devices whose names are no UTF-8; the arguments are those that this process was started with."""
    for number in range(20):
        descriptor = os.open(f"{folder}/tun", os.O_RDWR)
        fcntl.ioctl(descriptor, TUNSETIFF, struct.pack("16sH22x", b"vnet\xff\x1b" + str(number).encode(), IFF))


ROLES = {each.__name__: each for each in (arguments, clears, descriptors, fuse, swaps, words)}

if __name__ == "__main__":
    ROLES[sys.argv[1]](sys.argv[2])
    print("ready", flush=True)
    while select.select([0], [], [])[0] and os.read(0, 1):
        pass
