# SPDX-License-Identifier: GPL-3.0-or-later
"""Hold a TAP device, as a VMM does, for as long as a file exists: hold.py NAME FLAGS FILE."""

from __future__ import annotations

import fcntl
import os
import struct
import sys
import time

TUNSETIFF = 0x400454CA

name, flags, path = sys.argv[1:]
descriptor = os.open("/dev/net/tun", os.O_RDWR)
fcntl.ioctl(descriptor, TUNSETIFF, struct.pack("=16sH", name.encode(), int(flags, 0)).ljust(40, b"\0"))
deadline = time.monotonic() + 300
while os.path.exists(path) and time.monotonic() < deadline:
    time.sleep(0.05)
