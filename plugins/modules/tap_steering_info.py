#!/usr/bin/python
# Copyright (c) 2026, virtnet.rss contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: tap_steering_info
short_description: See what steers the packets of guests
version_added: 0.1.0
description:
  - Tells for each TAP device of a host which program steers it, since when and by whom, how it is configured, how many
    packets it sent to which queue, and who in the end chooses the queue that the guest sees.
  - The answer is the kernel's. Linux has no call that tells which program steers a TAP device; this module reads it
    from the C(tun) driver with a BPF iterator, where the kernel has type information (BTF), and infers it from the
    loaded programs where it has not.
  - What cannot be known is V(unknown), with the reason.
  - Changes nothing, and opens no device.
requirements:
  - root, or CAP_SYS_ADMIN and CAP_SYS_PTRACE; with less, more is V(unknown)
  - libbpf 0.3 or newer on the hypervisor
author:
  - virtnet.rss contributors (@virtnet)
extends_documentation_fragment:
  - virtnet.rss.attributes
attributes:
  check_mode:
    support: full
    details:
      - Changes nothing, in check mode or out of it.
  diff_mode:
    support: none
options:
  taps:
    description:
      - Names of TAP devices, or shell patterns such as V(vnet*). The default is all of them.
      - A name that does not exist is an error, a pattern that matches nothing a warning.
    type: list
    elements: str
    default: ["*"]
  netns:
    description:
      - The network namespace to look at. Its name, as C(ip netns) lists it; a path that begins with a slash; the number
        of a process that is in it; or its inode, as C(lsns -t net) lists it.
      - V(all) looks at every one, those that have no name and belong to a container included.
      - The default is the namespace in which the module runs.
    type: str
  domain:
    description:
      - Only devices of the guest with this name (libvirt's domain), or a shell pattern, as far as QEMU's arguments tell
        it.
    type: str
    version_added: 0.2.0
  mac:
    description:
      - Only the device whose card has this address in the guest, or a shell pattern. In quotes, for YAML makes a number
        of some addresses.
    type: str
    version_added: 0.2.0
  measure:
    description:
      - Watch the attached programs for this many seconds, and tell how many packets each was asked about and what one
        cost. V(0) does not.
      - Switches the kernel's BPF statistics on for that time, which costs each BPF program of the host some nanoseconds
        a run.
    type: float
    default: 0.0
  observe:
    description:
      - Watch the packets for each guest for this many seconds, and tell on which queue each arrived and on which one it
        would have, had the device been steered; for a steered device, how many took the queue that its program names.
        V(0) does not.
      - A device that is not steered is asked with the defaults of M(virtnet.rss.tap_steering) and a random key, a
        steered one with its own configuration.
      - The kernel copies the description of each packet for that time, which costs the host about a microsecond a
        packet. No packet is kept, and the devices are not touched. With O(measure) as well, one comes after the other.
    type: float
    default: 0.0
    version_added: 0.2.0
seealso:
  - module: virtnet.rss.tap_steering
  - module: virtnet.rss.capability_facts
"""

EXAMPLES = r"""
- name: What is steering my guests?
  virtnet.rss.tap_steering_info:
    netns: all
  register: guests

- name: What steers the cards of the web servers?
  virtnet.rss.tap_steering_info:
    domain: "web-*"

- name: Name the devices that are not steered
  ansible.builtin.debug:
    msg: "{{ item.name }} is {{ item.state }} {{ item.reason }}"
  loop: "{{ guests.taps | rejectattr('state', 'equalto', 'steered') }}"
  loop_control:
    label: "{{ item.name }}"

- name: Which guests would gain from steering?
  virtnet.rss.tap_steering_info:
    netns: all
    observe: 5
  register: guests

- name: Name them, and what to do
  ansible.builtin.debug:
    msg: "{{ item.name }}: {{ item.observed.advice }}"
  loop: "{{ guests.taps | selectattr('observed.verdict', 'equalto', 'steer') }}"
  loop_control:
    label: "{{ item.name }}"

- name: See the program of one guest at work for two seconds
  virtnet.rss.tap_steering_info:
    taps: [vnet0]
    measure: 2
"""

RETURN = r"""
exact:
  description: Whether the kernel told exactly which program steers which device; otherwise it is inferred.
  returned: success
  type: bool
  sample: true
exact_reason:
  description: Why it did not.
  returned: success
  type: str
  sample: ""
taps:
  description: One element for each device.
  returned: success
  type: list
  elements: dict
  sample:
    - name: vnet0
      netns: ""
      netns_inode: 4026531840
      ifindex: 7
      domain: web-1
      interface: 0
      mac: "52:54:00:12:34:56"
      flags: [tap, no_pi, vnet_hdr, multi_queue]
      queues: 4
      disabled_queues: 0
      holders:
        - {pid: 1204, command: qemu-system-x86, descriptors: [31, 32, 33, 34]}
      state: steered
      reason: ""
      program:
        id: 229
        name: virtnet_rss
        tag: 5608f5ebae52e13d
        owner: virtnet.rss
        reads: direct
        loaded_at: "2026-11-24T04:00:00Z"
        uid: 0
        user: root
      config:
        hash_types: [ipv4, tcpv4, udpv4, ipv6, tcpv6, udpv6, sctp, udplite, dccp, esp, ah]
        tunnel_types: [gre_2784, gre_2890, gre_7676, ipip, nvgre, ip6tnl, mpls, pppoe]
        tunnel_ports: {}
        symmetric: false
        pins: []
        hash_key: "SHA256:2f1e..."
        indirection: {equal: 4, start: 0, size: 128}
        default_queue: 0
        redirect: true
        statistics: true
      implementation: {decides: ebpf, reason: "", vhost: true, rss: false, hash: false}
      traffic: {to_guest: 4000, from_guest: 3120, dropped: 0}
      counters:
        packets: 4000
        queues: [1012, 985, 1001, 1002]
        hash_types: {none: 4, ipv4: 0, tcpv4: 2000, udpv4: 1996}
        spread: 1.012
        excess: 1.012
      measured: {seconds: 2.0, packets: 3812, arrived: 3812, nanoseconds_per_packet: 61.4}
      hints: []
      observed:
        seconds: 5.0
        packets: 12840
        now: {queues: [3208, 3219, 3201, 3212], spread: 1.003}
        steered: {queues: [3208, 3219, 3201, 3212], spread: 1.003, hash_types: {none: 40, ipv4: 0, tcpv4: 5120}}
        agreed: 12840
        both_ways: 0
        unseen: 0
        protocols: {tcp/ipv4: 5120, udp/ipv4: 2560, arp: 40}
        verdict: keep
        words: {}
        advice: "steered: 100 % of the packets took the queue that its program names, the busiest 25 %"
  contains:
    name: {description: Name of the device., type: str}
    netns:
      description:
        - Name of its network namespace; C(ns:INODE) for one without a name, empty for the one in which the module ran.
      type: str
    netns_inode: {description: "Inode of its network namespace, as C(lsns -t net) prints it.", type: int}
    ifindex: {description: Index of the device in its namespace., type: int}
    domain:
      description: "Name of the guest (libvirt's domain), from QEMU's arguments; empty where they do not tell it."
      type: str
      version_added: 0.2.0
    interface:
      description: Index of the network card in its guest, from 0.
      type: int
      version_added: 0.2.0
    mac: {description: Address of that card., type: str, version_added: 0.2.0}
    flags: {description: "Flags of the device, as C(ip tuntap) prints them.", type: list, elements: str}
    queues: {description: Attached queues (those that the guest has enabled)., type: int}
    disabled_queues: {description: Queues that the guest has not enabled., type: int}
    holders:
      description: The processes that have queues of the device open.
      type: list
      elements: dict
      contains:
        pid: {description: Process id., type: int}
        command: {description: Name of the process., type: str}
        descriptors: {description: "Its descriptors of the device, one for each queue.", type: list, elements: int}
    state:
      description: V(steered) by this collection, V(automatic) selection, V(foreign) program, or V(unknown).
      type: str
    reason: {description: Why the state is unknown., type: str}
    program:
      description: The program that is attached.
      type: dict
      contains:
        id: {description: Its id., type: int}
        name: {description: Its name., type: str}
        tag: {description: The digest of its instructions., type: str}
        owner: {description: "V(virtnet.rss), V(qemu) or V(other).", type: str}
        reads:
          description:
            - How one of this collection reads packets, V(direct) or V(helper). See C(direct_reads) of
              M(virtnet.rss.capability_facts).
          version_added: 0.2.0
          type: str
        loaded_at: {description: "When it was loaded (UTC, ISO 8601).", type: str}
        uid: {description: The user who loaded it., type: int}
        user: {description: "The name of that user, where there is one.", type: str}
    config:
      description:
        - The options of M(virtnet.rss.tap_steering) that give this program; the key as a fingerprint. C(rebalance) is
          there where entries of the table can move, and the table is the one that it began with.
      type: dict
    implementation:
      description: Who chooses the queue that the guest sees.
      type: dict
      contains:
        decides:
          description:
            - V(ebpf) is the attached program, V(automatic) the driver's automatic selection.
            - V(unknown) when it cannot be told, with the reason. The usual one is a QEMU with C(rss=on) and
              C(vhost=off) that has no program of its own. Once its guest enables RSS, QEMU sorts the packets again in
              software (QEMU's documentation calls it C(in-qemu)), whatever is attached to the device; that leaves no
              trace outside.
          type: str
        reason: {description: "Why it cannot be told, or what to know about it.", type: str}
        vhost: {description: Whether the packets go through the kernel's vhost-net; null when unknown., type: bool}
        rss: {description: The C(rss) switch of QEMU's device; null when unknown or no QEMU holds it., type: bool}
        hash: {description: The C(hash) switch of QEMU's device., type: bool}
    traffic:
      description: Packets since the device was made.
      type: dict
      contains:
        to_guest: {description: Packets that were put into its queues., type: int}
        from_guest: {description: Packets that its holder sent., type: int}
        dropped: {description: "Packets for the guest that were dropped, mostly because a queue was full.", type: int}
    counters:
      description: Packets since the program was attached; null for other programs, and with C(statistics=false).
      type: dict
      contains:
        packets: {description: All packets., type: int}
        queues:
          description:
            - Packets for each queue, as the program numbers them. None of these falls while the program is attached.
            - Where the guest has enabled fewer queues, the driver takes the number modulo those; C(spread) and
              C(excess) are of the queues that the packets took.
          type: list
          elements: int
        hash_types: {description: Packets for each hash type; C(none) are those that were not hashed., type: dict}
        by_queue: {description: The same for each queue as the program numbers them., type: list, elements: dict}
        spread:
          description: The busiest queue over the mean. 1 is even; the number of queues is everything on one of them.
          type: float
        excess:
          description:
            - How many times its part of the indirection table the queue got that got most beyond it; V(1) is as it is
              wanted, also where a table gives some queues more than others.
          type: float
          version_added: 0.2.0
    measured:
      description: What the program did while it was watched; null without O(measure).
      type: dict
      contains:
        seconds: {description: The time., type: float}
        packets: {description: Packets that the driver asked the program about., type: int}
        arrived: {description: Packets that the guest got in that time., type: int, version_added: 0.2.0}
        nanoseconds_per_packet: {description: What one cost., type: float}
    hints:
      description:
        - Sentences, which are warnings of the task as well. One tells of a poor spread whose packets have nothing but
          addresses to be told apart by, with the words that may be missing.
        - Another, with O(measure), of packets that reached the guest past the program, as XDP of the host sends them.
      type: list
      elements: str
      version_added: 0.2.0
    observed:
      description: What became of the packets that were watched; null without O(observe).
      type: dict
      version_added: 0.2.0
      contains:
        seconds: {description: The time., type: float}
        packets: {description: Packets for the guest., type: int}
        now:
          description: The queues that they took.
          type: dict
          contains:
            queues: {description: Packets for each enabled queue., type: list, elements: int}
            spread: {description: The busiest queue over the mean; null without packets., type: float}
        steered:
          description: The queues that a steering program would have given the very same packets.
          type: dict
          contains:
            queues: {description: Packets for each enabled queue., type: list, elements: int}
            spread: {description: The busiest queue over the mean; null without packets., type: float}
            hash_types: {description: "Packets for each hash type; C(none) are those that are not hashed.", type: dict}
        agreed: {description: Packets for which both are the same queue., type: int}
        both_ways:
          description:
            - Packets of connections of which both directions came to the guest, as they do to one that forwards (a
              router, a firewall, a load balancer) or listens for others. Such a guest may want C(symmetric) among
              RV(taps[].observed.words).
            - A connection is what the configuration hashes, the inner packet of a tunnel that it looks into. 4096 of
              them are followed; where there are more, those stand for all.
          type: int
        unseen:
          description:
            - Packets that reached the guest beside these. Those that the host's XDP redirects into the device go past
              any selection of a queue; others had waited in the queues before.
          type: int
        protocols: {description: "Packets for each protocol, the most first.", type: dict}
        verdict:
          description:
            - V(steer) where it pays, V(leave) where it does not, V(keep) a steering that works, V(change) it to other
              words, V(look) at a device whose packets do not take the queue that its program names, V(unknown) when
              there were too few packets or something was in the way.
          type: str
        words:
          description:
            - Options of M(virtnet.rss.tap_steering) to add.
            - O(virtnet.rss.tap_steering#module:symmetric) does not make the spread better. It is there where
              RV(taps[].observed.both_ways) is a tenth of the packets or more, for a guest that needs both directions of
              a connection on one queue.
          type: dict
        advice: {description: The same in one sentence., type: str}
"""

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.virtnet.rss.plugins.module_utils._module.tap_steering_info import (
    create_argument_spec,
    run_module,
)


def main() -> None:
    run_module(AnsibleModule(argument_spec=create_argument_spec(), supports_check_mode=True))


if __name__ == "__main__":
    main()
