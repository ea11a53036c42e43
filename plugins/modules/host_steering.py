#!/usr/bin/python
# Copyright (c) 2026, virtnet.rss contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: host_steering
short_description: Keep the guests of a whole host steered
version_added: 0.2.0
description:
  - Brings a hypervisor to the wanted state in one run. Writes the policy, the program C(virtnet-rss) and its systemd
    unit, starts the service or restarts it where that is needed, waits until every device is as the policy wants it,
    and tells what became of each.
  - Without O(rules), the policy steers libvirt's guests, which are C(vnet*).
  - Where the distribution's package C(virtnet-rss) is installed, its program and unit are used and never written. The
    policy is written, and a unit over the package's only for O(metrics_file), O(measure) or another O(folder). A
    program that an earlier run has installed makes way. A O(program) of one's own choice is installed all the same.
  - It keeps what was there before the last change, and a record of what that change touched. V(state=previous) undoes
    it.
  - The role P(virtnet.rss.steering#role) and the playbooks C(virtnet.rss.rollout), C(virtnet.rss.rollback) and
    C(virtnet.rss.audit) are made of it.
requirements:
  - Python 3.8 or newer, as C(/usr/bin/python3)
  - libbpf 0.3 or newer (P(virtnet.rss.steering#role) installs it)
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
options:
  state:
    description:
      - V(present) brings the host to the wanted state.
      - V(previous) undoes the last change. A host that was new to the service loses everything with O(remove), or where
        O(rollout) made that change, and else stays as it is.
      - V(absent) stops and removes all of it, and gives every device back to automatic selection. Of a package it stops
        and disables the service and removes the policy; the package stays. Files of others in O(folder) stay, and are
        named in a warning.
      - V(look) changes nothing and tells everything that an audit asks.
    type: str
    choices: [present, previous, absent, look]
    default: present
  step:
    description:
      - With V(state=present), the whole or one step of a rollout.
      - V(begin) tells what would change, and where something would, notes how the guests fare before it.
      - V(change) makes the change. The host knows from then on that it has no verdict yet.
      - V(judge) compares how the guests fare now, and ends the rollout on a host that is no worse off.
    type: str
    choices: [all, begin, change, judge]
    default: all
  required:
    description:
      - Fail on a host that cannot steer, before anything is changed.
      - One where nothing but libbpf is missing is told in RV(missing), and fails with O(incomplete) only.
    type: bool
    default: false
  incomplete:
    description:
      - Go on where libbpf is missing. Without this, such a host is told in RV(missing) and nothing is changed.
    type: bool
    default: false
  metrics_file:
    description:
      - Where the service writes metrics for node_exporter's textfile collector, an absolute path that ends in C(.prom);
        empty for nowhere.
    type: str
    default: ""
  measure:
    description: Have the service measure what the programs cost for a packet, for the metrics.
    type: bool
    default: false
  program:
    description: Where the program is installed.
    type: path
    default: /usr/local/sbin/virtnet-rss
  folder:
    description:
      - Where the policy is; its folder C(policy.d) is what the program reads.
      - An absolute path without blanks, quotes, C(%), C($) and backslashes, as O(program) is.
    type: path
    default: /etc/virtnet-rss
  wait:
    description: Seconds to wait until every device is as the policy wants it.
    type: float
    default: 30.0
  rollout:
    description:
      - Name of the rollout that makes the change. With V(state=previous), undo a change of this name only; without one,
        whatever the last change was.
    type: str
    default: ""
  remove:
    description: With V(state=previous), remove everything where nothing older is kept.
    type: bool
    default: false
  report:
    description: Tell in RV(report) what V(state=look) tells, after the work of this run is done.
    type: bool
    default: false
  spared:
    description: With V(state=previous), ids of programs that keep their devices, besides those from before the change.
    type: list
    elements: int
    default: []
  netns:
    description: The network namespace whose devices are watched and told, or V(all).
    type: str
    default: all
  observe:
    description:
      - With V(state=look), seconds in which the packets of the devices are looked at, as in
        M(virtnet.rss.tap_steering_info).
    type: float
    default: 0.0
  max_drops:
    description: By how much the dropped part of the packets may grow, 0 to 1.
    type: float
    default: 0.001
  max_share:
    description: The most that one of several queues may get of the packets, 0 to 1.
    type: float
    default: 0.9
  max_growth:
    description: By how much the share of the busiest queue may grow, 0 to 1.
    type: float
    default: 0.5
  min_packets:
    description: From how many packets on a share, or their end, is worth talking about.
    type: int
    default: 1000
seealso:
  - module: virtnet.rss.tap_steering
  - module: virtnet.rss.host_policy
"""

EXAMPLES = r"""
- name: Keep libvirt's guests steered on this host
  virtnet.rss.host_steering:
    rules:
      - {name: libvirt guests, match: {device: "vnet*"}}

- name: Back to what was before
  virtnet.rss.host_steering:
    state: previous
"""

RETURN = r"""
parts:
  description: Which of C(policy), C(program) and C(unit) were changed, put back or removed, or would be.
  returned: success, but not with V(state=look) and V(step=judge)
  type: dict
  sample: {policy: true, program: false, unit: false}
devices:
  description: What became of each device that the policy speaks of, as C(virtnet-rss apply --json) tells it.
  returned: success
  type: list
  elements: dict
given_back:
  description: Devices that have automatic selection again.
  returned: success
  type: list
  elements: str
would_change:
  description: Whether the change would change anything.
  returned: with V(step=begin)
  type: bool
pending:
  description: Whether a rollout has changed the host and did not judge it.
  returned: with V(step=begin)
  type: bool
since:
  description: When that was, in UTC.
  returned: with V(step=begin)
  type: str
packaged:
  description: Whether program and unit are those of the distribution's package C(virtnet-rss).
  returned: with V(step=all), where nothing is missing
  type: bool
manual_missing:
  description: Whether man page or completions are not where the role puts them.
  returned: with V(step=all), where nothing is missing
  type: bool
missing:
  description: What has to be installed first; nothing was changed.
  returned: with V(step=all) and V(step=begin), and with V(step=change) where O(incomplete)
  type: list
  elements: str
supported:
  description: Whether this host can steer.
  returned: with V(step=all) and V(step=begin), and with V(step=change) where O(incomplete)
  type: bool
reasons:
  description: A sentence for each thing that it cannot do, or does another way.
  returned: with V(step=all) and V(step=begin), and with V(step=change) where O(incomplete)
  type: list
  elements: str
worse:
  description: A sentence for each guest that is worse off.
  returned: with V(step=judge)
  type: list
  elements: str
judged:
  description: Devices with enough packets to be judged by.
  returned: with V(step=judge)
  type: int
not_judged:
  description: Devices without.
  returned: with V(step=judge)
  type: int
undone:
  description: Whether there was something to go back to.
  returned: with V(state=previous)
  type: bool
report:
  description: What V(state=look) returns.
  returned: with O(report)
  type: dict
facts:
  description: What M(virtnet.rss.capability_facts) tells.
  returned: with V(state=look)
  type: dict
taps:
  description: What M(virtnet.rss.tap_steering_info) tells.
  returned: with V(state=look)
  type: list
  elements: dict
exact:
  description: As in M(virtnet.rss.tap_steering_info).
  returned: with V(state=look)
  type: bool
exact_reason:
  description: As in M(virtnet.rss.tap_steering_info).
  returned: with V(state=look)
  type: str
refused:
  description: Why the policy on the host is refused; empty where it is not.
  returned: with V(state=look)
  type: str
service:
  description: V(running), V(stopped), or empty where there is no unit of it.
  returned: with V(state=look)
  type: str
"""

from ansible_collections.virtnet.rss.plugins.module_utils._module.guarded import GuardedModule
from ansible_collections.virtnet.rss.plugins.module_utils._module.host_steering import create_argument_spec, run_module


def main() -> None:
    run_module(GuardedModule(argument_spec=create_argument_spec(), supports_check_mode=True))


if __name__ == "__main__":
    main()
