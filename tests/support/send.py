# SPDX-License-Identifier: GPL-3.0-or-later
"""`send.py DEVICE [RATE]`: so many UDP packets a second, or a thousand, of 256 flows into a device, until it is told
to stop."""

from __future__ import annotations

import contextlib
import itertools
import socket
import struct
import sys
import time


def main(device: str, rate: int = 1000) -> None:
    with socket.socket(socket.AF_PACKET, socket.SOCK_RAW) as sender:
        while True:
            try:
                sender.bind((device, 0))
                break
            except OSError:
                time.sleep(0.05)
        for flow in itertools.cycle(range(256)):
            header = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 28, 0, 0, 64, 17, 0, b"\x0a\0\0\1", b"\x0a\0\0\2")
            with contextlib.suppress(OSError):  # not up yet, or a full queue
                sender.send(bytes(12) + b"\x08\0" + header + struct.pack("!HHHH", 1000 + flow, 53, 8, 0))
            time.sleep(1 / rate)


if __name__ == "__main__":
    main(sys.argv[1], *map(int, sys.argv[2:]))
