# SPDX-License-Identifier: GPL-3.0-or-later
"""Network namespaces of this thread's own."""

from __future__ import annotations

import contextlib
import os
import typing as t

from ansible_collections.virtnet.rss.plugins.module_utils._tun.libc import CLONE_NEWNET, c_call

__all__ = ("enter_new_network_namespace", "own_network_namespace")


def enter_new_network_namespace() -> None:
    """For good."""
    c_call("unshare", CLONE_NEWNET)


@contextlib.contextmanager
def own_network_namespace() -> t.Iterator[None]:
    """A new one for the ``with`` block; it goes with everything in it."""
    home = os.open("/proc/thread-self/ns/net", os.O_RDONLY)
    try:
        enter_new_network_namespace()
        try:
            yield
        finally:
            c_call("setns", home, CLONE_NEWNET)
    finally:
        os.close(home)
