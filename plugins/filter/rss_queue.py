# Copyright (c) 2026, virtnet.rss contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: rss_queue
short_description: Queue on which a flow or a frame lands
version_added: 0.1.0
author:
  - virtnet.rss contributors (@virtnet)
description:
  - Predicts what a steering program does with a packet, from the same words that M(virtnet.rss.tap_steering) takes.
options:
  _input:
    description:
      - A flow, a dictionary of C(src) and C(dst), of C(proto) by name or number, and of C(sport) and C(dport) where the
        protocol has ports.
      - Where the configuration looks at them, also C(spi) (ESP, AH, ESP in UDP), C(session) (L2TPv3), C(teid) (GTP-U),
        C(flow_label), C(dscp), C(vlan) and C(vlan_pcp). A flow that lacks what decides is refused.
      - Or a whole frame from its Ethernet header on, in hexadecimal digits, as a packet in a tunnel needs.
    type: raw
    required: true
  config:
    description:
      - A dictionary of C(hash_key), C(indirection) (a list of queues, or C(equal), C(weight), C(table), C(start),
        C(size)), and, where they are not the defaults of M(virtnet.rss.tap_steering), C(hash_types), C(tunnel_types),
        C(tunnel_ports), C(symmetric), C(pins), C(default_queue), C(redirect).
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

- name: And this one, with a configuration that looks at the SPI?
  ansible.builtin.debug:
    msg: "{{ (flow | virtnet.rss.rss_queue(config)).hash_type }}"
  vars:
    flow: {src: 192.0.2.1, dst: 198.51.100.2, proto: esp, spi: "0x12345678"}
    config:
      hash_key: "{{ 'rack-7' | virtnet.rss.rss_key }}"
      indirection: {equal: 4}
      hash_types: [ipv4, tcpv4, udpv4, esp]
"""

RETURN = r"""
_value:
  description:
    - A dictionary of C(queue), C(hash_type) and C(hash).
    - C(header) is whose addresses are hashed, V(outer), or V(inner) and the name of the tunnel, such as V(inner vxlan).
    - C(pin) is the number of the pin that takes it, from 0.
    - All but the queue are V(null) where there is none.
  type: dict
"""

import typing as t

from ansible.errors import AnsibleFilterError

from ansible_collections.virtnet.rss.plugins.module_utils._errors import InputError
from ansible_collections.virtnet.rss.plugins.module_utils._rss.flow import frame_from, steer_flow
from ansible_collections.virtnet.rss.plugins.module_utils._rss.hashing import steer
from ansible_collections.virtnet.rss.plugins.module_utils._rss.words import config_from


def rss_queue(value: object, config: object) -> dict[str, t.Any]:
    """Hash type, hash, queue, header and pin of a flow or a frame."""
    try:
        rss = config_from(config)
        steered = steer(frame_from(value), rss) if isinstance(value, str) else steer_flow(value, rss)
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
