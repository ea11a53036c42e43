# Copyright (c) 2026, virtnet.rss contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations


class ModuleDocFragment:
    """The rules of a policy, as every module that takes them documents them."""

    DOCUMENTATION = r"""
options:
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
"""
