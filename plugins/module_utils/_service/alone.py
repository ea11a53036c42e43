# Copyright (c) 2026, virtnet.rss contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to the collection: one service for a network namespace: two with two policies would replace each other's
# programs for ever.

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import typing as t

from ansible_collections.virtnet.rss.plugins.module_utils._errors import StateError
from ansible_collections.virtnet.rss.plugins.module_utils._tun.netns import current_namespace

__all__ = ("alone",)

LOCK_FILE = "/run/virtnet-rss.service.lock"


@contextlib.contextmanager
def alone(path: str = LOCK_FILE) -> t.Iterator[None]:
    """StateError when another process is in the ``with`` block, in this network namespace.

    One file for all namespaces: what is locked is the byte of it that the namespace's inode gives the number of. The
    kernel drops the lock when the process ends, however it ends; nobody but root can open the file.
    """
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    except OSError as exc:
        raise StateError(f"cannot open the lock file {path}: {exc.strerror}", errno=exc.errno) from exc
    try:
        _lock(descriptor)
        yield
    finally:
        os.close(descriptor)


def _lock(descriptor: int) -> None:
    try:
        fcntl.lockf(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, current_namespace().inode)
    except OSError as exc:
        if exc.errno not in (errno.EACCES, errno.EAGAIN):
            raise
        sentence = "another virtnet-rss steers the devices of this network namespace; stop it, or use its policy"
        raise StateError(sentence, errno=exc.errno) from None
