# Copyright (c) 2026, virtnet.rss contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to the collection: named network namespaces, as `ip netns` keeps them.

from __future__ import annotations

import contextlib
import ctypes
import os
import typing as t

from ansible_collections.virtnet.rss.plugins.module_utils._errors import DeviceError, InputError

__all__ = ("NETNS_FOLDER", "network_namespace")

NETNS_FOLDER = "/run/netns"
CLONE_NEWNET = 0x40000000


@contextlib.contextmanager
def network_namespace(name: str | None) -> t.Iterator[None]:
    """Run the ``with`` block, this thread of it, in a named network namespace; None stays in the current one.

    /sys goes on to show the namespace that it was mounted in.
    """
    if name is None:
        yield
        return
    target = _open(name)
    try:
        home = os.open("/proc/thread-self/ns/net", os.O_RDONLY | os.O_CLOEXEC)
        try:
            _enter(target, name)
            try:
                yield
            finally:
                _enter(home, "the original one")
        finally:
            os.close(home)
    finally:
        os.close(target)


def _open(name: str) -> int:
    if not name or name in (".", "..") or "/" in name:
        raise InputError("netns", name, "it is the name of a network namespace, as `ip netns` lists it")
    try:
        return os.open(os.path.join(NETNS_FOLDER, name), os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        raise InputError("netns", name, "there is no such network namespace (see `ip netns`)") from None
    except OSError as exc:
        raise DeviceError(f"cannot open network namespace {name}: {exc.strerror}", errno=exc.errno) from exc


def _enter(descriptor: int, name: str) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    libc.setns.argtypes, libc.setns.restype = (ctypes.c_int, ctypes.c_int), ctypes.c_int
    if libc.setns(descriptor, CLONE_NEWNET):
        number = ctypes.get_errno()
        raise DeviceError(f"cannot enter network namespace {name}: {os.strerror(number)}", errno=number)
