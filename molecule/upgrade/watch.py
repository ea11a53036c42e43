# SPDX-License-Identifier: GPL-3.0-or-later
"""`watch DEVICE`: sends packets to the guest on DEVICE, round after round, until it is told to stop; counts in
/run/watch-DEVICE how many it has sent, and how many of them the guest did not get."""

from __future__ import annotations

import json
import os
import signal
import socket
import sys

FLOWS = [
    {"src": "192.0.2.1", "dst": "198.51.100.2", "proto": "udp", "sport": 1024 + number, "dport": 53}
    for number in range(200)
]


def main(device: str) -> None:
    counts = {"rounds": 0, "sent": 0, "lost": 0}
    told: list[int] = []
    signal.signal(signal.SIGTERM, lambda number, _frame: told.append(number))
    while not told:  # a round is ended, or what holds the device would have nobody to answer
        with socket.socket(socket.AF_UNIX) as client:
            client.connect(f"/run/guest-{device}")
            with client.makefile("rw") as stream:
                stream.write(json.dumps(FLOWS) + "\n")
                stream.flush()
                queues = json.loads(stream.read())
        counts["rounds"] += 1
        counts["sent"] += len(queues)
        counts["lost"] += queues.count(None)
        with open(f"/run/watch-{device}.new", "w", encoding="utf-8") as file:
            json.dump(counts, file)
        os.rename(file.name, f"/run/watch-{device}")


if __name__ == "__main__":
    main(sys.argv[1])
