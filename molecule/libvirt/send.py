# SPDX-License-Identifier: GPL-3.0-or-later
"""`send DEVICE`: send a packet of each of the flows that standard input has as JSON into DEVICE."""

from __future__ import annotations

import json
import socket
import sys

from ansible_collections.virtnet.rss.molecule.shared.guest import frames

if __name__ == "__main__":
    with socket.socket(socket.AF_PACKET, socket.SOCK_RAW) as sender:
        sender.bind((sys.argv[1], 0))
        for frame in frames(json.load(sys.stdin)):
            sender.send(frame)
