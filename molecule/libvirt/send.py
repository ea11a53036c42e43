# SPDX-License-Identifier: GPL-3.0-or-later
"""`send.py DEVICE`: send a packet of each of the flows that standard input has as JSON into DEVICE."""

from __future__ import annotations

import json
import socket
import sys

from guest import frame

with socket.socket(socket.AF_PACKET, socket.SOCK_RAW) as sender:
    sender.bind((sys.argv[1], 0))
    for number, flow in enumerate(json.load(sys.stdin)):
        sender.send(frame(flow, number.to_bytes(4, "big")))
