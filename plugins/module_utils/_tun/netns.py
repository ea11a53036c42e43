# Copyright (c) 2026, virtnet.rss contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to the collection: network namespaces: the named ones, as `ip netns` keeps them, and those of processes.

from __future__ import annotations

import contextlib
import errno
import os
import re
import typing as t
from dataclasses import dataclass

from ansible_collections.virtnet.rss.plugins.module_utils._errors import DeviceError, InputError, NotThereError
from ansible_collections.virtnet.rss.plugins.module_utils._tun.holders import open_process
from ansible_collections.virtnet.rss.plugins.module_utils._tun.libc import CLONE_NEWNET, c_call

__all__ = ("NETNS_FOLDER", "Namespace", "current_namespace", "entered", "list_namespaces", "network_namespace")

NETNS_FOLDER = "/run/netns"
CURRENT = "/proc/thread-self/ns/net"
OF_PROCESS = re.compile(r"/proc/([0-9]+)/ns/net")
UNNAMED = "ns:"  # in front of the inode of a namespace that has no name
FIRST_INODE = 0xEFFFFFF0  # include/linux/proc_ns.h: those of the first namespaces; no pid is that large
ALLOWED = (
    "a network namespace is given by its name, as `ip netns` lists it, by a path that begins with a slash, by the "
    "number of a process that is in it, or by its inode, as `lsns -t net` lists it"
)


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
        return self.name or ("" if self.is_current else f"{UNNAMED}{self.inode}")


def current_namespace() -> Namespace:
    """The one that this thread is in."""
    return Namespace(os.stat(CURRENT).st_ino, CURRENT)


def list_namespaces() -> list[Namespace]:
    """The current one first, then the named ones, then those that only processes are in; each once."""
    found = {namespace.inode: namespace for namespace in (current_namespace(),)}
    for path in _named():
        with contextlib.suppress(OSError):  # it has gone
            inode = os.stat(path).st_ino
            found.setdefault(inode, Namespace(inode, path, _name(path)))
    for inode, path in _of_processes():
        found.setdefault(inode, Namespace(inode, path))
    return list(found.values())


def _named() -> list[str]:
    with contextlib.suppress(FileNotFoundError):
        return [os.path.join(NETNS_FOLDER, name) for name in sorted(os.listdir(NETNS_FOLDER))]
    return []


def _of_processes() -> list[tuple[int, str]]:
    """Inode and path of each process's. It is entered to be told, by a descriptor of the process (Linux 5.8): its owner
    can lock its folder in /proc, so that whoever looks into that waits for ever."""
    found = []
    with _coming_back():
        for entry in filter(str.isdigit, os.listdir("/proc")):
            with contextlib.suppress(OSError):  # it has gone, or is not ours to look at
                _enter_process(int(entry))
                found.append((os.stat(CURRENT).st_ino, f"/proc/{entry}/ns/net"))
    return found


def _descriptor_of(path: str) -> int:
    """A descriptor of a namespace; OSError when it has gone."""
    process = OF_PROCESS.fullmatch(path)
    if not process:
        return os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    with _coming_back():
        _enter_process(int(process[1]))
        return os.open(CURRENT, os.O_RDONLY | os.O_CLOEXEC)


def _enter_process(pid: int) -> None:
    process = open_process(pid)
    try:
        c_call("setns", process, CLONE_NEWNET)
    finally:
        os.close(process)


def _name(path: str) -> str:
    folder, name = os.path.split(path)
    return name if folder == NETNS_FOLDER else ""


@contextlib.contextmanager
def network_namespace(name: str | None) -> t.Iterator[None]:
    """Run the ``with`` block, this thread of it, in a network namespace that is given by its name, a path, the number
    of a process in it, or its inode; None stays in the current one. InputError when there is none.

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
            target = _descriptor_of(namespace.path)
        except OSError as exc:
            raise DeviceError(f"network namespace {namespace.path} has gone", errno=exc.errno) from exc
        stack.callback(os.close, target)
        if os.fstat(target).st_ino != namespace.inode:  # the process has gone, and another one has its number
            raise DeviceError(f"network namespace {namespace.path} has gone", errno=errno.ENOENT)
        stack.enter_context(_inside(target, namespace.path))
        yield


@contextlib.contextmanager
def _inside(target: int, name: str) -> t.Iterator[None]:
    with _coming_back():
        _enter(target, name)
        yield


@contextlib.contextmanager
def _coming_back() -> t.Iterator[None]:
    """To the namespace of before, whatever was entered in the ``with`` block; who may enter none never left it."""
    home = os.open(CURRENT, os.O_RDONLY | os.O_CLOEXEC)
    try:
        yield
    finally:
        try:
            _enter(home, "the original one")
        except DeviceError:
            if os.stat(CURRENT).st_ino != os.fstat(home).st_ino:
                raise
        finally:
            os.close(home)


def _open(which: str) -> int:
    """A file of the network namespace that a user means by a name, a path, a process or an inode."""
    namespace = _meant(which)
    try:
        descriptor = _descriptor_of(namespace.path)
    except (FileNotFoundError, NotADirectoryError, ProcessLookupError):
        raise NotThereError(
            "netns", which, "there is no such network namespace (see `ip netns` and `lsns -t net`)"
        ) from None
    except OSError as exc:
        raise DeviceError(f"cannot open network namespace {which}: {exc.strerror}", errno=exc.errno) from exc
    if namespace.inode not in (0, os.fstat(descriptor).st_ino):
        os.close(descriptor)
        raise NotThereError("netns", which, "there is no such network namespace any more")
    return descriptor


def _meant(which: str) -> Namespace:
    """Its inode is 0 where that does not matter. A name is looked for first, and may be a number."""
    if not which or which in (".", ".."):
        raise InputError("netns", which, ALLOWED)
    if which.startswith("/"):
        return Namespace(0, which)
    if "/" in which:
        raise InputError("netns", which, ALLOWED)
    named = os.path.join(NETNS_FOLDER, which)
    number = which[len(UNNAMED) :] if which.startswith(UNNAMED) else which
    if os.path.exists(named) or not (number.isascii() and number.isdigit()):
        return Namespace(0, named, which)
    if number is which and int(number) < FIRST_INODE:
        return Namespace(0, f"/proc/{number}/ns/net")
    found = next((each for each in list_namespaces() if each.inode == int(number)), None)
    if found is None:
        raise InputError("netns", which, "no process is in a network namespace of that inode, and none has a name")
    return found


def _enter(descriptor: int, name: str) -> None:
    try:
        c_call("setns", descriptor, CLONE_NEWNET)
    except OSError as exc:
        raise DeviceError(f"cannot enter network namespace {name}: {exc.strerror}", errno=exc.errno) from exc
