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
  rules:
    description: The rules, in the order in which they are asked; the first that matches a device decides.
    type: list
    elements: dict
    suboptions:
      name:
        description: A text, shown in results.
        type: str
      match:
        description:
          - Everything that is given must be so; the texts are shell patterns. Without it the rule is for every device
            of the host's own network namespace.
        type: dict
        suboptions:
          device:
            description: Name of the TAP device.
            type: str
          netns:
            description: Name of its network namespace. Without it, only the host's own namespace matches.
            type: str
          holder:
            description: Command of a process that holds the device.
            type: str
          domain:
            description: libvirt's name of the guest.
            type: str
          interface:
            description: Index of the network card in its guest.
            type: int
          mac:
            description: MAC address of the network card.
            type: str
      state:
        description: V(present) steers the device, V(absent) gives it automatic selection, V(ignore) leaves it alone.
        type: str
        choices: [present, absent, ignore]
      hash_types:
        description: As O(virtnet.rss.tap_steering#module:hash_types).
        type: list
        elements: str
      hash_key:
        description: As O(virtnet.rss.tap_steering#module:hash_key).
        type: str
      indirection:
        description: As O(virtnet.rss.tap_steering#module:indirection).
        type: dict
        suboptions:
          equal:
            description: As O(virtnet.rss.tap_steering#module:indirection.equal).
            type: int
          weight:
            description: As O(virtnet.rss.tap_steering#module:indirection.weight).
            type: list
            elements: int
          table:
            description: As O(virtnet.rss.tap_steering#module:indirection.table).
            type: list
            elements: int
          start:
            description: As O(virtnet.rss.tap_steering#module:indirection.start).
            type: int
          size:
            description: As O(virtnet.rss.tap_steering#module:indirection.size).
            type: int
      allow_future_queues:
        description: As O(virtnet.rss.tap_steering#module:allow_future_queues).
        type: bool
      default_queue:
        description: As O(virtnet.rss.tap_steering#module:default_queue).
        type: int
      redirect:
        description: As O(virtnet.rss.tap_steering#module:redirect).
        type: bool
      statistics:
        description: As O(virtnet.rss.tap_steering#module:statistics).
        type: bool
      verify:
        description: As O(virtnet.rss.tap_steering#module:verify).
        type: bool
      foreign:
        description: As O(virtnet.rss.tap_steering#module:foreign).
        type: str
        choices: [keep, replace, fail]
      fallback:
        description: As O(virtnet.rss.tap_steering#module:fallback).
        type: str
        choices: [disable, keep, fail]
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

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.virtnet.rss.plugins.module_utils._module.host_policy import create_argument_spec, run_module


def main() -> None:
    run_module(
        AnsibleModule(
            argument_spec=create_argument_spec(),
            required_if=[("state", "present", ("rules",))],
            supports_check_mode=True,
        )
    )


if __name__ == "__main__":
    main()
