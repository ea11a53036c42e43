# Copyright (c) 2026, virtnet.rss contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to the collection: the policy of a host, from the files of a folder.

from __future__ import annotations

import contextlib
import errno
import os
import stat
import typing as t

from ansible_collections.virtnet.rss.plugins.module_utils._errors import PlaceError
from ansible_collections.virtnet.rss.plugins.module_utils._policy.rules import Policy, Rule
from ansible_collections.virtnet.rss.plugins.module_utils._policy.schema import parse_document

__all__ = ("LARGEST", "POLICY_FOLDER", "check_folder", "is_read", "load_file", "load_policy", "state_of_files")

POLICY_FOLDER = "/etc/virtnet-rss/policy.d"
ENDING = ".json"
LARGEST = 1 << 20  # bytes of one file; a thousand rules have a tenth of it


def load_policy(folder: str = POLICY_FOLDER, *, instead: t.Mapping[str, list[Rule]] | None = None) -> Policy:
    """All rules of the folder's files, in the order of the files' names. ``instead`` has rules that are taken for files
    of these names, whether the files and the folder are there or not.

    InputError names file and place; a folder that is not there is a mistake too, not a policy without rules. Nobody but
    root and the user who runs this may write the folder or a file, and nobody else may read one with a key or a seed.
    """
    check_folder(folder)
    rules: list[Rule] = []
    try:
        names = _names(folder)
    except OSError as exc:
        if not (instead and exc.errno == errno.ENOENT):
            raise PlaceError(folder, f"the folder cannot be read: {exc.strerror}") from exc
        names = []
    instead = instead or {}
    for name in sorted({*names, *instead}):
        rules += instead[name] if name in instead else load_file(os.path.join(folder, name))
    return Policy(tuple(rules))


def state_of_files(folder: str = POLICY_FOLDER) -> tuple[tuple[str, int, int], ...]:
    """What changes when a file does: name, size, and time of the last change to content, mode or
    owner of each, in nanoseconds; and the mode and owner of the folder, for which it may be refused."""
    found = []
    with contextlib.suppress(OSError):
        status = os.stat(folder)
        found.append(("", status.st_mode, status.st_uid))
        for name in _names(folder):
            with contextlib.suppress(OSError):
                status = os.lstat(os.path.join(folder, name))
                found.append((name, status.st_size, status.st_ctime_ns))
    return tuple(found)


def is_read(name: str) -> bool:
    """Whether a file of this name is part of the policy."""
    return name.endswith(ENDING) and not name.startswith(".")


def _names(folder: str) -> list[str]:
    return sorted(filter(is_read, os.listdir(folder)))


def check_folder(folder: str) -> None:
    """Who may write the folder may put a file of another's into it, with any content that its owner has in it."""
    try:
        status = os.stat(folder)
    except OSError:
        return  # who lists it or writes into it tells
    if status.st_mode & 0o022:
        raise _mode_refused(folder, status, "others may write the folder; its mode is 0700 or 0755")
    _refuse_others(folder, status)


def _mode_refused(path: str, status: os.stat_result, why: str) -> PlaceError:
    return PlaceError(path, f"mode {stat.S_IMODE(status.st_mode):04o} is not allowed; {why}: it decides what root does")


def _refuse_others(path: str, status: os.stat_result) -> None:
    """An owner may change the mode at any time."""
    if status.st_uid not in (0, os.geteuid()):
        raise PlaceError(
            path, f"its owner {status.st_uid} is not allowed; it belongs to root: it decides what root does"
        )


def load_file(path: str, *, candidate: bool = False) -> tuple[Rule, ...]:
    """The rules of one file. A ``candidate`` is none of the folder's yet: it may still belong to the user who brings
    it, such as the one that Ansible connects as."""
    text, status = _read(path)
    document = parse_document(text, path)
    if status.st_mode & 0o022:
        raise _mode_refused(path, status, "others may write it; its mode is 0600 or 0644")
    if not candidate:
        _refuse_others(path, status)
    if document.has_key and status.st_mode & 0o077:
        mode = f"{stat.S_IMODE(status.st_mode):04o}"
        why = "it holds a hash key or a seed, so its mode is 0600: both are secrets"
        raise PlaceError(path, f"mode {mode} is not allowed; {why}")
    return document.rules


def _read(path: str) -> tuple[str, os.stat_result]:
    """The text of a regular file; anything else of that name, such as a folder, a pipe or a link, is refused."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError as exc:
        link = "; a link is not followed" if exc.errno == errno.ELOOP else ""
        raise PlaceError(path, f"it cannot be opened: {exc.strerror}{link}") from exc
    try:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode) or status.st_size > LARGEST:
            raise PlaceError(path, f"it is no regular file of at most {LARGEST} bytes")
        with os.fdopen(descriptor, "rb", closefd=False) as file:
            content = file.read(LARGEST + 1)
        return content.decode(), status
    except UnicodeDecodeError as exc:
        raise PlaceError(path, f"it is no UTF-8: {exc.reason} at byte {exc.start}") from None
    except OSError as exc:
        raise PlaceError(path, f"it cannot be read: {exc.strerror}") from exc
    finally:
        os.close(descriptor)
