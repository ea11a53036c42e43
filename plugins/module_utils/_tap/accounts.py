# Copyright (c) 2026, virtnet.rss contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to the collection: users and groups of this host, by name or by number.

from __future__ import annotations

import grp
import pwd
import typing as t

from ansible_collections.virtnet.rss.plugins.module_utils._errors import InputError

__all__ = ("group_id", "group_name", "user_id", "user_name")

LAST_ID = (1 << 32) - 2  # the one above means "none" to the kernel


def user_id(option: str, value: str) -> int:
    """The number of a user; InputError for one that this host does not know."""
    return _id(option, value, lambda name: pwd.getpwnam(name).pw_uid, "user")


def group_id(option: str, value: str) -> int:
    """The number of a group; InputError for one that this host does not know."""
    return _id(option, value, lambda name: grp.getgrnam(name).gr_gid, "group")


def user_name(number: int) -> str:
    """The name of a user, or the number where there is none."""
    try:
        return pwd.getpwuid(number).pw_name
    except KeyError:
        return str(number)


def group_name(number: int) -> str:
    """The name of a group, or the number where there is none."""
    try:
        return grp.getgrgid(number).gr_name
    except KeyError:
        return str(number)


def _id(option: str, value: str, look_up: t.Callable[[str], int], what: str) -> int:
    """As chown does: a name first, for a name may consist of digits."""
    if not value:
        raise InputError(option, value, f"the {what} of a device can be changed, but not taken away")
    try:
        return look_up(value)
    except (KeyError, ValueError):  # ValueError: a zero byte
        pass
    if not (value.isascii() and value.isdigit()):
        raise InputError(option, value, f"this host has no such {what}")
    if int(value) > LAST_ID:
        raise InputError(option, value, f"the number of a {what} is at most {LAST_ID}")
    return int(value)
