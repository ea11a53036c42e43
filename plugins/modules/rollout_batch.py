#!/usr/bin/python
# Copyright (c) 2026, virtnet.rss contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# What plugins/action/rollout_batch.py does: it runs on the controller, so there is nothing to run here.

from __future__ import annotations

DOCUMENTATION = r"""
module: rollout_batch
short_description: Put the answers of a rollout's batch together
version_added: 0.2.0
description:
  - A step of the playbook C(virtnet.rss.rollout), of no use elsewhere. It reads what the hosts of the batch have
    answered to M(virtnet.rss.host_steering), tells it in a few lines, and decides how the rollout goes on.
author:
  - virtnet.rss contributors (@virtnet)
extends_documentation_fragment:
  - virtnet.rss.attributes
attributes:
  check_mode:
    support: full
  diff_mode:
    support: none
options:
  after:
    description: What the hosts have just done.
    type: str
    required: true
    choices: [begin, judge, back]
  report:
    description:
      - Where the pages of before and after are written when the rollout ends, without V(-before.html) and the like;
        empty for nowhere.
    type: str
    default: ""
  serial:
    description: What the play has as C(serial), from which it is told when the rollout will be over.
    type: list
    elements: raw
    default: [1]
  waits:
    description: Seconds that a batch in which something changes waits.
    type: float
    default: 0
"""

EXAMPLES = r"""
- name: Compare the batch
  virtnet.rss.rollout_batch:
    after: judge
  run_once: true
  register: rollout_compared
"""

RETURN = r"""{}"""
