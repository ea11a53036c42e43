# SPDX-License-Identifier: GPL-3.0-or-later
"""A real guest of tests/support/qemu, as a service.

`real_guest.py hold DEVICE` makes the TAP device and boots a guest with four queues on it, with vhost if the device's
name says so. `real_guest.py tell DEVICE` reads a request as JSON on its standard input and prints the answer as JSON:
{"flows": [...]}, in the words of the filter virtnet.rss.rss_queue: a packet of each is sent into DEVICE; the answer is
how many the guest, asked inside, has received on each queue. {"monitor": "savevm x"}: what QEMU's monitor says.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import sys

from guest import address_of, frame

from ansible_collections.virtnet.rss.tests.support.qemu.guest import Guest, multi_queue_tap
from ansible_collections.virtnet.rss.tests.support.qemu.image import Qemu

QEMU = Qemu("10", ("qemu-system-x86_64",))  # the distribution's
BOOT_SECONDS = 600  # by emulation in an emulated machine


def hold(device):
    signal.signal(signal.SIGTERM, lambda *_signal: sys.exit(0))
    with contextlib.suppress(FileNotFoundError):
        os.unlink(address_of(device))
    vhost = "vhost" in device
    with multi_queue_tap(device), Guest(
        device, qemu=QEMU, vhost=vhost, snapshots=True, boot_seconds=BOOT_SECONDS
    ) as guest, socket.socket(socket.AF_UNIX) as server:
        server.bind(address_of(device))
        server.listen()
        while True:
            client, _address = server.accept()
            with client, client.makefile("rw") as stream:
                json.dump(answer(guest, json.loads(stream.readline())), stream)


def answer(guest, request):
    if "monitor" in request:
        return guest.monitor(request["monitor"])
    return guest.receive([frame(flow, number.to_bytes(4, "big")) for number, flow in enumerate(request["flows"])])


def tell(device):
    request = json.load(sys.stdin)
    with socket.socket(socket.AF_UNIX) as client:
        client.connect(address_of(device))
        with client.makefile("rw") as stream:
            stream.write(json.dumps(request) + "\n")
            stream.flush()
            print(stream.read())


if __name__ == "__main__":
    {"hold": hold, "tell": tell}[sys.argv[1]](sys.argv[2])
