#!/usr/bin/python
# Copyright (c) 2026, virtnet.rss contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: tap
short_description: Make and remove persistent TAP devices
version_added: 0.1.0
description:
  - Makes a TAP device that stays when no process has it open, for a VMM that is told to use an existing one, and brings
    its owner, group, MTU, bridge and link state to what the task says.
  - A guest is not cut off by accident. A device that a process holds open is not removed, and what is not a persistent
    TAP device is not touched. A running guest notices a change of O(bridge), O(mtu) or O(up), and they are changed only
    where the task names them; O(up) alone has a default, which takes nobody off the network.
  - When a step of making a device fails, the device is removed again.
notes:
  - Set O(owner) or O(group). A TAP device that has neither may be opened by every user who can open C(/dev/net/tun),
    which on most distributions is everybody.
  - O(multi_queue) and O(vnet_hdr) cannot be changed in place. Where an existing device differs, the task fails and
    changes nothing; remove the device first.
  - A VMM that opens the device without a virtio-net header takes O(vnet_hdr) away from it. Give the value that your
    VMM uses. QEMU, Cloud Hypervisor and Firecracker use one.
  - The MTU of a bridge that was never given one follows the smallest MTU of its ports.
  - Changing O(owner) or O(group) of a device that nobody holds opens it, which before Linux 6.2 raises its carrier for
    an instant. One that is held is reached through a copy of its holder's descriptor; the guest does not notice.
requirements:
  - pyroute2 on the hypervisor (Debian and RHEL package C(python3-pyroute2))
  - root, or CAP_NET_ADMIN, CAP_SYS_PTRACE and, for O(netns), CAP_SYS_ADMIN
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
  name:
    description:
      - Name of the device, at most 15 bytes without white space, slash, colon or percent sign.
    type: str
    required: true
  state:
    description:
      - V(present) makes the device if there is none, and changes what differs.
      - V(absent) removes it. It fails while a process holds the device open.
    type: str
    choices: [present, absent]
    default: present
  multi_queue:
    description:
      - Whether the device can have more than one queue. Steering has something to choose only then.
    type: bool
    default: true
  vnet_hdr:
    description:
      - Whether packets are passed with a virtio-net header, which checksum and segmentation offloads need.
    type: bool
    default: true
  owner:
    description:
      - Name or number of the user who may open the device without privileges.
      - Without it, a new device has no owner, and an existing one keeps its own. An owner cannot be taken away, only
        changed.
      - Where both O(owner) and O(group) are set, the kernel wants the user to match both.
    type: str
  group:
    description:
      - Name or number of the group that may open the device without privileges.
      - Without it, a new device has no group, and an existing one keeps its own. A group cannot be taken away, only
        changed.
    type: str
  mtu:
    description:
      - The MTU of the device, 68 to 65521.
      - Without it, a new device has 1500, and an existing one keeps its own.
    type: int
  bridge:
    description:
      - Name of the Linux bridge, in the same network namespace, that the device is a port of. The empty string releases
        the device from its bridge.
      - Without it, a new device is in no bridge, and an existing one stays where it is.
    type: str
  up:
    description:
      - Whether the device is up. V(false) takes the device down, and a guest that uses it off the network.
    type: bool
    default: true
  netns:
    description:
      - The network namespace that the device is in.
      - Its name, as C(ip netns) lists it; a path that begins with a slash; the number of a process that is in it; or
        its inode, as C(lsns -t net) lists it and M(virtnet.rss.tap_steering_info) returns it. A name that is a number
        comes first.
      - The default is the namespace in which the module runs.
    type: str
"""

EXAMPLES = r"""
- name: A device for a guest that QEMU runs without privileges
  virtnet.rss.tap:
    name: tap-web1
    owner: libvirt-qemu
    bridge: br0
    mtu: 9000

- name: See what would change
  virtnet.rss.tap:
    name: tap-web1
    bridge: br1
  check_mode: true
  diff: true

- name: Release it from its bridge
  virtnet.rss.tap:
    name: tap-web1
    bridge: ""

- name: Remove it
  virtnet.rss.tap:
    name: tap-web1
    state: absent
"""

RETURN = r"""
tap:
  description: The device as it is now, in check mode as it would be; V(null) when there is none.
  returned: success
  type: dict
  sample:
    name: tap-web1
    ifindex: 7
    netns: ""
    multi_queue: true
    vnet_hdr: true
    owner: libvirt-qemu
    group: null
    mtu: 9000
    bridge: br0
    up: true
    queues: 0
  contains:
    name: {description: Name of the device., type: str}
    ifindex:
      description: Index of the device in its namespace; V(null) in check mode for a device that is not made yet.
      type: int
    netns: {description: Network namespace as given; empty for the one in which the module ran., type: str}
    multi_queue: {description: Whether it can have more than one queue., type: bool}
    vnet_hdr: {description: Whether packets have a virtio-net header., type: bool}
    owner: {description: "Name of the user, or the number of one without a name; V(null) for none.", type: str}
    group: {description: "Name of the group, or the number of one without a name; V(null) for none.", type: str}
    mtu: {description: The MTU., type: int}
    bridge: {description: Name of its bridge; empty for none., type: str}
    up: {description: Whether it is up., type: bool}
    queues: {description: Attached queues; 0 while nobody holds the device., type: int}
"""

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.virtnet.rss.plugins.module_utils._module.tap import create_argument_spec, run_module


def main() -> None:
    run_module(AnsibleModule(argument_spec=create_argument_spec(), supports_check_mode=True))


if __name__ == "__main__":
    main()
