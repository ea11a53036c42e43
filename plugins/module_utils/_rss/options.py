# Copyright (c) 2026, virtnet.rss contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to the collection: the options that a steering program computes from, each once.

from __future__ import annotations

from dataclasses import fields

from ansible_collections.virtnet.rss.plugins.module_utils._rss.config import (
    DEFAULT_HASH_TYPES,
    DEFAULT_TUNNEL_TYPES,
    HASH_TYPES,
    TUNNEL_TYPES,
    TunnelPorts,
)
from ansible_collections.virtnet.rss.plugins.module_utils._rss.limits import INDIRECTION_MAX, PORT_MAX, QUEUE_MAX
from ansible_collections.virtnet.rss.plugins.module_utils._rss.option import Option
from ansible_collections.virtnet.rss.plugins.module_utils._rss.pins import FLOW_TYPES, PINS_MAX, RANGES
from ansible_collections.virtnet.rss.plugins.module_utils._rss.tunnel_types import PORTS_OF_A_TUNNEL

__all__ = ("INDIRECTION", "PIN", "RSS_OPTIONS")

QUEUES = (0, QUEUE_MAX)
NUMBERED = f"queues are numbered from 0 to {QUEUE_MAX}"
# What else is asked of a table, its length and that each queue has an entry, _rss/indirection.py checks.
INDIRECTION = {
    "equal": Option("int", range=(1, QUEUE_MAX + 1), allowed=f"between 1 and {QUEUE_MAX + 1} queues"),
    "weight": Option("list", "int", range=(0, 2**31 - 1), allowed="weights are not negative, and less than 2**31"),
    "table": Option("list", "int", range=QUEUES, allowed=NUMBERED),
    "start": Option("int", default=0, range=QUEUES, allowed=NUMBERED),
    "size": Option(
        "int", range=(1, INDIRECTION_MAX), allowed=f"the length of a table is a power of two up to {INDIRECTION_MAX}"
    ),
}
PIN = {
    "flow_type": Option(choices=tuple(FLOW_TYPES), default="ether"),
    "src_ip": Option(),
    "dst_ip": Option(),
    **{word: Option("int", range=(0, highest)) for word, highest in RANGES.items()},
    "queue": Option("int", range=QUEUES, allowed=NUMBERED, required=True),
}
TUNNEL_PORTS = {
    item.name: Option("list", "int", default=item.default, range=(1, PORT_MAX), most=PORTS_OF_A_TUNNEL)
    for item in fields(TunnelPorts)
}
RSS_OPTIONS = {
    "hash_types": Option("list", "str", choices=HASH_TYPES, default=DEFAULT_HASH_TYPES),
    "tunnel_types": Option("list", "str", choices=tuple(TUNNEL_TYPES), default=DEFAULT_TUNNEL_TYPES),
    "tunnel_ports": Option("dict", options=TUNNEL_PORTS),
    "symmetric": Option("bool", default=False),
    "pins": Option("list", "dict", options=PIN, default=(), most=PINS_MAX),
    "hash_key": Option(no_log=True),
    "indirection": Option("dict", options=INDIRECTION, alone=("equal", "weight", "table")),
    "default_queue": Option("int", default=0, range=QUEUES, allowed=NUMBERED),
    "redirect": Option("bool", default=True),
}
