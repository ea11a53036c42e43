# SPDX-License-Identifier: GPL-3.0-or-later
"""A file system whose server never answers, and strangers who make others wait with it."""

from __future__ import annotations

import ctypes
import os
import subprocess
import sys
from pathlib import Path

from ansible_collections.virtnet.rss.tests.support.eventually import eventually

__all__ = ("Trap",)

# linux/fuse.h; of a server that opens any file, has 4,096 zero bytes in it, and says nothing more.
FUSE = """
import os, struct, sys, zlib
sys.stdout.write(str(os.getpid()) + chr(10)); sys.stdout.flush()
fuse = int(sys.argv[1])
def answer(unique, payload, error=0):
    os.write(fuse, struct.pack("=IiQ", 16 + len(payload), -error, unique) + payload)
def attributes(node):
    return struct.pack("=6Q10I", node, 4096, 8, 0, 0, 0, 0, 0, 0, 0o100666, 1, 0, 0, 0, 4096, 0)
ROOT = struct.pack("=6Q10I", 1, 0, 0, 0, 0, 0, 0, 0, 0, 0o040777, 2, 0, 0, 0, 4096, 0)
while True:
    request = os.read(fuse, 1 << 20)
    _size, code, unique, node = struct.unpack_from("=IIQQ", request)
    if code == 26: answer(unique, struct.pack("=IIIIHHIIHHI28x", 7, 31, 65536, 0, 16, 12, 65536, 1, 16, 0, 0))
    elif code == 1:  # LOOKUP: there is a file of every name
        found = 2 + zlib.crc32(request[40:])
        answer(unique, struct.pack("=4QII", found, 0, 0, 0, 0, 0) + attributes(found))
    elif code == 3: answer(unique, struct.pack("=QII", 0, 0, 0) + (ROOT if node == 1 else attributes(node)))
    elif code == 14: answer(unique, struct.pack("=QII", 1, 0, 0))
    elif code == 25: sys.stdin.read(); answer(unique, b"")  # FLUSH, which close() waits for: until the test ends
    elif code == 15 and node == 2 + zlib.crc32(b"unread" + bytes(1)): pass  # READ: for ever
    elif code == 15: answer(unique, bytes(4096))
    elif code in (2, 42): pass
    elif code == 16: pass  # WRITE, which munmap() of a changed page waits for: for ever
    else: answer(unique, b"", 38)
"""


LOCKED = """
import ctypes, os, sys
from ansible_collections.virtnet.rss.tests.support.held_tap import FLAGS, open_queue
mmap = ctypes.CDLL(None).mmap
mmap.restype, mmap.argtypes = ctypes.c_void_p, [ctypes.c_void_p, ctypes.c_size_t, *3 * [ctypes.c_int], ctypes.c_long]
name, path = sys.argv[1:]
queues = [open_queue(name, FLAGS) for _queue in range(2)]
place = mmap(None, 4096, 3, 1, os.open(path, os.O_RDWR), 0)
ctypes.memset(place, 1, 1)  # now there is something to write
print("ready", flush=True)
mmap(place, 4096, 3, 0x32, -1, 0)  # MAP_FIXED over it: it is written first, and the lock is kept meanwhile
"""


LISTED = """
import ctypes, os, sys, threading, time
from ansible_collections.virtnet.rss.tests.support.held_tap import FLAGS, open_queue
libc = ctypes.CDLL(None)
libc.mmap.restype = ctypes.c_void_p
libc.mmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t, *3 * [ctypes.c_int], ctypes.c_long]
name, path = sys.argv[1:]
queues = [open_queue(name, FLAGS) for _queue in range(2)]
place = libc.mmap(None, 4096, 3, 1, os.open(path, os.O_RDWR), 0)
folder = os.open("/proc/self", os.O_RDONLY)
getdents64 = {"x86_64": 217, "aarch64": 61}[os.uname().machine]
threading.Thread(target=libc.syscall, args=(getdents64, folder, ctypes.c_void_p(place), 4096)).start()
time.sleep(0.3)  # it keeps the folder's lock, and the next one waits for it, before all who come later
threading.Thread(target=libc.mkdir, args=(b"/proc/self/x", 0o700)).start()
time.sleep(0.3)
print("ready", flush=True)
"""


class Trap:
    """A file on a file system whose server answers no close() and no write; it lets go when the trap ends."""

    def __init__(self, folder: str) -> None:
        self._folder = folder
        self.path = os.path.join(folder, "file")
        self._strangers: list[subprocess.Popen[bytes]] = []

    def __enter__(self) -> Trap:
        fuse = os.open("/dev/fuse", os.O_RDWR)
        options = f"fd={fuse},rootmode=40000,user_id=0,group_id=0".encode()
        libc = ctypes.CDLL(None, use_errno=True)
        if libc.mount(b"trap", self._folder.encode(), b"fuse", 0, options):
            raise OSError(ctypes.get_errno(), "mount")
        self._server = subprocess.Popen(
            [sys.executable, "-c", FUSE, str(fuse)], pass_fds=[fuse], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        os.close(fuse)
        assert self._server.stdout
        self._server.stdout.readline()
        return self

    def __exit__(self, *_exception: object) -> None:
        self._server.kill()  # what waits for an answer gets ENOTCONN
        self._server.communicate()
        for stranger in self._strangers:
            stranger.kill()
            stranger.communicate()
        subprocess.run(["umount", "--lazy", self._folder], check=True)

    def locked_stranger(self, tap: str) -> int:
        """A process that holds a device of two queues, and for as long as the trap lasts the lock of its memory."""
        stranger = subprocess.Popen(
            [sys.executable, "-c", LOCKED, tap, os.path.join(self._folder, tap)], stdout=subprocess.PIPE
        )
        self._strangers.append(stranger)
        assert stranger.stdout and stranger.stdout.readline() == b"ready\n"
        stat = Path(f"/proc/{stranger.pid}/stat")
        eventually(lambda: stat.read_bytes().rpartition(b") ")[2].startswith(b"D"))
        return stranger.pid

    def listed_stranger(self, tap: str) -> int:
        """The same with the lock of its folder in /proc, into which nobody can look meanwhile, not to be killed."""
        command = [sys.executable, "-c", LISTED, tap, os.path.join(self._folder, "unread")]
        stranger = subprocess.Popen(command, stdout=subprocess.PIPE)
        self._strangers.append(stranger)
        assert stranger.stdout and stranger.stdout.readline() == b"ready\n"
        return stranger.pid

    def opened_by_stranger(self) -> tuple[int, int]:
        """Process and descriptor of somebody who has it open."""
        code = f"import os, sys; print(os.open({self.path!r}, os.O_RDWR)); sys.stdout.flush(); sys.stdin.read()"
        stranger = subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self._strangers.append(stranger)
        assert stranger.stdout
        return stranger.pid, int(stranger.stdout.readline())
