# Copyright (c) 2026, virtnet.rss contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to the collection: what systemd is told (sd_notify(3)), without its library: one datagram for each message.

from __future__ import annotations

import functools
import os
import socket
import time

from ansible_collections.virtnet.rss.plugins.module_utils._text import cut, printable

__all__ = ("notify", "reloading", "watchdog_seconds")

LONGEST = 2000  # letters of a message


def notify(*messages: str) -> None:
    """Such as ``READY=1``; does nothing when systemd did not start this process."""
    address = os.environ.get("NOTIFY_SOCKET", "")
    if address[:1] not in ("/", "@"):
        return
    if address.startswith("@"):
        address = "\0" + address[1:]
    try:
        # A datagram that is too large is none, and systemd would take the silence for a death.
        text = "\n".join(cut(printable(message), LONGEST) for message in messages)
        _channel().sendto(text.encode(), address)
    except OSError:  # nobody listens, or not fast enough: guests must not wait for that
        return


@functools.lru_cache(maxsize=None)
def _channel() -> socket.socket:
    """Kept: a host that is short of descriptors has no new one, and systemd would take the silence for a death."""
    channel = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC)
    channel.setblocking(False)
    return channel


def reloading() -> None:
    """Before a reload; READY=1 ends it (Type=notify-reload)."""
    notify("RELOADING=1", f"MONOTONIC_USEC={time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000}")


def watchdog_seconds() -> float | None:
    """Half of the time within which systemd wants to hear WATCHDOG=1; None: it does not."""
    try:
        return int(os.environ["WATCHDOG_USEC"]) / 2e6
    except (KeyError, ValueError):
        return None
