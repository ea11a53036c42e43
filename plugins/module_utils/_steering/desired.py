# Copyright (c) 2026, virtnet.rss contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to the collection: what is wanted of a device, from the words of a task or of a policy.

from __future__ import annotations

import typing as t

from ansible_collections.virtnet.rss.plugins.module_utils._rss.config import DEFAULT_HASH_TYPES, hash_types_to_mask
from ansible_collections.virtnet.rss.plugins.module_utils._rss.keys import parse_key
from ansible_collections.virtnet.rss.plugins.module_utils._steering.model import Desired, Indirection

__all__ = ("desired_from",)


def desired_from(options: t.Mapping[str, t.Any]) -> Desired:
    """From the options of virtnet.rss.tap_steering, already of the right types; what is missing is as documented there.

    InputError for a value that an option does not allow.
    """
    key = options.get("hash_key")
    return Desired(
        present=options.get("state", "present") == "present",
        hash_types=hash_types_to_mask(options.get("hash_types", DEFAULT_HASH_TYPES)),
        hash_key=None if key is None else parse_key(key),
        indirection=_indirection(options.get("indirection")),
        default_queue=options.get("default_queue", 0),
        redirect=options.get("redirect", True),
        statistics=options.get("statistics", True),
        foreign=options.get("foreign", "keep"),
        fallback=options.get("fallback", "disable"),
        allow_future_queues=options.get("allow_future_queues", False),
    )


def _indirection(given: t.Mapping[str, t.Any] | None) -> Indirection:
    if given is None:
        return Indirection()
    weight, table = given.get("weight"), given.get("table")
    return Indirection(
        equal=given.get("equal"),
        weight=None if weight is None else tuple(weight),
        table=None if table is None else tuple(table),
        start=given.get("start", 0),
        size=given.get("size", 128),
    )
