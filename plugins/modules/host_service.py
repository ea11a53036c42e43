#!/usr/bin/python
# Copyright (c) 2026, virtnet.rss contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: host_service
short_description: Install the program of the service virtnet-rss
version_added: 0.1.0
description:
  - Writes the program C(virtnet-rss) as one executable file, made of the same sources as the modules of this
    collection, which Ansible has brought to the host. Nothing is downloaded.
  - The role P(virtnet.rss.steering#role) uses it, and adds the policy and the systemd unit.
requirements:
  - Python 3.8 or newer, as C(/usr/bin/python3), to run the program
author:
  - virtnet.rss contributors (@virtnet)
extends_documentation_fragment:
  - virtnet.rss.attributes
attributes:
  check_mode:
    support: full
  diff_mode:
    support: full
options:
  path:
    description: Where the program is.
    type: path
    default: /usr/local/sbin/virtnet-rss
  state:
    description: V(present) writes it, V(absent) removes it.
    type: str
    choices: [present, absent]
    default: present
seealso:
  - module: virtnet.rss.tap_steering
"""

EXAMPLES = r"""
- name: Install the program
  virtnet.rss.host_service:

- name: Ask it which guests would gain from steering
  ansible.builtin.command:
    cmd: virtnet-rss advise --seconds 2
  changed_when: false
"""

RETURN = r"""
path:
  description: Where the program is.
  returned: success
  type: str
  sample: /usr/local/sbin/virtnet-rss
checksum:
  description: SHA-256 of the program; null when it is absent.
  returned: success
  type: str
  sample: 2f1ec5b8a0c6c0cf3e6d7c5e3c1c1f0e0b8f7a3b9e2d4c6a8b0d2f4e6a8c0e2f
"""

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.virtnet.rss.plugins.module_utils._module.host_service import create_argument_spec, run_module


def main() -> None:
    run_module(AnsibleModule(argument_spec=create_argument_spec(), supports_check_mode=True))


if __name__ == "__main__":
    main()
