# SPDX-License-Identifier: GPL-3.0-or-later
"""A real guest of tests/support/qemu, as a service.

`real_guest hold DEVICE` makes the TAP device and boots a guest with four queues on it, with vhost if the device's
name says so. `real_guest tell DEVICE` reads a request as JSON on its standard input and prints the answer as JSON:
{"flows": [...]}, in the words of the filter virtnet.rss.rss_queue: a packet of each is sent into DEVICE; the answer is
how many the guest, asked inside, has received on each queue. {"monitor": "savevm x"}: what QEMU's monitor says.
"""

from __future__ import annotations

import json
import sys
import typing as t

from ansible_collections.virtnet.rss.molecule.shared.guest import ask, frames, serve
from ansible_collections.virtnet.rss.tests.support.qemu.guest import Guest, multi_queue_tap
from ansible_collections.virtnet.rss.tests.support.qemu.image import Qemu

QEMU = Qemu("10", ("qemu-system-x86_64",))  # the distribution's
BOOT_SECONDS = 600  # by emulation in an emulated machine


def hold(device: str) -> None:
    vhost = "vhost" in device
    with multi_queue_tap(device), Guest(
        device, qemu=QEMU, vhost=vhost, snapshots=True, boot_seconds=BOOT_SECONDS
    ) as guest:
        serve(device, lambda request: _answer(guest, request))


def tell(device: str) -> None:
    ask(device, json.load(sys.stdin))


def _answer(guest: Guest, request: dict[str, t.Any]) -> t.Any:
    if "monitor" in request:
        return guest.qmp.monitor(request["monitor"])
    return guest.receive(frames(request["flows"]))


if __name__ == "__main__":
    {"hold": hold, "tell": tell}[sys.argv[1]](sys.argv[2])
