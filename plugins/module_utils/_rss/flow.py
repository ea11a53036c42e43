# Copyright (c) 2026, virtnet.rss contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to the collection: flows and configurations as dictionaries, the way playbooks write them.

from __future__ import annotations

import typing as t
from ipaddress import ip_address

from ansible_collections.virtnet.rss.plugins.module_utils._errors import InputError
from ansible_collections.virtnet.rss.plugins.module_utils._rss.config import (
    DEFAULT_HASH_TYPES,
    RssConfig,
    hash_types_to_mask,
)
from ansible_collections.virtnet.rss.plugins.module_utils._rss.frame import Headers
from ansible_collections.virtnet.rss.plugins.module_utils._rss.indirection import indirection_table
from ansible_collections.virtnet.rss.plugins.module_utils._rss.keys import parse_key

__all__ = ("config_from", "flow_from", "table_from")

TABLE_WORDS = ("equal", "weight", "table", "start", "size")
CONFIG_WORDS = ("hash_key", "hash_types", "indirection", "default_queue", "redirect")
PROTOCOLS = ("tcp", "udp")
PORT_MAX = 65535


def _only(option: str, given: object, words: tuple[str, ...]) -> dict[str, t.Any]:
    if not isinstance(given, dict):
        raise InputError(option, given, f"it is a dictionary of {', '.join(words)}")
    for word in given:
        if word not in words:
            raise InputError(option, word, f"its words are {', '.join(words)}")
    return given


def flow_from(given: object) -> Headers:
    """The headers of a flow: ``src`` and ``dst``, and ``sport``, ``dport``, ``proto`` (tcp, udp) where it has ports."""
    flow = _only("flow", given, ("src", "dst", "sport", "dport", "proto"))
    src, dst = _address(flow, "src"), _address(flow, "dst")
    if len(src) != len(dst):
        raise InputError("flow.dst", flow["dst"], "it is of the same family as src")
    protocol = flow.get("proto")
    if protocol not in PROTOCOLS:
        return Headers(4 if len(src) == 4 else 6, src, dst)
    ports = _port(flow, "sport") + _port(flow, "dport")
    return Headers(4 if len(src) == 4 else 6, src, dst, protocol, ports)


def _address(flow: dict[str, t.Any], name: str) -> bytes:
    try:
        return ip_address(str(flow.get(name))).packed
    except ValueError:
        raise InputError(f"flow.{name}", flow.get(name), "it is an IPv4 or IPv6 address") from None


def _port(flow: dict[str, t.Any], name: str) -> bytes:
    try:
        port = int(flow[name])
        return port.to_bytes(2, "big")
    except (KeyError, TypeError, ValueError, OverflowError):
        raise InputError(f"flow.{name}", flow.get(name), f"tcp and udp have ports from 0 to {PORT_MAX}") from None


def table_from(given: object) -> tuple[int, ...]:
    """The indirection table: a list of queues, or the words of ``ethtool -X``."""
    if isinstance(given, (list, tuple)):
        return indirection_table(table=given)
    return indirection_table(**_only("indirection", given, TABLE_WORDS))


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
    )
