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
            description: Name of the TAP device, or one of its alternative names.
            type: str
          netns:
            description:
              - Name of its network namespace, or V(ns:INODE) of one without a name.
              - Without it, only the host's own namespace matches.
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
      tunnel_types:
        description: As O(virtnet.rss.tap_steering#module:tunnel_types).
        type: list
        elements: str
      tunnel_ports:
        description: As O(virtnet.rss.tap_steering#module:tunnel_ports).
        type: dict
        suboptions:
          vxlan:
            description: As O(virtnet.rss.tap_steering#module:tunnel_ports.vxlan).
            type: list
            elements: int
          vxlan_gpe:
            description: As O(virtnet.rss.tap_steering#module:tunnel_ports.vxlan_gpe).
            type: list
            elements: int
          geneve:
            description: As O(virtnet.rss.tap_steering#module:tunnel_ports.geneve).
            type: list
            elements: int
          gre_udp:
            description: As O(virtnet.rss.tap_steering#module:tunnel_ports.gre_udp).
            type: list
            elements: int
          gtpu:
            description: As O(virtnet.rss.tap_steering#module:tunnel_ports.gtpu).
            type: list
            elements: int
      symmetric:
        description: As O(virtnet.rss.tap_steering#module:symmetric).
        type: bool
      pins:
        description: As O(virtnet.rss.tap_steering#module:pins).
        type: list
        elements: dict
        suboptions:
          flow_type:
            description: As O(virtnet.rss.tap_steering#module:pins[].flow_type).
            type: str
            choices: [ether, ip4, tcp4, udp4, sctp4, ip6, tcp6, udp6, sctp6]
          src_ip:
            description: As O(virtnet.rss.tap_steering#module:pins[].src_ip).
            type: str
          dst_ip:
            description: As O(virtnet.rss.tap_steering#module:pins[].dst_ip).
            type: str
          src_port:
            description: As O(virtnet.rss.tap_steering#module:pins[].src_port).
            type: int
          dst_port:
            description: As O(virtnet.rss.tap_steering#module:pins[].dst_port).
            type: int
          l4proto:
            description: As O(virtnet.rss.tap_steering#module:pins[].l4proto).
            type: int
          vlan:
            description: As O(virtnet.rss.tap_steering#module:pins[].vlan).
            type: int
          vlan_pcp:
            description: As O(virtnet.rss.tap_steering#module:pins[].vlan_pcp).
            type: int
          dscp:
            description: As O(virtnet.rss.tap_steering#module:pins[].dscp).
            type: int
          queue:
            description: As O(virtnet.rss.tap_steering#module:pins[].queue).
            type: int
            required: true
      hash_key:
        description: As O(virtnet.rss.tap_steering#module:hash_key).
        type: str
      hash_seed:
        description: As O(virtnet.rss.tap_steering#module:hash_seed).
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
      rebalance:
        description:
          - Whether the service balances the device by its load. Entries of the indirection table move, a few in a
            second, from queues with more than their share to queues with less; the shares are those of
            O(rules[].indirection), whose table has 512 entries then.
          - V(true) for the defaults, or a dictionary with any of V(period) (seconds between two rounds, 1),
            V(threshold) (percent that a queue may have beyond its share, 5), V(idle_ms) (an entry changes its queue
            after so long a silence, so that its packets stay in order, 8), V(deadline_ms) (or after so long without
            one, 1000) and V(dry_run) (only tell what would be moved, V(false)).
          - Without it, or with V(false), the table is the configured one, and the program has nothing of all that.
        type: raw
"""
