# Copyright (c) 2026, virtnet.rss contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to the collection: tries the tun driver, and the way to a device that a guest holds.

from __future__ import annotations

import contextlib
import errno
import os
import typing as t

from ansible_collections.virtnet.rss.plugins.module_utils._errors import DeviceError
from ansible_collections.virtnet.rss.plugins.module_utils._probe.finding import NO, YES, Finding
from ansible_collections.virtnet.rss.plugins.module_utils._tun import ioctls
from ansible_collections.virtnet.rss.plugins.module_utils._tun.holders import duplicate_descriptor
from ansible_collections.virtnet.rss.plugins.module_utils._tun.libc import CLONE_NEWNET, CLONE_NEWUSER, c_call

if t.TYPE_CHECKING:
    from ansible_collections.virtnet.rss.plugins.module_utils._probe.isolation import Findings

__all__ = ("probe_pidfd_getfd", "probe_steering_ioctl")

PTRACE_SCOPE = "/proc/sys/kernel/yama/ptrace_scope"
NO_ATTACH = "3"  # Documentation/admin-guide/LSM/Yama.rst


def probe_steering_ioctl() -> Findings:
    """Detach the program that a new TAP device does not have.

    Call it in a process of its own: it stays in a new network namespace, so that no other ever sees the device.
    """
    _enter_new_network_namespace()
    descriptor = ioctls.open_control()
    try:
        ioctls.join_device(descriptor, "probe", ioctls.IFF_TAP | ioctls.IFF_NO_PI | ioctls.IFF_MULTI_QUEUE)
        ioctls.set_steering_program(descriptor, None)
    finally:
        os.close(descriptor)
    return {"steering_ioctl": Finding(YES, "TUNSETSTEERINGEBPF works on a TAP device made for the probe")}


def _enter_new_network_namespace() -> None:
    """As root, or else as the root of a new user namespace; OSError when neither is allowed."""
    try:
        with contextlib.suppress(PermissionError):
            c_call("unshare", CLONE_NEWNET)
            return
        c_call("unshare", CLONE_NEWUSER | CLONE_NEWNET)
    except OSError as exc:
        raise OSError(exc.errno, f"making a network namespace: {exc.strerror}") from exc


def probe_pidfd_getfd(lacking: t.Sequence[str], ptrace_scope: str = PTRACE_SCOPE) -> Findings:
    """Copy a descriptor of a child: unlike one of our own, it is subject to the host's rules for ptrace."""
    try:
        with _child_with_descriptor() as (child, descriptor):
            os.close(duplicate_descriptor(child, descriptor))
    except DeviceError as exc:
        if exc.errno == errno.EPERM and _read(ptrace_scope) == NO_ATTACH:
            return {"pidfd_getfd": Finding(NO, f"{exc}; Yama forbids ptrace to everybody ({ptrace_scope} is 3)")}
        raise
    only = f"; a guest's takes {', '.join(lacking)}, which this process lacks" if lacking else ""
    return {"pidfd_getfd": Finding(YES, f"a child's descriptor was copied{only}")}


@contextlib.contextmanager
def _child_with_descriptor() -> t.Iterator[tuple[int, int]]:
    """A child that lives as long as the ``with`` block, and a descriptor that it has."""
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(writer)
        os.read(reader, 1)  # returns when the parent closes its end, or dies
        os._exit(0)
    try:
        yield child, reader
    finally:
        os.close(writer)
        os.close(reader)
        os.waitpid(child, 0)


def _read(path: str) -> str:
    with contextlib.suppress(OSError), open(path, encoding="ascii") as stream:
        return stream.read().strip()
    return ""
