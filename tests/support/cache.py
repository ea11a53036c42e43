# SPDX-License-Identifier: GPL-3.0-or-later
"""What takes long to make is made once: folders below ~/.cache/virtnet-rss, named after what they are made of."""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import tempfile
import typing as t
from pathlib import Path

__all__ = ("DIGITS", "cache_folder", "cached", "lock")

DIGITS = 12  # of the digest in a name


def cache_folder() -> Path:
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "virtnet-rss"


def cached(kind: str, name: str, digest: str, build: t.Callable[[Path, Path], None]) -> Path:
    """The folder KIND/NAME-DIGEST, built if it is not there; those of former recipes go.

    ``build`` gets a scratch folder and the empty one that is to become the result.
    """
    folders = cache_folder() / kind
    folder = folders / f"{name}-{digest[:DIGITS]}"
    if not folder.exists():
        with lock(kind):
            folders.mkdir(parents=True, exist_ok=True)
            if not folder.exists():
                _remove_old(folders, name)
                with tempfile.TemporaryDirectory(prefix="build-", dir=folders) as scratch:
                    result = Path(scratch) / "result"
                    result.mkdir()
                    build(Path(scratch), result)
                    result.rename(folder)
    return folder


def _remove_old(folders: Path, name: str) -> None:
    """Of former recipes, and what a killed build left: the lock says that no other build runs."""
    for pattern in (f"{name}-{'[0-9a-f]' * DIGITS}", "build-*"):
        for folder in folders.glob(pattern):
            shutil.rmtree(folder)


@contextlib.contextmanager
def lock(what: str) -> t.Iterator[None]:
    """One process at a time, on this machine."""
    cache_folder().mkdir(parents=True, exist_ok=True)
    with (cache_folder() / f"{what}.lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
