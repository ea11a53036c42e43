# Copyright (c) 2026, virtnet.rss contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: rss_key
short_description: Stable hash key of one guest, from a seed
version_added: 0.1.0
author:
  - virtnet.rss contributors (@virtnet)
description:
  - Makes a hash key of 40 bytes from a secret text and from what belongs to one guest, so that the guest keeps its key
    wherever it runs, and nobody stores it.
  - A guest can learn its own key, by sending itself packets and noting their queues. So no two guests of different
    owners may have the same one. Without O(guest) all guests get the same, as in release 0.1.0, and a warning says so.
  - O(virtnet.rss.tap_steering#module:hash_seed) does the same for each device of a task or a rule by itself.
options:
  _input:
    description: The seed. Keep it as secret as the keys, and let nobody guess it.
    type: str
    required: true
  guest:
    description:
      - What belongs to the guest and stays, such as the MAC address of its network card. For an address the key is the
        one that O(virtnet.rss.tap_steering#module:hash_seed) gives to that card.
    type: str
    version_added: 0.2.0
seealso:
  - plugin: virtnet.rss.tap_steering
    plugin_type: module
"""

EXAMPLES = r"""
- name: Steer with the guest's own key
  virtnet.rss.tap_steering:
    taps: [vnet0]
    hash_key: "{{ rss_secret | virtnet.rss.rss_key('52:54:00:12:34:56') }}"
"""

RETURN = r"""
_value:
  description: The key as C(ethtool -x) prints it.
  type: str
"""

import contextlib
import typing as t

from ansible.errors import AnsibleFilterError
from ansible.utils.display import Display

from ansible_collections.virtnet.rss.plugins.module_utils._rss.keys import format_key, key_from_seed

SHARED = "rss_key: without a guest's MAC address or name every guest gets this key, and each of them can learn it"


def rss_key(value: object, guest: object = None) -> str:
    """The key in pairs of hexadecimal digits with colons."""
    for name, text in (("seed", value), ("guest", guest)):
        if not (isinstance(text, str) and text) and (name == "seed" or guest is not None):
            raise AnsibleFilterError(f"rss_key: the {name} is a text that is not empty, not {type(text).__name__}")
    if guest is None:
        Display().warning(SHARED)
    key = format_key(key_from_seed(str(value), None if guest is None else str(guest)))
    with contextlib.suppress(ImportError):  # ansible-core 2.22 hides what is registered, wherever it is shown
        from ansible.module_utils.secrets import register_secrets

        register_secrets([key, key.replace(":", "")])
    return key


class FilterModule:
    """The filter of this file."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        return {"rss_key": rss_key}
