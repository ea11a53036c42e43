# Copyright (c) 2026, virtnet.rss contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to the collection: network namespaces: the named ones, as `ip netns` keeps them, and those of processes.

from __future__ import annotations

import contextlib
import os
import typing as t
from dataclasses import dataclass

from ansible_collections.virtnet.rss.plugins.module_utils._errors import DeviceError, InputError
from ansible_collections.virtnet.rss.plugins.module_utils._tun.libc import CLONE_NEWNET, c_call

__all__ = ("NETNS_FOLDER", "Namespace", "current_namespace", "entered", "list_namespaces", "network_namespace")

NETNS_FOLDER = "/run/netns"
CURRENT = "/proc/thread-self/ns/net"


@dataclass(frozen=True)
class Namespace:
    """One network namespace."""

    inode: int
    path: str  # a file that stands for it, for as long as a process is in it or it has its name
    name: str = ""  # as `ip netns` lists it; empty for one without a name

    @property
    def is_current(self) -> bool:
        """The one in which it was found."""
        return self.path == CURRENT

    @property
    def label(self) -> str:
        """How it is told: its name, nothing for the one in which it was found, ``ns:INODE`` for one without a name."""
        return self.name or ("" if self.is_current else f"ns:{self.inode}")


def current_namespace() -> Namespace:
    """The one that this thread is in."""
    return Namespace(os.stat(CURRENT).st_ino, CURRENT)


def list_namespaces() -> list[Namespace]:
    """The current one first, then the named ones, then those that only processes are in; each once."""
    found = {namespace.inode: namespace for namespace in (current_namespace(),)}
    for path in (*_named(), *_of_processes()):
        with contextlib.suppress(OSError):  # it has gone, or the process is not ours to look at
            inode = os.stat(path).st_ino
            found.setdefault(inode, Namespace(inode, path, _name(path)))
    return list(found.values())


def _named() -> list[str]:
    with contextlib.suppress(FileNotFoundError):
        return [os.path.join(NETNS_FOLDER, name) for name in sorted(os.listdir(NETNS_FOLDER))]
    return []


def _of_processes() -> list[str]:
    return [f"/proc/{entry}/ns/net" for entry in os.listdir("/proc") if entry.isdigit()]


def _name(path: str) -> str:
    folder, name = os.path.split(path)
    return name if folder == NETNS_FOLDER else ""


@contextlib.contextmanager
def network_namespace(name: str | None) -> t.Iterator[None]:
    """Run the ``with`` block, this thread of it, in a named network namespace; None stays in the current one.

    /sys goes on to show the namespace that it was mounted in.
    """
    if name is None:
        yield
        return
    with contextlib.ExitStack() as stack:
        target = _open(name)
        stack.callback(os.close, target)
        stack.enter_context(_inside(target, name))
        yield


@contextlib.contextmanager
def entered(namespace: Namespace) -> t.Iterator[None]:
    """The same for a network namespace that was found; DeviceError when it has gone."""
    if namespace.is_current:
        yield
        return
    with contextlib.ExitStack() as stack:
        try:
            target = os.open(namespace.path, os.O_RDONLY | os.O_CLOEXEC)
        except OSError as exc:
            raise DeviceError(f"network namespace {namespace.path} has gone", errno=exc.errno) from exc
        stack.callback(os.close, target)
        stack.enter_context(_inside(target, namespace.path))
        yield


@contextlib.contextmanager
def _inside(target: int, name: str) -> t.Iterator[None]:
    home = os.open(CURRENT, os.O_RDONLY | os.O_CLOEXEC)
    try:
        _enter(target, name)
        try:
            yield
        finally:
            _enter(home, "the original one")
    finally:
        os.close(home)


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
    try:
        c_call("setns", descriptor, CLONE_NEWNET)
    except OSError as exc:
        raise DeviceError(f"cannot enter network namespace {name}: {exc.strerror}", errno=exc.errno) from exc
