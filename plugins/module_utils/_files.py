# Copyright (c) 2026, virtnet.rss contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to the collection: files that readers find whole or not at all.

from __future__ import annotations

import contextlib
import os

__all__ = ("write_atomically",)


def write_atomically(path: str, content: str | bytes, *, mode: int = 0o644) -> None:
    """Write beside the file and rename; OSError leaves the old file as it was."""
    folder, name = os.path.split(os.path.abspath(path))
    # Not with tempfile, whose import takes half a MiB of the service's memory.
    scratch = os.path.join(folder, f".{name}.{os.urandom(6).hex()}")
    descriptor = os.open(scratch, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content.encode() if isinstance(content, str) else content)
            os.fchmod(file.fileno(), mode)
        os.rename(scratch, path)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(scratch)
        raise
