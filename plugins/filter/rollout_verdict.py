# Copyright (c) 2026, virtnet.rss contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: rollout_verdict
short_description: Tell whether a change made things worse for guests
version_added: 0.1.0
author:
  - virtnet.rss contributors (@virtnet)
description:
  - Compares two time windows of the same length, one from before a change and one from after it, by the packets that
    reached a guest, by those that were dropped on the way, and by the share of its busiest queue. The playbook
    C(virtnet.rss.rollout) goes on when nothing is worse.
options:
  _input:
    description: Two results of M(virtnet.rss.tap_steering_info), from the beginning and the end of the window after it.
    type: list
    elements: dict
    required: true
  before:
    description: The same of the window before the change.
    type: list
    elements: dict
    required: true
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
"""

EXAMPLES = r"""
- name: Look at the guests, twice, as a window before the change
  virtnet.rss.tap_steering_info:
    taps: ["vnet*"]
  register: before
  loop: [begin, end]
  loop_control:
    pause: 5

- name: Change something
  virtnet.rss.tap_steering:
    taps: ["vnet*"]

- name: Look at them twice again, as a window after it
  virtnet.rss.tap_steering_info:
    taps: ["vnet*"]
  register: after
  loop: [begin, end]
  loop_control:
    pause: 5

- name: Stop when guests are worse off
  ansible.builtin.assert:
    that: worse == []
    fail_msg: "{{ worse }}"
  vars:
    worse: "{{ after.results | virtnet.rss.rollout_verdict(before.results) }}"
"""

RETURN = r"""
_value:
  description: A sentence for each device that is worse off.
  type: list
  elements: str
"""

import typing as t

from ansible.errors import AnsibleFilterError

from ansible_collections.virtnet.rss.plugins.module_utils._errors import InputError
from ansible_collections.virtnet.rss.plugins.module_utils._verdict import rollout_verdict


def _filter(value: t.Any, before: t.Any, **limits: t.Any) -> list[str]:
    try:
        return rollout_verdict(value, before, **limits)
    except (InputError, TypeError, KeyError) as exc:
        raise AnsibleFilterError(f"rollout_verdict: {exc}") from exc


class FilterModule:
    """The filter of this file."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        """By name."""
        return {"rollout_verdict": _filter}
