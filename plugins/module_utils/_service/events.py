# Copyright (c) 2026, virtnet.rss contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to the collection: the kernel's link events, through pyroute2. Where that is missing there are none, and the
# regular look finds new devices a little later.

from __future__ import annotations

import errno
import os
import socket
import typing as t

__all__ = ("LinkEvents",)

RECEIVE_SIZE = 1 << 16
RTMGRP_LINK = 1  # include/uapi/linux/rtnetlink.h


class LinkEvents:
    """Events of the network namespace that this thread is in; ``descriptor`` becomes readable with each."""

    def __init__(self) -> None:
        self._socket: t.Any = None
        self.reason = ""  # why there are none
        try:
            from pyroute2 import IPRoute

            self._socket = IPRoute()
            self._socket.bind(RTMGRP_LINK)
        except (ImportError, OSError) as exc:
            self.reason = f"no link events: {exc}; install python3-pyroute2"

    @property
    def descriptor(self) -> int | None:
        """To poll; None when there are no events."""
        return None if self._socket is None else int(self._socket.fileno())

    def drain(self) -> None:
        """Take what has come; what it says is not needed, for the look that follows sees everything."""
        if self._socket is None:
            return
        # pyroute2's own reading waits for the end of a message, and an event has none.
        with socket.socket(fileno=os.dup(self._socket.fileno())) as reader:
            while True:
                try:
                    reader.recv(RECEIVE_SIZE, socket.MSG_DONTWAIT)
                except BlockingIOError:
                    return
                except OSError as exc:
                    if exc.errno != errno.ENOBUFS:  # more events than there was room for: the look sees them all
                        raise

    def close(self) -> None:
        """Stop listening."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None
