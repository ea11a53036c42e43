# Copyright (c) 2026, virtnet.rss contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to the collection: every option of virtnet.rss.tap_steering, once. The module's argument spec, the rules of a
# policy and host_policy's spec of them are made of this; the documentation is compared with it
# (tests/unit/plugins/module_utils/_steering/test_options.py).

from __future__ import annotations

from ansible_collections.virtnet.rss.plugins.module_utils._balance.options import REBALANCE
from ansible_collections.virtnet.rss.plugins.module_utils._rss.option import Option
from ansible_collections.virtnet.rss.plugins.module_utils._rss.options import RSS_OPTIONS

__all__ = ("OPTIONS", "RULE_OPTIONS")

# What a task and a rule of a policy both say.
STEERING = {
    **RSS_OPTIONS,
    "hash_seed": Option(no_log=True),
    "allow_future_queues": Option("bool", default=False),
    "statistics": Option("bool", default=True),
    "foreign": Option(choices=("keep", "replace", "fail"), default="keep"),
    "fallback": Option(choices=("disable", "keep", "fail"), default="disable"),
    "verify": Option("bool", default=True),
}
OPTIONS = {
    "taps": Option("list", "str"),
    "netns": Option(),
    "domain": Option(),
    "mac": Option(),
    "state": Option(choices=("present", "absent"), default="present"),
    **STEERING,
}
RULE_OPTIONS = {
    "state": Option(choices=("present", "absent", "ignore"), default="present"),
    **STEERING,
    "rebalance": REBALANCE,  # it takes the service
}
