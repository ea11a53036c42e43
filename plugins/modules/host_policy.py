#!/usr/bin/python
# Copyright (c) 2026, virtnet.rss contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: host_policy
short_description: Write the policy of the service virtnet-rss
version_added: 0.1.0
description:
  - Writes the rules that tell the service C(virtnet-rss) which TAP device of a host is steered how. The service sees
    the new file by itself.
  - A rule that is wrong refuses the whole, with a sentence that names the place, and the policy in force stays.
  - The policy before the last change is kept beside the file, for O(state=previous).
  - The role P(virtnet.rss.steering#role) uses it.
author:
  - virtnet.rss contributors (@virtnet)
extends_documentation_fragment:
  - virtnet.rss.attributes
  - virtnet.rss.rules
attributes:
  check_mode:
    support: full
  diff_mode:
    support: full
    details:
      - A hash key is shown as its SHA-256 fingerprint.
options:
  path:
    description:
      - The file. All files of its folder whose names end in C(.json) are the policy, in the order of their names;
        another name is refused.
      - A folder that is missing is made with mode V(0700). The file's mode is V(0600), for it may hold a hash key.
    type: path
    default: /etc/virtnet-rss/policy.d/50-steering.json
  state:
    description:
      - V(present) writes O(rules).
      - V(previous) puts the policy before the last change back; it is an error when none is kept.
      - V(absent) removes the file, and the older policy.
    type: str
    choices: [present, previous, absent]
    default: present
seealso:
  - module: virtnet.rss.host_service
  - module: virtnet.rss.tap_steering
"""

EXAMPLES = r"""
- name: Steer all guests but the database servers
  virtnet.rss.host_policy:
    rules:
      - {name: TCP servers that use XPS, match: {domain: "db-*"}, state: ignore}
      - {name: all other guests, match: {device: "vnet*"}}

- name: Steer the database servers as well
  virtnet.rss.host_policy:
    rules:
      - {name: all guests, match: {device: "vnet*"}}

- name: Take the last change back
  virtnet.rss.host_policy:
    state: previous
"""

RETURN = r"""
path:
  description: The file.
  returned: success
  type: str
  sample: /etc/virtnet-rss/policy.d/50-steering.json
replaced:
  description:
    - Whether another policy was in force before. With O(state=present) it is kept, and O(state=previous) goes back to
      it.
  returned: success
  type: bool
  sample: true
"""

from ansible_collections.virtnet.rss.plugins.module_utils._module.guarded import GuardedModule
from ansible_collections.virtnet.rss.plugins.module_utils._module.host_policy import create_argument_spec, run_module


def main() -> None:
    run_module(
        GuardedModule(
            argument_spec=create_argument_spec(),
            required_if=[("state", "present", ("rules",))],
            supports_check_mode=True,
        )
    )


if __name__ == "__main__":
    main()
