# Copyright (c) 2026, virtnet.rss contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to the collection: one file of the policy that Ansible manages, with the one before it kept for a rollback.

from __future__ import annotations

import contextlib
import json
import os
import stat
import typing as t

from ansible_collections.virtnet.rss.plugins.module_utils._errors import InputError, PlaceError
from ansible_collections.virtnet.rss.plugins.module_utils._policy.files import write_atomically
from ansible_collections.virtnet.rss.plugins.module_utils._policy.folder import check_folder, is_read
from ansible_collections.virtnet.rss.plugins.module_utils._policy.schema import parse_rules
from ansible_collections.virtnet.rss.plugins.module_utils._rss.keys import fingerprint, parse_key

__all__ = ("ManagedFile", "shown")

FILE_MODE = 0o600  # it may hold a hash key
FOLDER_MODE = 0o700


class ManagedFile:
    """The policy file at ``path``. OSError from any method: nothing has changed that a reader sees."""

    def __init__(self, path: str) -> None:
        self.path = path
        self.previous_path = f"{path}.previous"  # its ending is none of the policy's, so no reader takes it for a part

    def check(self) -> None:
        """InputError: the service would not read a file of this name, or others may write its folder."""
        folder, name = os.path.split(self.path)
        if not is_read(name):
            raise PlaceError(
                "path",
                f"the name {name} is not allowed; it ends in .json and does not begin with a dot: no other is read",
            )
        check_folder(folder)

    def read(self) -> str | None:
        """The text in force; None when there is none. It may be anything: others can write it too."""
        return _read(self.path)

    def read_previous(self) -> str | None:
        """The text before the last change; None when there was none."""
        return _read(self.previous_path)

    def replaces(self, text: str | None) -> bool:
        """Whether ``write(text)`` keeps what is in force now as the previous policy."""
        before = self.read()
        return text is not None and before is not None and before != text and _is_policy(before)

    def is_as_wanted(self, text: str | None) -> bool:
        """Content, owner and mode; None is no file, and no older one."""
        if text is None:
            return not os.path.lexists(self.path) and not os.path.lexists(self.previous_path)
        try:
            status = os.lstat(self.path)
        except FileNotFoundError:
            return False
        regular = stat.S_ISREG(status.st_mode) and stat.S_IMODE(status.st_mode) == FILE_MODE
        return regular and status.st_uid == os.geteuid() and self.read() == text

    def write(self, text: str, *, keep: bool = True) -> None:
        """Put the text in force. ``keep`` makes what was in force the previous one, if it is another policy."""
        folder = os.path.dirname(self.path)
        os.makedirs(os.path.dirname(folder), FOLDER_MODE, exist_ok=True)
        os.makedirs(folder, FOLDER_MODE, exist_ok=True)
        before = self.read()
        if keep and before is not None and self.replaces(text):
            write_atomically(self.previous_path, before, mode=FILE_MODE)
        write_atomically(self.path, text, mode=FILE_MODE)

    def remove(self) -> None:
        """Take it and the older one away."""
        for path in (self.path, self.previous_path):
            with contextlib.suppress(FileNotFoundError):
                os.unlink(path)


def shown(text: str | None) -> str:
    """The policy as a diff may show it: laid out, each hash key as its fingerprint."""
    if text is None:
        return ""
    if not _is_policy(text):
        return "not a policy\n"
    return json.dumps({"rules": [_without_key(rule) for rule in json.loads(text)["rules"]]}, indent=4) + "\n"


def _is_policy(text: str) -> bool:
    try:
        parse_rules(text, "")
    except InputError:
        return False
    return True


def _without_key(rule: dict[str, t.Any]) -> dict[str, t.Any]:
    if rule.get("hash_key") is None:
        return rule
    return {**rule, "hash_key": fingerprint(parse_key(rule["hash_key"]))}


def _read(path: str) -> str | None:
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            return file.read()
    except FileNotFoundError:
        return None
