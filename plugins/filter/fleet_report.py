# Copyright (c) 2026, virtnet.rss contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: fleet_report
short_description: Table of what steers the guests of many hosts
version_added: 0.1.0
author:
  - virtnet.rss contributors (@virtnet)
description:
  - Makes one table of the answers of many hosts, as the playbook C(virtnet.rss.audit) shows it.
options:
  _input:
    description: Names of the hosts.
    type: list
    elements: str
    required: true
  answers:
    description:
      - The hosts' variables, as C(hostvars) has them.
      - Of each host C(audit_host), the registered result of M(virtnet.rss.host_steering) with C(state=look).
      - Or, as in 0.1.0, C(audit_facts), the registered result of M(virtnet.rss.capability_facts), C(audit_info),
        that of M(virtnet.rss.tap_steering_info), and optionally C(audit_dry_run), that of a command that prints what
        C(virtnet-rss apply --dry-run --json) says, then what
        C(systemctl show --property=LoadState,ActiveState virtnet-rss) says.
    type: dict
    required: true
seealso:
  - plugin: virtnet.rss.fleet_text
    plugin_type: filter
"""

EXAMPLES = r"""
- name: Ask each host what steers its devices
  virtnet.rss.host_steering:
    state: look
  register: audit_host

- name: Count the devices by state
  ansible.builtin.debug:
    var: (groups.hypervisors | virtnet.rss.fleet_report(hostvars)).totals.state
"""

RETURN = r"""
_value:
  description: A dictionary of C(hosts), C(devices) and C(totals).
  type: dict
"""

import typing as t

from ansible.errors import AnsibleFilterError

from ansible_collections.virtnet.rss.plugins.module_utils._errors import InputError
from ansible_collections.virtnet.rss.plugins.plugin_utils._fleet import fleet_report


def _filter(value: t.Any, answers: t.Any) -> dict[str, t.Any]:
    try:
        return fleet_report(value, answers)
    except InputError as exc:
        raise AnsibleFilterError(str(exc)) from exc


class FilterModule:
    """Filters of this file."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        """By name."""
        return {"fleet_report": _filter}
