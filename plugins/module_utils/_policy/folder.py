# Copyright (c) 2026, virtnet.rss contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to the collection: the policy of a host, from the files of a folder.

from __future__ import annotations

import contextlib
import os
import stat

from ansible_collections.virtnet.rss.plugins.module_utils._errors import InputError
from ansible_collections.virtnet.rss.plugins.module_utils._policy.rules import Policy, Rule
from ansible_collections.virtnet.rss.plugins.module_utils._policy.schema import has_key, parse_rules

__all__ = ("POLICY_FOLDER", "check_folder", "fingerprint", "is_read", "load_file", "load_policy")

POLICY_FOLDER = "/etc/virtnet-rss/policy.d"
ENDING = ".json"
LARGEST = 1 << 20  # bytes of one file; a thousand rules have a tenth of it


def load_policy(folder: str = POLICY_FOLDER) -> Policy:
    """All rules of the folder's files, in the order of the files' names; a folder that is not there has none.

    InputError names file and place. Nobody but root and the user who runs this may write the folder or a file, and
    nobody else may read a file with a hash key.
    """
    check_folder(folder)
    rules: list[Rule] = []
    for name in _names(folder):
        rules += load_file(os.path.join(folder, name))
    return Policy(tuple(rules))


def fingerprint(folder: str = POLICY_FOLDER) -> tuple[tuple[str, int, int], ...]:
    """What changes when a file does: name, size, and time of the last change to content, mode or
    owner of each, in nanoseconds; and the mode and owner of the folder, for which it may be refused."""
    found = []
    with contextlib.suppress(OSError):
        status = os.stat(folder)
        found.append(("", status.st_mode, status.st_uid))
    for name in _names(folder):
        try:
            status = os.stat(os.path.join(folder, name))
        except OSError:
            continue
        found.append((name, status.st_size, status.st_ctime_ns))
    return tuple(found)


def is_read(name: str) -> bool:
    """Whether a file of this name is part of the policy."""
    return name.endswith(ENDING) and not name.startswith(".")


def _names(folder: str) -> list[str]:
    try:
        return sorted(filter(is_read, os.listdir(folder)))
    except FileNotFoundError:
        return []
    except OSError as exc:
        raise InputError(folder, "the folder", f"it cannot be read: {exc.strerror}") from exc


def check_folder(folder: str) -> None:
    """Who may write the folder may put a file of another's into it, with any content that its owner has in it."""
    try:
        status = os.stat(folder)
    except OSError:
        return  # who lists it or writes into it tells
    if status.st_mode & 0o022:
        mode = f"{stat.S_IMODE(status.st_mode):04o}"
        raise InputError(
            folder, mode, "others may write the folder; its mode is 0700 or 0755: it decides what root does"
        )
    _refuse_others(folder, status)


def _refuse_others(path: str, status: os.stat_result) -> None:
    """An owner may change the mode at any time."""
    if status.st_uid not in (0, os.geteuid()):
        raise InputError(path, f"user {status.st_uid}", "it belongs to root: it decides what root does")


def load_file(path: str, *, candidate: bool = False) -> list[Rule]:
    """The rules of one file. A ``candidate`` is none of the folder's yet: it may still belong to the user who brings
    it, such as the one that Ansible connects as."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError as exc:
        raise InputError(path, "the file", f"it cannot be opened: {exc.strerror}; a link is not followed") from exc
    with os.fdopen(descriptor, "rb") as file:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode) or status.st_size > LARGEST:
            raise InputError(path, "the file", f"it is a regular file of at most {LARGEST} bytes")
        try:
            text = file.read().decode()
        except UnicodeDecodeError as exc:
            raise InputError(path, "the file", f"it is UTF-8: {exc.reason} at byte {exc.start}") from None
    rules = parse_rules(text, path)
    mode = f"{stat.S_IMODE(status.st_mode):04o}"
    if status.st_mode & 0o022:
        raise InputError(path, mode, "others may write it; its mode is 0600 or 0644: it decides what root does")
    if not candidate:
        _refuse_others(path, status)
    if has_key(text) and status.st_mode & 0o077:
        raise InputError(path, mode, "it holds a hash key, so its mode is 0600: a key is a secret")
    return rules
