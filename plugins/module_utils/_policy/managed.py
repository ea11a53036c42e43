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
from dataclasses import dataclass

from ansible_collections.virtnet.rss.plugins.module_utils._errors import InputError, PlaceError
from ansible_collections.virtnet.rss.plugins.module_utils._files import write_atomically
from ansible_collections.virtnet.rss.plugins.module_utils._policy.folder import check_folder, is_read
from ansible_collections.virtnet.rss.plugins.module_utils._policy.schema import Document, parse_document
from ansible_collections.virtnet.rss.plugins.module_utils._rss.keys import fingerprint, parse_key

__all__ = ("Change", "Content", "ManagedFile")

FILE_MODE = 0o600  # it may hold a hash key
FOLDER_MODE = 0o700


@dataclass(frozen=True)
class Content:
    """What a file holds; ``text`` is None where there is no file, ``policy`` where the text is none."""

    text: str | None = None
    policy: Document | None = None

    def shown(self) -> str:
        """As a diff may show it: laid out, each hash key as its fingerprint."""
        if self.text is None:
            return ""
        if self.policy is None:
            return "not a policy\n"
        return json.dumps({"rules": [_without_key(rule) for rule in self.policy.given]}, indent=4) + "\n"


@dataclass(frozen=True)
class Change:
    """From what is in force to what is wanted."""

    before: Content
    after: Content
    needed: bool  # content, owner and mode, or for no file the older one, are not as wanted

    @property
    def replaces(self) -> bool:
        """Whether another policy was in force."""
        return bool(self.before.policy and self.after.policy and self.before.text != self.after.text)


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

    def current(self) -> Content:
        """What is in force."""
        text, _regular = _read(self.path)
        return Content(text, _policy(text))

    def previous(self) -> Content:
        """What was in force before the last change; InputError when it is no policy."""
        text, _regular = _read(self.previous_path)
        return Content() if text is None else Content(text, parse_document(text, self.path))

    def change_to(self, after: Content) -> Change:
        """From one look at what is in force, which may be anything: others can write it too."""
        text, regular = _read(self.path)
        if after.text is None:
            as_wanted = not os.path.lexists(self.path) and not os.path.lexists(self.previous_path)
        else:
            as_wanted = regular and text == after.text
        return Change(Content(text, _policy(text)), after, not as_wanted)

    def keep(self, change: Change) -> None:
        """Make what is in force the previous policy, even where that is none; where it is no policy, an older one
        stays that."""
        if change.before.text is None:
            _remove(self.previous_path)
        elif change.before.policy:
            write_atomically(self.previous_path, change.before.text, mode=FILE_MODE)

    def forget(self) -> None:
        """Take the previous policy away."""
        _remove(self.previous_path)

    def apply(self, change: Change) -> None:
        """Put it in force."""
        if change.after.text is None:
            _remove(self.path)
            _remove(self.previous_path)
            return
        folder = os.path.dirname(self.path)
        os.makedirs(os.path.dirname(folder), FOLDER_MODE, exist_ok=True)
        os.makedirs(folder, FOLDER_MODE, exist_ok=True)
        write_atomically(self.path, change.after.text, mode=FILE_MODE)


def _remove(path: str) -> None:
    with contextlib.suppress(FileNotFoundError):
        os.unlink(path)


def _policy(text: str | None) -> Document | None:
    with contextlib.suppress(InputError):
        return None if text is None else parse_document(text, "")
    return None


def _without_key(rule: dict[str, t.Any]) -> dict[str, t.Any]:
    shown = dict(rule)
    if rule.get("hash_key") is not None:
        shown["hash_key"] = fingerprint(parse_key(rule["hash_key"]))
    if rule.get("hash_seed") is not None:
        shown["hash_seed"] = fingerprint(rule["hash_seed"].encode())
    return shown


def _read(path: str) -> tuple[str | None, bool]:
    """The text, None without a file; and whether it is a regular file of ours that nobody else may read."""
    try:
        status = os.lstat(path)
        with open(path, encoding="utf-8", errors="replace") as file:
            text = file.read()
    except FileNotFoundError:
        return None, False
    private = stat.S_ISREG(status.st_mode) and stat.S_IMODE(status.st_mode) == FILE_MODE
    return text, private and status.st_uid == os.geteuid()
