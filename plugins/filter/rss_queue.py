# Copyright (c) 2026, virtnet.rss contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: rss_queue
short_description: Queue on which a flow lands
version_added: 0.1.0
author:
  - virtnet.rss contributors (@virtnet)
description:
  - Predicts what a steering program does with a flow, from the same words that M(virtnet.rss.tap_steering) takes.
options:
  _input:
    description: The flow, a dictionary of C(src), C(dst) and, for C(proto) V(tcp) or V(udp), C(sport) and C(dport).
    type: dict
    required: true
  config:
    description:
      - A dictionary of C(hash_key), C(indirection) (a list of queues, or C(equal), C(weight), C(table), C(start),
        C(size)), and, where they are not the defaults of M(virtnet.rss.tap_steering), C(hash_types), C(default_queue),
        C(redirect).
    type: dict
    required: true
seealso:
  - plugin: virtnet.rss.tap_steering
    plugin_type: module
"""

EXAMPLES = r"""
- name: On which of four queues does this flow land?
  ansible.builtin.debug:
    msg: "{{ (flow | virtnet.rss.rss_queue(config)).queue }}"
  vars:
    flow: {src: 192.0.2.1, sport: 40000, dst: 198.51.100.2, dport: 443, proto: tcp}
    config:
      hash_key: "{{ 'rack-7' | virtnet.rss.rss_key }}"
      indirection: {equal: 4}
"""

RETURN = r"""
_value:
  description: A dictionary of C(hash_type) and C(hash), both V(null) for what is not hashed, and C(queue).
  type: dict
"""

import typing as t

from ansible.errors import AnsibleFilterError

from ansible_collections.virtnet.rss.plugins.module_utils._errors import InputError
from ansible_collections.virtnet.rss.plugins.module_utils._rss.flow import steer_flow
from ansible_collections.virtnet.rss.plugins.module_utils._rss.words import config_from


def rss_queue(value: object, config: object) -> dict[str, t.Any]:
    """Hash type, hash and queue of a flow."""
    try:
        steered = steer_flow(value, config_from(config))
    except (InputError, TypeError, ValueError) as exc:
        raise AnsibleFilterError(f"rss_queue: {exc}") from exc
    return {
        "hash_type": steered.hash_type,
        "hash": steered.hash,
        "queue": steered.queue,
        "header": steered.header,
        "pin": steered.pin,
    }


class FilterModule:
    """The filter of this file."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        return {"rss_queue": rss_queue}
