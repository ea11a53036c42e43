# SPDX-License-Identifier: GPL-3.0-or-later
"""What stands for a guest and for its peers in the scenarios: a TAP device that a process holds, and real packets.

`guest.py hold DEVICE` holds DEVICE with four queues, as a VMM does, until it is told to stop. `guest.py send DEVICE`
reads flows as JSON on its standard input, in the words of the filter virtnet.rss.rss_queue, sends a packet of each into
DEVICE and prints as JSON on which queue each one arrived, null for a packet that did not. A flow with neither ports nor
addresses is ARP. Needs held_tap.py and builder.py of the tests beside it.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import struct
import sys
from ipaddress import ip_address

from builder import ICMP, ICMPV6, TCP, UDP, ethernet, ipv4, ipv6, tcp, udp
from held_tap import HeldTap

ARP = bytes.fromhex("0001 0800 06 04 0001 020000000001 0a000001 000000000000 0a000002")


def address_of(device):
    return f"/run/guest-{device}"


def frame(flow, number):
    """A packet of this flow; the number at its end makes it unlike all others."""
    if "src" not in flow:
        return ethernet(ARP + number, 0x0806)
    src, dst = ip_address(flow["src"]).packed, ip_address(flow["dst"]).packed
    if "sport" in flow:
        ports = struct.pack("!HH", int(flow["sport"]), int(flow["dport"]))
        payload, protocol = (tcp(ports), TCP) if flow["proto"] == "tcp" else (udp(ports), UDP)
    else:
        payload, protocol = b"\x08\0\0\0\0\1\0\1", ICMP if len(src) == 4 else ICMPV6
    layer = ipv4 if len(src) == 4 else ipv6
    return layer(payload + number, protocol, src=src, dst=dst)


def hold(device):
    """Answer one client after the other: frames in, the queue of each out."""
    signal.signal(signal.SIGTERM, lambda *_signal: sys.exit(0))
    with contextlib.suppress(FileNotFoundError):
        os.unlink(address_of(device))
    with HeldTap(device) as tap, socket.socket(socket.AF_UNIX) as server:
        server.bind(address_of(device))
        server.listen()
        while True:
            client, _address = server.accept()
            with client, client.makefile("rw") as stream:
                frames = [bytes.fromhex(text) for text in json.loads(stream.readline())]
                tap.received()  # what came in the meantime is not ours
                queues = {frame: queue for queue, frame in tap.send(frames)}
                json.dump([queues.get(frame) for frame in frames], stream)


def send(device):
    flows = json.load(sys.stdin)
    frames = [frame(flow, number.to_bytes(4, "big")).hex() for number, flow in enumerate(flows)]
    with socket.socket(socket.AF_UNIX) as client:
        client.connect(address_of(device))
        with client.makefile("rw") as stream:
            stream.write(json.dumps(frames) + "\n")
            stream.flush()
            print(stream.read())


if __name__ == "__main__":
    {"hold": hold, "send": send}[sys.argv[1]](sys.argv[2])
