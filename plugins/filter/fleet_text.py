# Copyright (c) 2026, virtnet.rss contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: fleet_text
short_description: Fleet report as a short text
version_added: 0.1.0
author:
  - virtnet.rss contributors (@virtnet)
description:
  - The totals of a fleet report, then a line for each host and device that needs a look.
options:
  _input:
    description: What P(virtnet.rss.fleet_report#filter) gives.
    type: dict
    required: true
seealso:
  - plugin: virtnet.rss.fleet_report
    plugin_type: filter
"""

EXAMPLES = r"""
- name: Ask each host what steers its devices
  virtnet.rss.host_steering:
    state: look
  register: audit_host

- name: Say what needs a look
  ansible.builtin.debug:
    msg: "{{ (groups.hypervisors | virtnet.rss.fleet_report(hostvars) | virtnet.rss.fleet_text).splitlines() }}"
"""

RETURN = r"""
_value:
  description: Lines of text.
  type: str
"""

import typing as t

from ansible_collections.virtnet.rss.plugins.plugin_utils._fleet import fleet_text


class FilterModule:
    """Filters of this file."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        """By name."""
        return {"fleet_text": fleet_text}
