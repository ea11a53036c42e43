# Copyright (c) 2026, virtnet.rss contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to the collection: configurations as dictionaries, the way playbooks write them.

from __future__ import annotations

import typing as t
from dataclasses import replace

from ansible_collections.virtnet.rss.plugins.module_utils._errors import InputError
from ansible_collections.virtnet.rss.plugins.module_utils._rss.config import (
    DEFAULT_TUNNEL_PORTS,
    Pin,
    RssConfig,
    TunnelPorts,
    hash_types_to_mask,
    tunnel_types_to_mask,
)
from ansible_collections.virtnet.rss.plugins.module_utils._rss.indirection import indirection_table
from ansible_collections.virtnet.rss.plugins.module_utils._rss.keys import parse_key
from ansible_collections.virtnet.rss.plugins.module_utils._rss.option import Option, checked, defaults
from ansible_collections.virtnet.rss.plugins.module_utils._rss.options import RSS_OPTIONS
from ansible_collections.virtnet.rss.plugins.module_utils._rss.pins import check_pins

__all__ = ("config_from", "rss_fields", "table_from")

TABLE = {"indirection": RSS_OPTIONS["indirection"]}
CONFIG = {
    **RSS_OPTIONS,
    "hash_key": replace(RSS_OPTIONS["hash_key"], required=True),
    "indirection": replace(RSS_OPTIONS["indirection"], required=True),
}
QUEUES = replace(RSS_OPTIONS["indirection"].options["table"], required=True)


def rss_fields(settings: t.Mapping[str, t.Any]) -> dict[str, t.Any]:
    """The fields of RssConfig but for key and table, from checked options; what is missing is as documented there.

    Ports of tunnels that are not looked into change nothing, so they are left out of it: two configurations that
    compute the same are equal.
    """
    given = {**defaults(RSS_OPTIONS), **settings}
    ports = {kind: tuple(numbers) for kind, numbers in (given.get("tunnel_ports") or {}).items() if numbers is not None}
    pins = tuple(_pin(number, words) for number, words in enumerate(given["pins"]))
    check_pins(pins)
    with_ports = {*given["tunnel_types"], *(["gtpu"] if "gtpu_teid" in given["hash_types"] else [])}
    return {
        "hash_types": hash_types_to_mask(given["hash_types"]),
        "default_queue": given["default_queue"],
        "redirect": given["redirect"],
        "tunnel_types": tunnel_types_to_mask(given["tunnel_types"]),
        "tunnel_ports": _ports(ports, given["tunnel_types"], with_ports),
        "symmetric": given["symmetric"],
        "pins": pins,
    }


def _ports(ports: t.Mapping[str, tuple[int, ...]], tunnels: t.Container[str], used: t.Container[str]) -> TunnelPorts:
    found = TunnelPorts(**ports).used(used) if ports else DEFAULT_TUNNEL_PORTS
    found.check(tunnels)
    return found


def _pin(number: int, words: t.Mapping[str, t.Any]) -> Pin:
    try:
        return Pin(**{name: value for name, value in words.items() if value is not None})
    except InputError as exc:
        raise exc.at(f"pins[{number}].{exc.option}") from None


def table_from(given: object) -> tuple[int, ...]:
    """The indirection table: a list of queues, or the words of ``ethtool -X``. Numbers may be texts of digits."""
    if isinstance(given, (list, tuple)):
        table: dict[str, Option] = {"indirection": QUEUES}
        return indirection_table(table=checked(table, {"indirection": given}, texts=True)["indirection"])
    return indirection_table(**checked(TABLE, {"indirection": given}, texts=True)["indirection"])


def config_from(given: object) -> RssConfig:
    """The configuration of a steering program in the words of virtnet.rss.tap_steering; numbers may be texts."""
    words = dict(given) if isinstance(given, dict) else given
    table = words.get("indirection") if isinstance(words, dict) else None
    if isinstance(words, dict) and isinstance(table, (list, tuple)):
        words["indirection"] = {"table": table}
    settings = checked(CONFIG, words, "config", texts=True)
    return RssConfig(
        hash_key=parse_key(settings["hash_key"]),
        indirection=indirection_table(**settings["indirection"]),
        **rss_fields(settings),
    )
