# SPDX-License-Identifier: GPL-3.0-or-later
"""A process that holds the queues of a device as libvirt's daemon and becomes QEMU later: so libvirt starts a guest.

Run as a program it is that process: `DEVICE FOLDER` opens four queues, prints `ready`, and when its input has a line,
it becomes the program qemu-system-x86_64 of that folder, with the arguments of a guest whose name the line is.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from ansible_collections.virtnet.rss.tests.support.held_tap import FLAGS, open_queue, set_up
from ansible_collections.virtnet.rss.tests.support.run_module import COLLECTION, TREE

__all__ = ("MAC", "Libvirt")

QEMU = "qemu-system-x86_64"
MAC = "52:54:00:12:34:56"  # of the guest's card


class Libvirt:
    """The other side. What a process runs is told by its file, so both programs are copies of Python."""

    def __init__(self, folder: Path, daemon: str, device: str) -> None:
        for name in (daemon, QEMU):
            (folder / name).write_bytes(Path("/usr/bin/python3").read_bytes())
            (folder / name).chmod(0o755)
        command = [str(folder / daemon), "-S", "-E", "-m", f"{COLLECTION}.tests.support.libvirt", device, str(folder)]
        self._process = subprocess.Popen(command, cwd=TREE, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        assert self._process.stdout and self._process.stdout.readline() == "ready\n"

    def start_guest(self, domain: str) -> None:
        assert self._process.stdin
        self._process.stdin.write(f"{domain}\n")
        self._process.stdin.flush()

    def end(self) -> None:
        self._process.kill()
        self._process.communicate()


def main(device: str, folder: str) -> None:
    queues = [open_queue(device, FLAGS) for _index in range(4)]
    for queue in queues:
        os.set_inheritable(queue, True)
    set_up(device)
    print("ready", flush=True)
    guest = sys.stdin.readline().strip()
    arguments = ["-c", "import sys; sys.stdin.read()", "-name", f"guest={guest},debug-threads=on"]
    arguments += ["-netdev", f"tap,fds={':'.join(map(str, queues))},id=hostnet0"]
    arguments += ["-device", f"virtio-net-pci,mq=on,netdev=hostnet0,id=net0,mac={MAC}"]
    os.execv(f"{folder}/{QEMU}", [QEMU, "-S", "-E", *arguments])


if __name__ == "__main__":
    main(*sys.argv[1:])
