# SPDX-License-Identifier: GPL-3.0-or-later
"""`send DEVICE [SECONDS]`: send a packet of each flow that standard input has as JSON, once or for so long."""

from __future__ import annotations

import json
import socket
import sys
import time

from ansible_collections.virtnet.rss.molecule.shared.guest import frames

PAUSE = 2.0  # seconds: a guest in a guest, both emulated, takes a second for all flows


def main(device: str, seconds: float = 0.0) -> None:
    sent, end = frames(json.load(sys.stdin)), time.monotonic() + seconds
    with socket.socket(socket.AF_PACKET, socket.SOCK_RAW) as sender:
        sender.bind((device, 0))
        while True:
            for frame in sent:
                sender.send(frame)
            if time.monotonic() >= end:
                return
            time.sleep(PAUSE)


if __name__ == "__main__":
    main(sys.argv[1], *map(float, sys.argv[2:]))
