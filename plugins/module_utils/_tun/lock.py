# Copyright (c) 2026, virtnet.rss contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to the collection: one writer at a time on a host.

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import time
import typing as t

from ansible_collections.virtnet.rss.plugins.module_utils._errors import StateError

__all__ = ("LOCK_FILE", "PATIENCE", "exclusive")

LOCK_FILE = "/run/virtnet-rss.lock"
POLL_SECONDS = 0.05
PATIENCE = 60.0  # seconds


@contextlib.contextmanager
def exclusive(*, path: str = LOCK_FILE, timeout: float = PATIENCE) -> t.Iterator[float]:
    """Hold the lock for the ``with`` block; gives the seconds that it was waited for.

    The kernel drops the lock when its process ends, however it ends. StateError when another run keeps it for too long.
    """
    descriptor = _open(path)
    try:
        started = time.monotonic()
        while not _try_lock(descriptor, path):
            if time.monotonic() - started > timeout:
                raise StateError(
                    f"another run holds {path} for more than {timeout:.0f} seconds; nothing was changed; run again",
                    errno=errno.EWOULDBLOCK,
                )
            time.sleep(POLL_SECONDS)
        yield time.monotonic() - started
    finally:
        os.close(descriptor)


def _open(path: str) -> int:
    # O_NOFOLLOW: /run belongs to root, but a test or a packager may move the file to a folder that others can write.
    flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
    try:
        return os.open(path, flags, 0o600)
    except OSError as exc:
        raise StateError(f"cannot open the lock file {path}: {exc.strerror}", errno=exc.errno) from exc


def _try_lock(descriptor: int, path: str) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as exc:
        if exc.errno in (errno.EWOULDBLOCK, errno.EINTR):
            return False
        raise StateError(f"cannot lock {path}: {exc.strerror}; nothing was changed", errno=exc.errno) from exc
    return True
