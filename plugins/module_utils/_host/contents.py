# Copyright (c) 2026, virtnet.rss contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to the collection: what in a host's folder is ours. A removal takes nothing else: the folder may be anyone's,
# and an operator may have put files of his own beside ours.

from __future__ import annotations

import os
import re
import typing as t

from ansible_collections.virtnet.rss.plugins.module_utils._host.parts import policy_file, policy_folder
from ansible_collections.virtnet.rss.plugins.module_utils._host.record import record_file

__all__ = ("Contents", "of")

SCRATCH = re.compile(r"\.(.+)\.[0-9a-f]{12}")  # of a writer that was killed (_files.py)


class Contents(t.NamedTuple):
    """Paths; a folder comes after what is in it."""

    ours: tuple[str, ...]
    others: tuple[str, ...]
    folders: tuple[str, ...]  # those of ours that hold nothing else


def of(folder: str, *, keep_folders: bool) -> Contents:
    """With ``keep_folders`` they are somebody else's, such as a package's."""
    policy = policy_file(folder)
    files = {policy.path, policy.previous_path, record_file(folder)}
    ours: list[str] = []
    others: list[str] = []
    folders: list[str] = []
    for place in (policy_folder(folder), folder):
        found = [] if not os.path.isdir(place) else sorted(entry.path for entry in os.scandir(place))
        here = [path for path in found if path in files or _written(path) in files]
        known = (*here, *folders, *((policy_folder(folder),) if others or keep_folders else ()))
        rest = [path for path in found if path not in known]
        ours += here
        others += rest
        if os.path.isdir(place) and not keep_folders and not others and not os.path.islink(place):
            ours.append(place)
            folders.append(place)
    return Contents(tuple(ours), tuple(others), tuple(folders))


def _written(path: str) -> str:
    """The file that a scratch file was to become."""
    place, name = os.path.split(path)
    match = SCRATCH.fullmatch(name)
    return os.path.join(place, match[1]) if match else ""
