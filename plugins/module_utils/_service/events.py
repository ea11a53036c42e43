# Copyright (c) 2026, virtnet.rss contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to the collection: the kernel's link events, which say that a look is due and nothing else.

from __future__ import annotations

import errno
import socket

__all__ = ("LinkEvents",)

RECEIVE_SIZE = 1 << 16
RTMGRP_LINK = 1  # include/uapi/linux/rtnetlink.h


class LinkEvents:
    """Events of the network namespace that this thread is in; ``descriptor`` becomes readable with each.

    OSError without a descriptor to spare, or where netlink is forbidden, without which no device can be seen at all.
    """

    def __init__(self) -> None:
        kind = socket.SOCK_RAW | socket.SOCK_CLOEXEC | socket.SOCK_NONBLOCK
        self._socket = socket.socket(socket.AF_NETLINK, kind, socket.NETLINK_ROUTE)
        self._socket.bind((0, RTMGRP_LINK))  # 0: the kernel chooses the address

    @property
    def descriptor(self) -> int:
        """To poll."""
        return self._socket.fileno()

    def drain(self) -> None:
        """Take what has come; what it says is not needed, for the look that follows sees everything."""
        while True:
            try:
                self._socket.recv(RECEIVE_SIZE)
            except BlockingIOError:
                return
            except OSError as exc:
                if exc.errno != errno.ENOBUFS:  # more events than there was room for: the look sees them all
                    raise

    def close(self) -> None:
        """Stop listening."""
        self._socket.close()
