# SPDX-License-Identifier: GPL-3.0-or-later
"""What stands for a guest and for its peers in the scenarios: a TAP device that a process holds, and real packets.

`guest hold DEVICE` holds DEVICE with four queues, as a VMM does, until it is told to stop. `guest send DEVICE [WIRE]`
reads flows as JSON on its standard input, in the words of the filter virtnet.rss.rss_queue, sends a packet of each into
DEVICE, or on the device WIRE, behind which a switch brings it there, and prints as JSON on which queue each one
arrived, null for a packet that did not. A flow with neither ports nor addresses is ARP.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import struct
import sys
import typing as t
from ipaddress import ip_address

from ansible_collections.virtnet.rss.tests.packets.builder import ICMP, ICMPV6, TCP, UDP, ethernet, ipv4, ipv6, tcp, udp
from ansible_collections.virtnet.rss.tests.support.held_tap import HeldTap

__all__ = ("ask", "frames", "serve")

ARP = bytes.fromhex("0001 0800 06 04 0001 020000000001 0a000001 000000000000 0a000002")
Flow = t.Dict[str, t.Any]


def frames(flows: t.Iterable[Flow]) -> list[bytes]:
    """A packet of each flow; the number at its end makes it unlike all others."""
    return [_frame(flow, number.to_bytes(4, "big")) for number, flow in enumerate(flows)]


def serve(device: str, answer: t.Callable[[t.Any], t.Any]) -> None:
    """Answer one client of this device after the other, until the process is told to stop."""
    signal.signal(signal.SIGTERM, lambda *_signal: sys.exit(0))
    with contextlib.suppress(FileNotFoundError):
        os.unlink(_address(device))
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(_address(device))
        server.listen()
        while True:
            client, _peer = server.accept()
            with client, client.makefile("rw") as stream:
                json.dump(answer(json.loads(stream.readline())), stream)


def ask(device: str, request: t.Any) -> None:
    """Print what the process that serves this device answers."""
    with socket.socket(socket.AF_UNIX) as client:
        client.connect(_address(device))
        with client.makefile("rw") as stream:
            stream.write(json.dumps(request) + "\n")
            stream.flush()
            print(stream.read())


def hold(device: str) -> None:
    with HeldTap(device) as tap:
        serve(device, lambda request: _sent(tap, request["wire"], frames(request["flows"])))


def send(device: str, wire: str = "") -> None:
    ask(device, {"flows": json.load(sys.stdin), "wire": wire or device})


def _sent(tap: HeldTap, wire: str, packets: list[bytes]) -> list[int | None]:
    tap.sender.bind((wire, 0))
    tap.received()  # what came in the meantime is not ours
    queues = {packet: queue for queue, packet in tap.send(packets)}
    return [queues.get(packet) for packet in packets]


def _address(device: str) -> str:
    return f"/run/guest-{device}"


def _frame(flow: Flow, number: bytes) -> bytes:
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


if __name__ == "__main__":
    {"hold": hold, "send": send}[sys.argv[1]](*sys.argv[2:])
