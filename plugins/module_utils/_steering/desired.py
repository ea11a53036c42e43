# Copyright (c) 2026, virtnet.rss contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to the collection: what is wanted of a device, from the words of a task or of a policy.

from __future__ import annotations

import typing as t
from dataclasses import replace

from ansible_collections.virtnet.rss.plugins.module_utils._balance.options import rebalance_from
from ansible_collections.virtnet.rss.plugins.module_utils._errors import PlaceError
from ansible_collections.virtnet.rss.plugins.module_utils._rss.keys import key_from_seed, parse_key, parse_seed
from ansible_collections.virtnet.rss.plugins.module_utils._rss.option import checked, defaults
from ansible_collections.virtnet.rss.plugins.module_utils._rss.words import rss_fields
from ansible_collections.virtnet.rss.plugins.module_utils._steering.model import Desired, Indirection
from ansible_collections.virtnet.rss.plugins.module_utils._steering.options import RULE_OPTIONS

__all__ = ("desired_from", "for_guest")


def desired_from(options: t.Mapping[str, t.Any]) -> Desired:
    """From the options of virtnet.rss.tap_steering; what is missing, or None, is as documented there.

    InputError for a value that an option does not allow.
    """
    given = checked(RULE_OPTIONS, {word: value for word, value in options.items() if word in RULE_OPTIONS})
    settings = {**defaults(RULE_OPTIONS), **given}
    key, seed = settings.get("hash_key"), settings.get("hash_seed")
    if key is not None and seed is not None:
        raise PlaceError("hash_seed", "it is given beside hash_key; give one of them")
    return Desired(
        present=settings["state"] == "present",
        hash_key=None if key is None else parse_key(key),
        hash_seed=None if seed is None else parse_seed(seed),
        indirection=_indirection(settings.get("indirection") or {}),
        statistics=settings["statistics"],
        foreign=settings["foreign"],
        fallback=settings["fallback"],
        verify=settings["verify"],
        allow_future_queues=settings["allow_future_queues"],
        rebalance=rebalance_from(settings.get("rebalance")),
        **rss_fields(settings),
    )


def for_guest(desired: Desired, identity: str) -> Desired:
    """The same for one guest (``_rss.keys.guest_identity``): with a seed, its key is its own."""
    if desired.hash_seed is None:
        return desired
    return replace(desired, hash_key=key_from_seed(desired.hash_seed, identity), hash_seed=None)


def _indirection(given: t.Mapping[str, t.Any]) -> Indirection:
    words: dict[str, t.Any] = {
        word: tuple(value) if isinstance(value, list) else value for word, value in given.items()
    }
    return Indirection(**words)
