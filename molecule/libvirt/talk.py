# SPDX-License-Identifier: GPL-3.0-or-later
"""`talk SECONDS ADDRESS PORT`: many TCP connections with a server that sends back what it gets, all at work so long."""

from __future__ import annotations

import socket
import sys
import time

CONNECTIONS, WORDS = 48, b"a few words"


def main(seconds: float, address: str, port: int) -> None:
    connections = [socket.create_connection((address, port), timeout=30) for _number in range(CONNECTIONS)]
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        for connection in connections:
            connection.sendall(WORDS)
        for connection in connections:
            connection.recv(len(WORDS))


if __name__ == "__main__":
    main(float(sys.argv[1]), sys.argv[2], int(sys.argv[3]))
