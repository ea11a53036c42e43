# SPDX-License-Identifier: GPL-3.0-or-later
"""Network namespaces of this thread's own."""

from __future__ import annotations

import contextlib
import ctypes
import os
import typing as t

__all__ = ("enter_new_network_namespace", "own_network_namespace")

CLONE_NEWNET = 0x40000000


def enter_new_network_namespace() -> None:
    """For good."""
    _call("unshare", CLONE_NEWNET)


@contextlib.contextmanager
def own_network_namespace() -> t.Iterator[None]:
    """A new one for the ``with`` block; it goes with everything in it."""
    home = os.open("/proc/thread-self/ns/net", os.O_RDONLY)
    try:
        enter_new_network_namespace()
        try:
            yield
        finally:
            _call("setns", home, CLONE_NEWNET)
    finally:
        os.close(home)


def _call(function: str, *arguments: int) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    if getattr(libc, function)(*arguments):
        raise OSError(ctypes.get_errno(), function)
