#!/usr/bin/python
# Copyright (c) 2026, virtnet.rss contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: capability_facts
short_description: Find out what a host can do for the steering of TAP devices
version_added: 0.1.0
description:
  - Tells whether M(virtnet.rss.tap_steering) can steer on this host, and if not, what is missing.
  - Each feature of the kernel is probed by doing something tiny with it, since distributions port features back and
    security settings take them away. The kernel's version is told beside it and decides nothing.
  - An answer is V(yes), V(no) or V(unknown), with a sentence that says what it rests on. What a process may not try is
    V(unknown), never V(no). So an unprivileged user gets an answer too, with more that is unknown.
  - A host that can do nothing is an answer, not a failure.
notes:
  - The probes run in child processes and leave nothing behind. The TAP device that one of them makes is in a network
    namespace of its own.
  - Opening C(/dev/net/tun), as one probe does, lets the kernel load the C(tun) module.
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
  facts:
    description: Returns an C(ansible_facts) dictionary that updates the facts of the host.
    support: full
seealso:
  - module: virtnet.rss.tap_steering
options: {}
"""

EXAMPLES = r"""
- name: Find out what the host can do
  virtnet.rss.capability_facts:

- name: Steer where that is possible
  virtnet.rss.tap_steering:
    taps: ["vnet*"]
  when: ansible_facts.virtnet_rss.supported

- name: Tell why not where it is not
  ansible.builtin.debug:
    var: ansible_facts.virtnet_rss.reasons
  when: not ansible_facts.virtnet_rss.supported
"""

RETURN = r"""
ansible_facts:
  description: What was found out.
  returned: always
  type: dict
  contains:
    virtnet_rss:
      description: The facts of this collection.
      returned: always
      type: dict
      sample:
        supported: true
        reasons: []
        kernel: {release: 6.1.0-28-amd64, version: 6.1.0, minimum: "5.8", meets_minimum: true}
        features:
          bounded_loops:
            answer: "yes"
            sentence: the steering program, which has loops, was loaded
            minimum_kernel: "5.3"
            reason: 'commit 2589726d12a1 ("bpf: introduce bounded loops")'
        libbpf: {present: true, version: "1.1", path: /usr/lib/x86_64-linux-gnu/libbpf.so.1.1.2, reason: ""}
        pyroute2: {present: true, version: 0.7.2}
        capabilities:
          effective: [CAP_BPF, CAP_NET_ADMIN, CAP_PERFMON, CAP_SYS_ADMIN, CAP_SYS_PTRACE]
          missing: []
        memlock: {soft: 8388608, hard: unlimited}
        lockdown: none
        jit: enabled
        unprivileged_bpf_disabled: "yes"
      contains:
        supported:
          description:
            - Whether M(virtnet.rss.tap_steering) can load, prove and attach a program here, run as this user.
            - False as well when that cannot be told.
          type: bool
        reasons:
          description:
            - One sentence for each thing that is missing for it, then for each that is done in another way.
            - Empty when nothing is.
          type: list
          elements: str
        kernel:
          description: The running kernel, as it calls itself.
          type: dict
          contains:
            release: {description: "As C(uname -r) prints it.", type: str}
            version: {description: The numbers at its beginning., type: str}
            minimum: {description: The oldest version that the collection is made for., type: str}
            meets_minimum: {description: Whether the version is not older than that., type: bool}
        features:
          description:
            - By name. RV(ansible_facts.virtnet_rss.supported) rests on C(bpf_syscall), C(socket_filter_load),
              C(bounded_loops), C(test_run) and C(steering_ioctl).
            - C(task_file_iterator) is how the program of a device is told exactly; it needs C(btf_vmlinux) and
              C(btf_tun). C(pidfd_getfd) is how the device of a running guest is reached without disturbing it.
            - C(direct_reads) makes the program twice as fast; without it packets are read by a helper call. Since
              virtnet.rss 0.2.0.
          type: dict
          contains:
            bpf_syscall: &feature
              description: The answer of one probe. All features have the same keys.
              type: dict
              contains:
                answer: {description: "V(yes), V(no) or V(unknown).", type: str}
                sentence: {description: What the answer rests on., type: str}
                minimum_kernel: {description: "The version that has it, unless it was ported back.", type: str}
                reason: {description: The upstream change that brought it., type: str}
            socket_filter_load: *feature
            bounded_loops: *feature
            test_run: *feature
            direct_reads: *feature
            task_file_iterator: *feature
            btf_vmlinux: *feature
            btf_tun: *feature
            steering_ioctl: *feature
            pidfd_getfd: *feature
        libbpf:
          description: The library that loads BPF programs.
          type: dict
          contains:
            present: {description: Whether it was found and is usable., type: bool}
            version: {description: Its version., type: str}
            path: {description: Where it was found., type: str}
            reason: {description: "Why it is not there, or not usable.", type: str}
        pyroute2:
          description: The Python library that some other modules of this collection need.
          type: dict
          contains:
            present: {description: Whether the Python that runs the modules has it., type: bool}
            version: {description: "Its version, where that can be told.", type: str}
        capabilities:
          description: Of the capabilities that the collection uses.
          type: dict
          contains:
            effective: {description: Those that this process has., type: list, elements: str}
            missing:
              description: Those that it has not. CAP_BPF and CAP_PERFMON are not missing where CAP_SYS_ADMIN is there.
              type: list
              elements: str
        memlock:
          description: RLIMIT_MEMLOCK, which limits BPF maps before Linux 5.11.
          type: dict
          contains:
            soft: {description: "Bytes, or V(unlimited).", type: raw}
            hard: {description: "Bytes, or V(unlimited).", type: raw}
        lockdown:
          description: Kernel lockdown. V(none), V(integrity), V(confidentiality) or V(unknown).
          type: str
        jit:
          description: Whether BPF programs become machine code. V(enabled), V(disabled), V(debug) or V(unknown).
          type: str
        unprivileged_bpf_disabled:
          description: Whether BPF is for privileged processes only. V(yes), V(no) or V(unknown).
          type: str
"""

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.virtnet.rss.plugins.module_utils._module.capability_facts import (
    create_argument_spec,
    run_module,
)


def main() -> None:
    run_module(AnsibleModule(argument_spec=create_argument_spec(), supports_check_mode=True))


if __name__ == "__main__":
    main()
