# Copyright (c) 2026, virtnet.rss contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: indirection_table
short_description: Indirection table from the words of ethtool -X
version_added: 0.1.0
author:
  - virtnet.rss contributors (@virtnet)
description:
  - Builds the indirection table that M(virtnet.rss.tap_steering) builds from the same words.
options:
  _input:
    description: A dictionary of one of C(equal), C(weight) and C(table), with C(start) and C(size).
    type: dict
    required: true
seealso:
  - plugin: virtnet.rss.tap_steering
    plugin_type: module
"""

EXAMPLES = r"""
- name: Three quarters for the first two of four queues
  ansible.builtin.debug:
    msg: "{{ {'weight': [3, 3, 1, 1], 'size': 8} | virtnet.rss.indirection_table }}"  # 0 0 0 1 1 1 2 3
"""

RETURN = r"""
_value:
  description: The queues of the table.
  type: list
  elements: int
"""

import typing as t

from ansible.errors import AnsibleFilterError

from ansible_collections.virtnet.rss.plugins.module_utils._errors import InputError
from ansible_collections.virtnet.rss.plugins.module_utils._rss.words import table_from


def indirection_table(value: object) -> list[int]:
    """The table as a list of queues."""
    try:
        return list(table_from(value))
    except (InputError, TypeError) as exc:
        raise AnsibleFilterError(f"indirection_table: {exc}") from exc


class FilterModule:
    """The filter of this file."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        return {"indirection_table": indirection_table}
