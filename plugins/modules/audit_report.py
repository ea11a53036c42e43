#!/usr/bin/python
# Copyright (c) 2026, virtnet.rss contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# What plugins/action/audit_report.py does: it runs on the controller, so there is nothing to run here.

from __future__ import annotations

DOCUMENTATION = r"""
module: audit_report
short_description: Put the answers of an audit together
version_added: 0.2.0
description:
  - The end of the playbook C(virtnet.rss.audit), of no use elsewhere. It reads what the hosts of the play have answered
    to M(virtnet.rss.host_steering) with C(state=look), registered as C(audit_host), writes it as a page, as JSON and as
    text on the controller, and tells the text.
author:
  - virtnet.rss contributors (@virtnet)
extends_documentation_fragment:
  - virtnet.rss.attributes
attributes:
  check_mode:
    support: full
    details:
      - Nothing is written.
  diff_mode:
    support: none
options:
  path:
    description: The files' name, without V(.html), V(.json) and V(.txt); a relative one is below the current folder.
    type: str
    required: true
  title:
    description: The page's title.
    type: str
    required: true
seealso:
  - plugin: virtnet.rss.fleet_report
    plugin_type: filter
"""

EXAMPLES = r"""
- name: Write the report, and tell it
  virtnet.rss.audit_report:
    path: "{{ audit_report | default('virtnet-rss-audit') }}"
    title: "{{ audit_title | default('What steers the guests') }}"
  run_once: true
  delegate_to: localhost
  ignore_unreachable: false
  ignore_errors: false
  vars: # it is work of the controller's, whatever the inventory says of the first host
    ansible_connection: local
    ansible_become: false
"""

RETURN = r"""
msg:
  description: The lines of the text.
  returned: success
  type: list
  elements: str
"""
