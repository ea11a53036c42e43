# SPDX-License-Identifier: GPL-3.0-or-later
"""A guest that reads numbered packets of many flows from the queues of a real TAP device, and tells which came late.

The sender and the guest are one process: a burst is sent, then every queue is read. So the guest is never more than a
burst behind, and the order in which packets are read is the order in which a guest would have them.
"""

from __future__ import annotations

import fcntl
import os
import random
import socket
import struct
import time
import typing as t

from ansible_collections.virtnet.rss.tests.support.held_tap import FLAGS, open_queue, set_up

__all__ = ("Guest", "flow_frames", "zipf_counts")

HEADER = 14 + 20 + 8
NUMBER = struct.Struct("!II")  # flow, place in the flow
BURST = 64


def flow_frames(count: int, seed: int = 0) -> list[bytes]:
    """UDP over IPv4 with addresses and ports by chance, up to the payload."""
    source = random.Random(seed)
    frames = []
    for _flow in range(count):
        addresses = struct.pack("!II", source.getrandbits(32), source.getrandbits(32))
        ports = struct.pack("!HHHH", source.randrange(1024, 65536), source.randrange(1024, 65536), 16, 0)
        ip = struct.pack("!BBHHHBBH", 0x45, 0, 36, 0, 0x4000, 64, 17, 0)
        frames.append(bytes(12) + b"\x08\x00" + ip + addresses + ports)
    return frames


def zipf_counts(flows: int, packets: int, exponent: float = 1.1) -> list[int]:
    """How many of so many packets are each flow's."""
    rates = [1 / number**exponent for number in range(1, flows + 1)]
    return [round(rate / sum(rates) * packets) for rate in rates]


class Guest:
    """Holds a device with queues, which this process reads itself; use it in a ``with`` block."""

    def __init__(self, name: str, frames: t.Sequence[bytes], queues: int = 4) -> None:
        self.name, self.frames = name, list(frames)
        self.descriptors = [open_queue(name, FLAGS) for _queue in range(queues)]
        set_up(name)
        self.sender = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
        self.sender.bind((name, 0))
        self.sent = [0] * len(self.frames)
        self.last = [0] * len(self.frames)
        self.late: list[int] = [0] * len(self.frames)  # packets read after a later one of their flow
        self.packets = [0] * queues
        self.enabled = list(range(queues))

    def __enter__(self) -> Guest:
        return self

    def __exit__(self, *_exception: object) -> None:
        for descriptor in self.descriptors:
            os.close(descriptor)
        self.sender.close()

    def send(self, flows: t.Sequence[int]) -> None:
        """One packet of each of these flows, in this order."""
        send, frames, sent, pack = self.sender.send, self.frames, self.sent, NUMBER.pack
        for start in range(0, len(flows), BURST):
            for flow in flows[start : start + BURST]:
                sent[flow] += 1
                send(frames[flow] + pack(flow, sent[flow]))
            self.read()

    def send_for(self, seconds: float, flows: t.Sequence[int]) -> list[int]:
        """Again and again; gives the packets of each queue in that time."""
        before, end = list(self.packets), time.monotonic() + seconds
        while time.monotonic() < end:
            self.send(flows)
        return [now - earlier for now, earlier in zip(self.packets, before)]

    def read(self) -> None:
        """All that has arrived, queue after queue."""
        last, late, unpack = self.last, self.late, NUMBER.unpack_from
        for queue in self.enabled:
            descriptor = self.descriptors[queue]
            try:
                while True:
                    flow, number = unpack(os.read(descriptor, 2048), HEADER)
                    self.packets[queue] += 1
                    if number < last[flow]:
                        late[flow] += 1
                    else:
                        last[flow] = number
            except BlockingIOError:
                pass

    def set_queue(self, queue: int, enabled: bool) -> None:
        """As a guest's ethtool -L makes a VMM do it; the last one first."""
        from ansible_collections.virtnet.rss.tests.support import held_tap

        change = held_tap.IFF_ATTACH_QUEUE if enabled else held_tap.IFF_DETACH_QUEUE
        fcntl.ioctl(self.descriptors[queue], held_tap.TUNSETQUEUE, held_tap.ifreq("", change))
        self.enabled = [*self.enabled, queue] if enabled else [each for each in self.enabled if each != queue]
