# Copyright (c) 2026, virtnet.rss contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to the collection: a file of the service's (its program, its unit), with the one before its last change.

from __future__ import annotations

import contextlib
import os
import stat

from ansible_collections.virtnet.rss.plugins.module_utils._files import write_atomically

__all__ = ("KeptFile",)


class KeptFile:
    """The file at ``path``. OSError from any method: nothing has changed that a reader sees."""

    def __init__(self, path: str, mode: int) -> None:
        self.path = path
        self.previous_path = f"{path}.previous"
        self._mode = mode

    def read(self) -> bytes | None:
        """What is in force; None when there is none."""
        return _read(self.path)

    def previous(self) -> bytes | None:
        """What was in force before the last change; None when none is kept."""
        return _read(self.previous_path)

    def is_as_wanted(self, content: bytes | None) -> bool:
        """Content and mode; None is no file."""
        if content is None:
            return not os.path.lexists(self.path)
        return self.has_mode() and self.read() == content

    def has_mode(self) -> bool:
        """It is a file with the mode that it shall have."""
        try:
            status = os.lstat(self.path)
        except FileNotFoundError:
            return False
        return stat.S_ISREG(status.st_mode) and stat.S_IMODE(status.st_mode) == self._mode

    def keep(self) -> None:
        """Make what is in force the previous one, even where that is no file."""
        before = self.read()
        if before is None:
            _remove(self.previous_path)
        else:
            write_atomically(self.previous_path, before, mode=self._mode & 0o666)

    def write(self, content: bytes | None) -> None:
        """Put it in force, None is no file."""
        if content is None:
            _remove(self.path)
        else:
            write_atomically(self.path, content, mode=self._mode)

    def forget(self) -> None:
        """Take the previous one away."""
        _remove(self.previous_path)

    def remove(self) -> None:
        """Take it and the previous one away."""
        _remove(self.path)
        _remove(self.previous_path)


def _read(path: str) -> bytes | None:
    try:
        with open(path, "rb") as file:
            return file.read()
    except FileNotFoundError:
        return None


def _remove(path: str) -> None:
    with contextlib.suppress(FileNotFoundError):
        os.unlink(path)
