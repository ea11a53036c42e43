#!/usr/bin/python
# Copyright (c) 2026, virtnet.rss contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: tap_steering
short_description: Attach, replace or detach the steering program of TAP devices
version_added: 0.1.0
description:
  - Chooses on which virtio-net queue each packet of a guest lands (RSS, Receive Side Scaling), by attaching a BPF
    program to the TAP device of the running guest. Neither the guest nor its VMM (QEMU, cloud-hypervisor and others)
    is touched.
  - The program computes the Toeplitz hash of the flow and looks the queue up in an indirection table. It is loaded
    from this collection, proven on the host's kernel with test vectors, then attached in one step; a packet sees the
    old program or the new one, never a mixture.
  - Idempotent by the kernel's own state. There is no state file, and nothing is pinned.
  - When loading, proving or attaching fails, the device falls back as O(fallback) says, and the result tells the
    reason.
  - Consider before you steer. Without a program (automatic selection) the driver returns a flow on the queue that the
    guest sends it from, which suits servers whose connections stay on their CPUs, and spreads what the guest does not
    answer. A steering program gives this up for a spread that does not depend on what the guest sends, which suits
    guests that send from few CPUs, and tunnels with a fixed outer header.
    O(virtnet.rss.tap_steering_info#module:observe) tells beforehand which guests gain.
notes:
  - Steering is not kept over a restart of the guest, and QEMU 7.2 clears it whenever the guest's driver is loaded
    or its channels change. The role P(virtnet.rss.steering#role) installs a service that puts it back.
requirements:
  - Linux 5.8 or newer on the hypervisor
  - libbpf 0.3 or newer on the hypervisor (Debian package C(libbpf1), RHEL package C(libbpf))
  - root, or CAP_BPF, CAP_NET_ADMIN, CAP_PERFMON, CAP_SYS_PTRACE and CAP_SYS_ADMIN
author:
  - virtnet.rss contributors (@virtnet)
extends_documentation_fragment:
  - virtnet.rss.attributes
attributes:
  check_mode:
    support: full
    details:
      - Loads and proves the program as well, without attaching it, so that a fallback is foreseen.
  diff_mode:
    support: full
options:
  taps:
    description:
      - Names or alternative names (C(ip link property)) of TAP devices, or shell patterns such as V(vnet*).
      - A name that does not exist is an error, a pattern that matches nothing a warning.
      - Required unless O(domain) or O(mac) is given; then it is all of them by default.
      - Every device is dealt with by itself. One that cannot be steered as asked is left as it is and told, the others
        are steered; the task fails at its end for one that was named, and warns of one that a pattern matched.
      - On a host where nobody may look at what steers the devices, the task fails and changes nothing, unless
        O(foreign=replace).
    type: list
    elements: str
  netns:
    description:
      - The network namespace that the devices are in.
      - Its name, as C(ip netns) lists it; a path that begins with a slash; the number of a process that is in it; or
        its inode, as C(lsns -t net) lists it and M(virtnet.rss.tap_steering_info) returns it. A name that is a number
        comes first.
      - The default is the namespace in which the module runs.
    type: str
  domain:
    description:
      - Only devices of the guest with this name (libvirt's domain), or a shell pattern, as far as QEMU's arguments tell
        it. A guest that has no such device is an error.
    type: str
    version_added: 0.2.0
  mac:
    description:
      - Only the device whose card has this address in the guest, or a shell pattern. In quotes, for YAML makes a number
        of some addresses.
    type: str
    version_added: 0.2.0
  state:
    description:
      - V(present) attaches the program, or replaces it when anything about it differs.
      - V(absent) detaches it, which gives automatic selection back.
    type: str
    choices: [present, absent]
    default: present
  hash_types:
    description:
      - The kinds of packets that are hashed, and over what. The others go to O(default_queue).
      - With the default of this option and of O(tunnel_types) no protocol is spread less than by automatic selection,
        but for tunnels in tunnels and PPTP. Name virtio's six types and no tunnel for the smallest program.
      - V(tcpv4), V(udpv4), V(tcpv6) and V(udpv6) hash addresses and ports; V(ipv4) and V(ipv6) the addresses of any
        other packet.
      - The V(_ex) types are for IPv6 packets with extension headers; they take the addresses that a home address
        option or a type 2 routing header names. Together with tunnels they make a program slow to load (0.1 s).
      - The others are for both families, and are no types of virtio. They hash addresses and four bytes of the packet.
        V(sctp), V(udplite) and V(dccp) take the ports, V(esp) the SPI, V(ah) the SPI of an IPv4 packet (in IPv6 the
        packet behind the header counts), V(l2tpv3) the session id.
      - V(esp_udp) takes the SPI of ESP in UDP (port 4500), V(gtpu_teid) the tunnel's id of GTP-U (the port that
        O(tunnel_ports.gtpu) says) where the packet inside is not hashed. Without them such packets are plain UDP.
      - V(flow_label) takes the label of an IPv6 packet that has no four bytes otherwise, such as a fragment. A sender
        may change it while a connection lives, and the queue changes with it.
    type: list
    elements: str
    choices:
      - ipv4
      - tcpv4
      - udpv4
      - ipv6
      - tcpv6
      - udpv6
      - ipv6_ex
      - tcpv6_ex
      - udpv6_ex
      - sctp
      - udplite
      - dccp
      - esp
      - ah
      - l2tpv3
      - esp_udp
      - gtpu_teid
      - flow_label
    default: [ipv4, tcpv4, udpv4, ipv6, tcpv6, udpv6, sctp, udplite, dccp, esp, ah]
  tunnel_types:
    description:
      - Tunnels whose inner packet is hashed, one level deep; an empty list for none. A packet in a tunnel that is not
        named is hashed by what is outside.
      - V(gre_2784), V(gre_2890), V(gre_7676), V(gre_udp), V(vxlan), V(vxlan_gpe), V(geneve), V(ipip) and V(nvgre) are
        those of virtio, by its rules. V(gre_2784) is GRE over IPv4 without key and sequence number, V(gre_2890) with
        them, V(gre_7676) GRE with IPv6 inside or outside.
      - V(ip6tnl) is any IP packet in IPv6, and IPv6 in IPv4; V(gtpu), V(etherip), V(mpls) and V(pppoe) are ours too.
        MPLS and PPPoE are no level, a tunnel in them is looked into.
      - A fragment is never looked into. Of a tunnel that carries no IP packet the outer addresses are hashed.
      - Who chooses the inner headers chooses the queue, as far as he knows O(hash_key). Where a single sender fills
        a tunnel with few flows, the outer header may spread better.
    type: list
    elements: str
    choices:
      - gre_2784
      - gre_2890
      - gre_7676
      - gre_udp
      - vxlan
      - vxlan_gpe
      - geneve
      - ipip
      - nvgre
      - gtpu
      - ip6tnl
      - etherip
      - mpls
      - pppoe
    default: [gre_2784, gre_2890, gre_7676, nvgre, ipip, ip6tnl, pppoe, mpls]
    version_added: 0.2.0
  tunnel_ports:
    description: UDP ports of the tunnels, at most two for each.
    type: dict
    version_added: 0.2.0
    suboptions:
      vxlan:
        description: Of V(vxlan).
        type: list
        elements: int
        default: [4789, 8472]
      vxlan_gpe:
        description: Of V(vxlan_gpe).
        type: list
        elements: int
        default: [4790]
      geneve:
        description: Of V(geneve).
        type: list
        elements: int
        default: [6081]
      gre_udp:
        description: Of V(gre_udp).
        type: list
        elements: int
        default: [4754]
      gtpu:
        description: Of V(gtpu) and V(gtpu_teid).
        type: list
        elements: int
        default: [2152]
  symmetric:
    description:
      - Both directions of a flow on one queue, as automatic selection has them, for a guest that forwards or inspects.
        The spread is no better for it. The end with the smaller address is hashed first, of equal addresses the one
        with the smaller port, so it needs no special key; this is not the symmetric-xor of C(ethtool).
      - SPI, session id, tunnel's id and flow label differ by direction. Packets that are hashed over one of these take
        the addresses alone.
    type: bool
    default: false
    version_added: 0.2.0
  pins:
    description:
      - Rules that send matching packets to a queue, in the words of C(ethtool -N). The first that matches decides,
        before anything is hashed; everything that a rule names must be so.
      - They look at the outer packet, in front of any tunnel, but behind labels of MPLS and the header of PPPoE where
        O(tunnel_types) has these.
    type: list
    elements: dict
    default: []
    version_added: 0.2.0
    suboptions:
      flow_type:
        description: V(ether) is any packet, V(ip4) and V(ip6) any protocol, the others one protocol.
        type: str
        choices: [ether, ip4, tcp4, udp4, sctp4, ip6, tcp6, udp6, sctp6]
        default: ether
      src_ip:
        description: Source address, with a prefix length or without.
        type: str
      dst_ip:
        description: Destination address, with a prefix length or without.
        type: str
      src_port:
        description: Source port. Packets without readable ports, such as fragments, have port 0.
        type: int
      dst_port:
        description: Destination port.
        type: int
      l4proto:
        description: Number of the protocol, for V(ip4) and V(ip6).
        type: int
      vlan:
        description: VLAN of the outermost tag.
        type: int
      vlan_pcp:
        description: Priority of the outermost tag.
        type: int
      dscp:
        description: Differentiated services code point, from 0 to 63.
        type: int
      queue:
        description: The queue.
        type: int
        required: true
  hash_key:
    description:
      - The 40 bytes of the hash key in hexadecimal, with or without colons, as C(ethtool -x) prints it.
      - Without it, an attached program keeps its key, and a new one gets a random key.
      - Keep it secret. Who knows it can choose flows that all land on one queue. Results and diffs show its SHA-256
        fingerprint.
    type: str
  hash_seed:
    description:
      - Instead of O(hash_key), a secret text of at least 16 letters. Each device gets a key of its own, made of it and
        of what belongs to its guest, which is the MAC address of its network card where that is known, else libvirt's
        domain and the card's number, else the device's name.
      - So a key stays when a program is put back, and when the guest starts again or migrates, and no two guests share
        one. A guest can learn its own key, by sending itself packets and noting their queues.
    type: str
    version_added: 0.2.0
  indirection:
    description:
      - The indirection table, in the words of C(ethtool -X). The default is V(equal) over the queues that the guest
        has, enabled or not.
      - At most one of O(indirection.equal), O(indirection.weight) and O(indirection.table).
    type: dict
    suboptions:
      equal:
        description: Spread over this many queues in turn.
        type: int
      weight:
        description: One weight for each queue, its share of the table. A queue with a weight has an entry at least.
        type: list
        elements: int
      table:
        description: The queues themselves. Their number is a power of two, up to 512; O(indirection.size) is not used.
        type: list
        elements: int
      start:
        description: The first queue, for O(indirection.equal), O(indirection.weight) and the default.
        type: int
        default: 0
      size:
        description:
          - Length of the table, a power of two up to 512.
          - The default is the power of two at or above four times the queues that are named, from 128 to 512.
        type: int
  allow_future_queues:
    description:
      - Permit a table that names queues which are not attached yet.
      - Until they are, the driver takes such a queue modulo the number of attached ones.
    type: bool
    default: false
  default_queue:
    description: Queue of the packets that are not hashed, such as ARP.
    type: int
    default: 0
  redirect:
    description: V(false) sends every packet to O(default_queue).
    type: bool
    default: true
  statistics:
    description: Count packets by queue and by hash type, in the kernel.
    type: bool
    default: true
  foreign:
    description:
      - What to do with a device that is steered by a program which this collection did not attach, for example QEMU's
        own.
      - A device of which it cannot be told what steers it counts as foreign.
    type: str
    choices: [keep, replace, fail]
    default: keep
  fallback:
    description:
      - What to do when loading, proving or attaching the program fails.
      - V(disable) detaches what is there; automatic selection takes over, and the task succeeds and says so.
      - V(keep) leaves what is there; the task succeeds and says so.
      - V(fail) leaves what is there, and the task fails.
    type: str
    choices: [disable, keep, fail]
    default: disable
  verify:
    description: Run test vectors through the program on the host's kernel before it is attached.
    type: bool
    default: true
"""

EXAMPLES = r"""
- name: Spread the packets of all guests over the queues that they have
  virtnet.rss.tap_steering:
    taps: ["vnet*"]

- name: Steer the cards of one guest, whatever its devices are called now
  virtnet.rss.tap_steering:
    domain: web-1

- name: See what would change, and why, without changing it
  virtnet.rss.tap_steering:
    taps: ["vnet*"]
  check_mode: true
  diff: true

- name: Give the first two of four queues three quarters of the traffic
  virtnet.rss.tap_steering:
    taps: [tap-web1]
    indirection:
      weight: [3, 3, 1, 1]
    hash_key: "{{ (vault_rss_seed ~ 'rack-7') | virtnet.rss.rss_key }}"  # a seed that can be guessed is no secret

- name: Look into VXLAN as well, keep both directions of a flow together, and give SSH a queue of its own
  virtnet.rss.tap_steering:
    taps: [tap-fw1]
    tunnel_types: [gre_2784, gre_2890, gre_7676, nvgre, ipip, ip6tnl, pppoe, mpls, vxlan]
    symmetric: true
    indirection:
      equal: 3
    pins:
      - {flow_type: tcp4, dst_port: 22, queue: 3}
      - {flow_type: tcp6, dst_port: 22, queue: 3}

- name: Give the device back to automatic selection
  virtnet.rss.tap_steering:
    taps: [tap-web1]
    state: absent
"""

RETURN = r"""
taps:
  description: One element for each device, in the order of the option.
  returned: success, and on failure of a fallback
  type: list
  elements: dict
  sample:
    - name: vnet0
      netns: ""
      ifindex: 7
      queues: 4
      disabled_queues: 0
      state: steered
      action: attach
      changed: true
      verified: true
      reached: copied
      reason: ""
      fallback: null
      program: {id: 229, name: virtnet_rss, tag: 5608f5ebae52e13d, owner: virtnet.rss, reads: direct}
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
      before: {state: automatic, program: null, config: null}
      after: {state: steered}
  contains:
    name: {description: Name of the device., type: str}
    netns: {description: Network namespace as given; empty for the one in which the module ran., type: str}
    ifindex: {description: Index of the device in its namespace., type: int}
    queues: {description: Attached queues (those that the guest has enabled)., type: int}
    disabled_queues: {description: Queues that the guest has not enabled., type: int}
    state:
      description: V(steered) by this collection, V(automatic) selection, V(foreign) program, or V(unknown).
      type: str
    action:
      description:
        - What was done. V(none), V(attach), V(replace), V(detach), V(keep) for a program that is foreign or that cannot
          be told, V(fallback), or V(wait) when nothing can be done now.
      type: str
    changed: {description: Whether this device's steering was changed., type: bool}
    verified: {description: Whether the program was proven on this kernel in this run., type: bool}
    reached:
      description:
        - How the device was reached. V(copied) is a copy of a holder's descriptor, V(opened) a device without a holder.
        - V(joined) is the last resort where copying is forbidden or the holder cannot be seen; the device had one more
          queue for an instant, which a warning tells.
      type: str
    reason: {description: "Why nothing was done, or why the state is unknown.", type: str}
    program:
      description:
        - The steering program as C(bpftool prog show) knows it, and since virtnet.rss 0.2.0 how one of this collection
          reads packets. C(reads) is V(direct), V(helper) where the kernel has no direct reads, or
          V(null) for a foreign program.
      type: dict
    config:
      description: What the steering program computes from, in the words of the options; the key as its fingerprint.
      type: dict
    before: {description: "State, program and configuration before.", type: dict}
    after: {description: The same afterwards; in check mode what it would be., type: dict}
    fallback:
      description: V(null), or why the device is not steered as asked.
      type: dict
      contains:
        stage: {description: "V(load), V(prove), V(attach) or V(detach).", type: str}
        reason: {description: One sentence., type: str}
        errno: {description: "The error number of the kernel or libbpf, if there was one.", type: int}
        verifier_log: {description: All that the kernel's verifier said., type: str}
fallback:
  description: Whether any device fell back.
  returned: success, and on failure of a fallback
  type: bool
"""

from ansible_collections.virtnet.rss.plugins.module_utils._module.guarded import GuardedModule
from ansible_collections.virtnet.rss.plugins.module_utils._module.tap_steering import create_argument_spec, run_module


def main() -> None:
    run_module(
        GuardedModule(
            argument_spec=create_argument_spec(),
            required_one_of=[("taps", "domain", "mac")],
            supports_check_mode=True,
        )
    )


if __name__ == "__main__":
    main()
