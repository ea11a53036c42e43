# Copyright (c) 2026, virtnet.rss contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to the collection: options and results of virtnet.rss.tap.

from __future__ import annotations

import contextlib
import typing as t
from dataclasses import replace

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.virtnet.rss.plugins.module_utils._module.answers import (
    difference,
    failures_told,
    lines,
    succeed,
)
from ansible_collections.virtnet.rss.plugins.module_utils._tap.accounts import (
    group_id,
    group_name,
    user_id,
    user_name,
)
from ansible_collections.virtnet.rss.plugins.module_utils._tap.apply import TapApplier
from ansible_collections.virtnet.rss.plugins.module_utils._tap.device import TunDriver
from ansible_collections.virtnet.rss.plugins.module_utils._tap.links import PyrouteLinks
from ansible_collections.virtnet.rss.plugins.module_utils._tap.observe import observe
from ansible_collections.virtnet.rss.plugins.module_utils._tap.plan import (
    Desired,
    Plan,
    Tap,
    check_desired,
    current_tap,
    plan,
)
from ansible_collections.virtnet.rss.plugins.module_utils._tun.lock import exclusive
from ansible_collections.virtnet.rss.plugins.module_utils._tun.netns import network_namespace

__all__ = ("create_argument_spec", "run_module")


def create_argument_spec() -> dict[str, t.Any]:
    """The options that plugins/modules/tap.py documents."""
    return {
        "name": {"type": "str", "required": True},
        "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
        "multi_queue": {"type": "bool", "default": True},
        "vnet_hdr": {"type": "bool", "default": True},
        "owner": {"type": "str"},
        "group": {"type": "str"},
        "mtu": {"type": "int"},
        "bridge": {"type": "str"},
        "up": {"type": "bool", "default": True},
        "netns": {"type": "str"},
    }


def run_module(module: AnsibleModule) -> t.NoReturn:
    """Run the module; ends the process."""
    done: list[str] = []
    with failures_told(module, done):
        succeed(module, **_run(module, done))


def _run(module: AnsibleModule, done: list[str]) -> dict[str, t.Any]:
    """The answer; ``done`` gets the actions that are in effect, also when this raises."""
    netns = module.params["netns"]
    desired = _desired(module.params)
    check_desired(desired)
    with network_namespace(netns):
        planned = plan(desired, observe(desired.name, desired.bridge))
        if planned.actions:
            planned = _carry_out(desired, planned, done, check=module.check_mode)
    return {
        "changed": bool(planned.actions),
        "tap": _report(planned.after, netns or ""),
        "diff": difference(desired.name, _lines(planned.before), _lines(planned.after)),
    }


def _carry_out(desired: Desired, planned: Plan, done: list[str], *, check: bool) -> Plan:
    """With ``check`` only ask for what it takes; else look again, alone: another run may have changed something.

    Gives what was done, and the device as it is then.
    """
    with PyrouteLinks() as links, contextlib.ExitStack() as stack:
        if check:
            return planned
        stack.enter_context(exclusive())
        observed = observe(desired.name, desired.bridge)
        planned = plan(desired, observed)
        TapApplier(links, TunDriver(), done).apply(planned, observed)
        now = observe(desired.name)
        return replace(planned, after=current_tap(now.link, now) if now.link else None)


def _desired(params: dict[str, t.Any]) -> Desired:
    owner, group = params["owner"], params["group"]
    return Desired(
        name=params["name"],
        present=params["state"] == "present",
        multi_queue=params["multi_queue"],
        vnet_hdr=params["vnet_hdr"],
        up=params["up"],
        owner=None if owner is None else user_id("owner", owner),
        group=None if group is None else group_id("group", group),
        mtu=params["mtu"],
        bridge=params["bridge"],
    )


def _properties(tap: Tap) -> dict[str, t.Any]:
    """In the words of the options."""
    return {
        "multi_queue": tap.multi_queue,
        "vnet_hdr": tap.vnet_hdr,
        "owner": None if tap.owner is None else user_name(tap.owner),
        "group": None if tap.group is None else group_name(tap.group),
        "mtu": tap.mtu,
        "bridge": tap.bridge,
        "up": tap.up,
    }


def _report(tap: Tap | None, netns: str) -> dict[str, t.Any] | None:
    if tap is None:
        return None
    return {"name": tap.name, "ifindex": tap.ifindex, "netns": netns, **_properties(tap), "queues": tap.queues}


def _lines(tap: Tap | None) -> str:
    return lines({"state": "present", **_properties(tap)} if tap else {"state": "absent"})
