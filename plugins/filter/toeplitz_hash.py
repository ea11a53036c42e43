# Copyright (c) 2026, virtnet.rss contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: toeplitz_hash
short_description: Toeplitz hash of data or of a flow
version_added: 0.1.0
author:
  - virtnet.rss contributors (@virtnet)
description:
  - Computes the 32-bit Toeplitz hash that receive side scaling uses.
options:
  _input:
    description:
      - The hash input in hexadecimal (addresses, then ports, in network byte order; at most 36 bytes).
      - Or a flow, as P(virtnet.rss.rss_queue#filter) takes it. It is hashed over its addresses, and over its ports,
        SPI, session or tunnel's id where it has them.
    type: raw
    required: true
  key:
    description: The 40 bytes of the hash key in hexadecimal, with or without colons.
    type: str
    required: true
seealso:
  - plugin: virtnet.rss.tap_steering
    plugin_type: module
"""

EXAMPLES = r"""
- name: Print the hash of a flow, 0x51ccc178 with Microsoft's published key
  ansible.builtin.debug:
    msg: "{{ '0x%08x' | format(flow | virtnet.rss.toeplitz_hash(key=key)) }}"
  vars:
    key: 6d5a56da255b0ec24167253d43a38fb0d0ca2bcbae7b30b477cb2da38030f20c6a42b73bbeac01fa
    flow: {src: 66.9.149.187, sport: 2794, dst: 161.142.100.80, dport: 1766, proto: tcp}
"""

RETURN = r"""
_value:
  description: The hash.
  type: int
"""

import typing as t

from ansible.errors import AnsibleFilterError

from ansible_collections.virtnet.rss.plugins.module_utils._errors import InputError, PlaceError
from ansible_collections.virtnet.rss.plugins.module_utils._rss.config import DEFAULT_TUNNEL_PORTS
from ansible_collections.virtnet.rss.plugins.module_utils._rss.flow import flow_from
from ansible_collections.virtnet.rss.plugins.module_utils._rss.keys import parse_key
from ansible_collections.virtnet.rss.plugins.module_utils._rss.toeplitz import HASH_INPUT_MAX
from ansible_collections.virtnet.rss.plugins.module_utils._rss.toeplitz import toeplitz_hash as compute
from ansible_collections.virtnet.rss.plugins.module_utils._rss.transports import four_bytes


def toeplitz_hash(value: object, key: str) -> int:
    """The 32-bit hash of hexadecimal data or of a flow."""
    try:
        return compute(key=parse_key(key), data=_data(value))
    except InputError as exc:
        raise AnsibleFilterError(f"toeplitz_hash: {exc}") from exc


def _data(value: object) -> bytes:
    if isinstance(value, dict):
        packet = flow_from(value).packet
        return packet.src + packet.dst + next(iter(four_bytes(packet, DEFAULT_TUNNEL_PORTS.gtpu).values()), b"")
    try:
        data = bytes.fromhex(str(value))
    except ValueError:
        raise InputError("input", value, "it is hexadecimal, or a dictionary of src and dst") from None
    if len(data) > HASH_INPUT_MAX:
        raise PlaceError("input", f"it has {len(data)} bytes; at most {HASH_INPUT_MAX} bytes are hashed")
    return data


class FilterModule:
    """The filter of this file."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        return {"toeplitz_hash": toeplitz_hash}
