# Copyright (c) 2026, virtnet.rss contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: rss_key
short_description: Stable hash key from a seed
version_added: 0.1.0
author:
  - virtnet.rss contributors (@virtnet)
description:
  - Makes a hash key of 40 bytes from a text, so that a fleet shares keys without storing them.
  - Keep the seed as secret as the key. Use one with enough chance in it, from a vault.
options:
  _input:
    description: The seed.
    type: str
    required: true
seealso:
  - plugin: virtnet.rss.tap_steering
    plugin_type: module
"""

EXAMPLES = r"""
- name: Steer with a key that every host of the rack has
  virtnet.rss.tap_steering:
    taps: ["vnet*"]
    hash_key: "{{ (rss_secret ~ rack) | virtnet.rss.rss_key }}"
"""

RETURN = r"""
_value:
  description: The key as C(ethtool -x) prints it.
  type: str
"""

import typing as t

from ansible.errors import AnsibleFilterError

from ansible_collections.virtnet.rss.plugins.module_utils._rss.keys import format_key, key_from_seed


def rss_key(value: object) -> str:
    """The key in pairs of hexadecimal digits with colons."""
    if not isinstance(value, str) or not value:
        raise AnsibleFilterError(f"rss_key: the seed is a text that is not empty, not {type(value).__name__}")
    return format_key(key_from_seed(value))


class FilterModule:
    """The filter of this file."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        return {"rss_key": rss_key}
