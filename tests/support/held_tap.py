# SPDX-License-Identifier: GPL-3.0-or-later
"""A process that holds a multi-queue TAP device, as a VMM does, and tells which queue received which frame.

Run as a program it makes NAME with QUEUES queues, prints `ready`, then obeys lines on its standard input: `frames`
prints and forgets what has arrived, one `QUEUE HEX` a line, ended by `.`; `disable N` and `enable N` detach and attach
queue N, as a guest's `ethtool -L` makes QEMU do, `close N` closes it for good, `remake N` makes another device of its
name with N queues in its place. It ends, and the device with it, when its input ends.

HeldTap is the other side. Standard library only: it runs under every Python that is tested.
"""

from __future__ import annotations

import fcntl
import os
import select
import socket
import struct
import subprocess
import sys
import time
import typing as t

TUNSETIFF, TUNSETQUEUE, TUNSETIFINDEX = 0x400454CA, 0x400454D9, 0x400454DA
IFF_TAP, IFF_MULTI_QUEUE, IFF_NO_PI, IFF_VNET_HDR = 0x0002, 0x0100, 0x1000, 0x4000
IFF_ATTACH_QUEUE, IFF_DETACH_QUEUE = 0x0200, 0x0400
SIOCSIFFLAGS, IFF_UP = 0x8914, 0x1
VNET_HEADER = 10  # struct virtio_net_hdr, in front of each frame of a device with IFF_VNET_HDR
FLAGS = IFF_TAP | IFF_MULTI_QUEUE | IFF_NO_PI
Arrived = t.List[t.Tuple[int, bytes]]


def ifreq(name: str, flags: int) -> bytes:
    return struct.pack("16sH22x", os.fsencode(name), flags)


def open_queue(name: str, flags: int, ifindex: int = 0) -> int:
    """The index is that of the device, where the first queue makes it."""
    descriptor = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
    if ifindex:
        fcntl.ioctl(descriptor, TUNSETIFINDEX, struct.pack("=i", ifindex))
    fcntl.ioctl(descriptor, TUNSETIFF, ifreq(name, flags))
    return descriptor


def set_up(name: str) -> None:
    """Bring the device up without the frames that IPv6 sends of its own accord."""
    with open(f"/proc/sys/net/ipv6/conf/{name}/disable_ipv6", "w") as setting:
        setting.write("1")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as control:
        fcntl.ioctl(control, SIOCSIFFLAGS, ifreq(name, IFF_UP))


class Reader:
    def __init__(self, name: str, queues: int, flags: int) -> None:
        self.name, self.flags = name, flags
        self.queues = [open_queue(name, flags) for _index in range(queues)]
        self.header = VNET_HEADER if flags & IFF_VNET_HDR else 0
        self.frames: Arrived = []
        self.poll = select.poll()
        set_up(name)

    def drain(self, descriptor: int) -> None:
        queue = self.queues.index(descriptor)
        while True:
            try:
                self.frames.append((queue, os.read(descriptor, 70000)[self.header :]))
            except BlockingIOError:
                return

    def obey(self, line: str) -> None:
        command, _blank, argument = line.strip().partition(" ")
        if command == "frames":
            for descriptor in self.queues:
                self.drain(descriptor)
            for queue, frame in self.frames:
                print(queue, frame.hex())
            print(".", flush=True)
            self.frames = []
        elif command == "remake":
            self.remake(int(argument))
            print("done", flush=True)
        elif command == "close":
            self.poll.unregister(self.queues[int(argument)])
            os.close(self.queues[int(argument)])
            print("done", flush=True)
        else:
            change = IFF_DETACH_QUEUE if command == "disable" else IFF_ATTACH_QUEUE
            fcntl.ioctl(self.queues[int(argument)], TUNSETQUEUE, ifreq("", change))
            print("done", flush=True)

    def remake(self, queues: int) -> None:
        """A new device with the name, the index and, as far as there are as many, the descriptors of the old one."""
        ifindex = socket.if_nametoindex(self.name)
        for descriptor in self.queues:
            self.poll.unregister(descriptor)
            os.close(descriptor)
        self.queues = [open_queue(self.name, self.flags, ifindex) for _index in range(queues)]
        for descriptor in self.queues:
            self.poll.register(descriptor, select.POLLIN)
        set_up(self.name)

    def run(self) -> None:
        for descriptor in [*self.queues, 0]:
            self.poll.register(descriptor, select.POLLIN)
        print("ready", flush=True)
        while True:
            for descriptor, events in self.poll.poll():
                if descriptor != 0:
                    # A queue that the "guest" has disabled reports an error until it is enabled again.
                    if events & select.POLLIN:
                        self.drain(descriptor)
                    continue
                line = sys.stdin.readline()
                if not line:
                    return
                self.obey(line)


class HeldTap:
    """A TAP device held by another process; use it in a `with` block."""

    def __init__(self, name: str, queues: int = 4, flags: int = FLAGS) -> None:
        self.name = name
        self.count = queues
        # -S -E: a reader costs 20 ms rather than 60 to start
        self.process = subprocess.Popen(
            [sys.executable, "-S", "-E", os.path.abspath(__file__), name, str(queues), str(flags)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            universal_newlines=True,
        )
        if self._answer() != "ready\n":
            self.close()
            raise RuntimeError(f"the reader of {name} did not start")
        self.sender = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
        self.sender.bind((name, 0))

    def __enter__(self) -> HeldTap:
        return self

    def __exit__(self, *_exception: object) -> None:
        self.close()

    def close(self) -> None:
        assert self.process.stdin and self.process.stdout
        self.process.stdin.close()
        self.process.wait(timeout=10)
        self.process.stdout.close()
        if hasattr(self, "sender"):
            self.sender.close()

    @property
    def pid(self) -> int:
        return self.process.pid

    def _ask(self, line: str) -> None:
        assert self.process.stdin
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()

    def _answer(self) -> str:
        assert self.process.stdout
        return self.process.stdout.readline()

    def set_queue(self, queue: int, enabled: bool) -> None:
        self._ask(f"{'enable' if enabled else 'disable'} {queue}")
        assert self._answer() == "done\n"

    def close_queue(self, queue: int) -> None:
        """No `received()` afterwards: the queues behind it are counted anew by the driver."""
        self._ask(f"close {queue}")
        assert self._answer() == "done\n"

    def remake(self, queues: int) -> None:
        """Close it and make another device of its name, with its index and its descriptors' numbers."""
        self._ask(f"remake {queues}")
        assert self._answer() == "done\n"
        self.count = queues

    def received(self) -> Arrived:
        """What has arrived since the last call: (queue, frame) pairs."""
        self._ask("frames")
        found = []
        for line in iter(self._answer, ".\n"):
            queue, _blank, frame = line.partition(" ")
            found.append((int(queue), bytes.fromhex(frame.strip())))
        return found

    def send(self, frames: t.Sequence[bytes], burst: int = 256) -> Arrived:
        """Send frames to the device as the host's network does; gives the (queue, frame) pairs that arrived."""
        arrived = []
        for start in range(0, len(frames), burst):
            for frame in frames[start : start + burst]:
                self.sender.send(frame)
            arrived += self.received()
        deadline = time.monotonic() + 2
        while len(arrived) < len(frames) and time.monotonic() < deadline:
            time.sleep(0.01)
            arrived += self.received()
        return arrived


if __name__ == "__main__":
    Reader(sys.argv[1], int(sys.argv[2]), int(sys.argv[3])).run()
