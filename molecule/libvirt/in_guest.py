# SPDX-License-Identifier: GPL-3.0-or-later
"""`in_guest COMMAND`: what a shell command says in the domain web1, by its second serial port.

What answers there is tests/support/qemu/init.
"""

from __future__ import annotations

import os
import re
import select
import subprocess
import sys
import termios
import tty
from xml.etree import ElementTree as ET

SECONDS = 120.0
ANSWER = re.compile(rb"(.*?)\x04(\d+)\n", re.DOTALL)


def port_of(domain: str) -> str:
    """The terminal that libvirt has made for it."""
    told = subprocess.run(["virsh", "dumpxml", domain], check=True, stdout=subprocess.PIPE).stdout
    sources = ET.fromstring(told).findall("./devices/serial[@type='pty']/source")
    return sources[0].attrib["path"]


def main(command: str) -> int:
    port = os.open(port_of("web1"), os.O_RDWR | os.O_NOCTTY)
    tty.setraw(port)
    termios.tcflush(port, termios.TCIOFLUSH)
    os.write(port, command.encode() + b"\n")
    said = b""
    while not (answer := ANSWER.search(said)):
        if not select.select([port], [], [], SECONDS)[0]:
            sys.exit(f"the guest does not answer: {said!r}")
        said += os.read(port, 4096)
    sys.stdout.buffer.write(answer[1])
    return int(answer[2])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
