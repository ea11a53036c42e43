# Copyright (c) 2026, virtnet.rss contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to the collection: configurations as dictionaries, the way playbooks write them.

from __future__ import annotations

import typing as t
from dataclasses import fields

from ansible_collections.virtnet.rss.plugins.module_utils._errors import InputError
from ansible_collections.virtnet.rss.plugins.module_utils._rss.config import (
    DEFAULT_HASH_TYPES,
    Pin,
    RssConfig,
    TunnelPorts,
    hash_types_to_mask,
    tunnel_types_to_mask,
)
from ansible_collections.virtnet.rss.plugins.module_utils._rss.indirection import indirection_table
from ansible_collections.virtnet.rss.plugins.module_utils._rss.keys import parse_key

__all__ = ("config_from", "pins_from", "table_from", "tunnel_ports_from")

TABLE_WORDS = ("equal", "weight", "table", "start", "size")
CONFIG_WORDS = (
    "hash_key",
    "hash_types",
    "indirection",
    "default_queue",
    "redirect",
    "tunnel_types",
    "tunnel_ports",
    "symmetric",
    "pins",
)


def _only(option: str, given: object, words: t.Sequence[str]) -> dict[str, t.Any]:
    if not isinstance(given, dict):
        raise InputError(option, given, f"it is a dictionary of {', '.join(words)}")
    for word in given:
        if word not in words:
            raise InputError(option, word, f"its words are {', '.join(words)}")
    return given


def table_from(given: object) -> tuple[int, ...]:
    """The indirection table: a list of queues, or the words of ``ethtool -X``."""
    if isinstance(given, (list, tuple)):
        return indirection_table(table=given)
    return indirection_table(**_only("indirection", given, TABLE_WORDS))


def tunnel_ports_from(given: t.Mapping[str, t.Any] | None) -> TunnelPorts:
    """Lists of ports by tunnel; those that are not given are the default ones."""
    ports = _only("tunnel_ports", given or {}, [item.name for item in fields(TunnelPorts)])
    return TunnelPorts(**{kind: tuple(numbers) for kind, numbers in ports.items() if numbers is not None})


def pins_from(given: t.Sequence[t.Mapping[str, t.Any]] | None) -> tuple[Pin, ...]:
    """One pin for each dictionary; InputError names the pin by its number."""
    pins = []
    for number, words in enumerate(given or ()):
        where = f"pins[{number}]"
        values = _only(where, words, [item.name for item in fields(Pin)])
        try:
            pins.append(Pin(**{name: value for name, value in values.items() if value is not None}))
        except InputError as exc:
            raise InputError(f"{where}.{exc.option}", exc.value, exc.allowed) from None
    return tuple(pins)


def config_from(given: object) -> RssConfig:
    """The configuration of a steering program in the words of virtnet.rss.tap_steering."""
    config = _only("config", given, CONFIG_WORDS)
    for word in ("hash_key", "indirection"):
        if word not in config:
            raise InputError("config", sorted(config), f"{word} is needed")
    return RssConfig(
        hash_key=parse_key(str(config["hash_key"])),
        hash_types=hash_types_to_mask(config.get("hash_types", DEFAULT_HASH_TYPES)),
        indirection=table_from(config["indirection"]),
        default_queue=int(config.get("default_queue", 0)),
        redirect=bool(config.get("redirect", True)),
        tunnel_types=tunnel_types_to_mask(config.get("tunnel_types", ())),
        tunnel_ports=tunnel_ports_from(config.get("tunnel_ports")),
        symmetric=bool(config.get("symmetric", False)),
        pins=pins_from(config.get("pins")),
    )
