# Copyright (c) 2026, virtnet.rss contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to the collection: from a frame to its hash and queue (virtio 1.x sections 5.1.6.4.3 and 5.1.6.5.7).

from __future__ import annotations

from dataclasses import dataclass

from ansible_collections.virtnet.rss.plugins.module_utils._rss.config import RssConfig, mask_to_hash_types
from ansible_collections.virtnet.rss.plugins.module_utils._rss.frame import ETHERNET, Headers, parse_frame
from ansible_collections.virtnet.rss.plugins.module_utils._rss.toeplitz import toeplitz_hash

__all__ = ("Decision", "decide", "hash_input", "steer")


@dataclass(frozen=True)
class Decision:
    """Why a packet lands on a queue; no hash type and no hash for a packet that goes to the default queue."""

    hash_type: str | None
    hash: int | None
    queue: int


def _choose(enabled: tuple[str, ...], family: str, l4: str | None) -> str | None:
    suffix = "_ex" if family.endswith("_ex") else ""
    transport = f"{l4}v{family[3]}{suffix}" if l4 else ""
    return next((name for name in (transport, family) if name in enabled), None)


def hash_input(headers: Headers, hash_types: int) -> tuple[str | None, bytes]:
    """The hash type that applies and the bytes that are hashed: addresses, then ports; (None, b"") for none."""
    enabled = mask_to_hash_types(hash_types)
    addresses = headers.src + headers.dst
    chosen = None
    if headers.ip_version == 4:
        chosen = _choose(enabled, "ipv4", headers.l4)
    elif headers.ip_version == 6:
        if headers.extension_headers:
            chosen = _choose(enabled, "ipv6_ex", headers.l4)
        if chosen:
            addresses = (headers.ex_src or headers.src) + (headers.ex_dst or headers.dst)
        else:
            chosen = _choose(enabled, "ipv6", headers.l4)
    if chosen is None:
        return None, b""
    return chosen, addresses if chosen.startswith("ip") else addresses + headers.ports


def decide(headers: Headers, config: RssConfig) -> Decision:
    """The queue of a packet with these headers: ``indirection[hash % len(indirection)]``, or the default queue."""
    chosen, data = hash_input(headers, config.hash_types)
    if chosen is None or not config.redirect:
        return Decision(None, None, config.default_queue)
    value = toeplitz_hash(key=config.hash_key, data=data)
    return Decision(chosen, value, config.indirection[value % len(config.indirection)])


def steer(frame: bytes, config: RssConfig, *, l3_offset: int = ETHERNET) -> Decision:
    """The queue of a frame."""
    return decide(parse_frame(frame, l3_offset=l3_offset), config)
