# Copyright (c) 2026, virtnet.rss contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to the collection: the program that a rollback has put back. It may be of a former release, which knows no
# program of this one and lets a device alone that has such a program; so it is asked, by commands that 0.1.0 has too.

from __future__ import annotations

import json
import typing as t

from ansible_collections.virtnet.rss.plugins.module_utils._host.programs import TimeoutExpired, run_program
from ansible_collections.virtnet.rss.plugins.module_utils._tun.device_id import DeviceId

__all__ = ("apply", "strangers")

PATIENCE = 120.0  # seconds: a pass over all devices


def strangers(program: str) -> set[DeviceId]:
    """Devices that it takes for steered by somebody else; none where it does not answer."""
    told = _told([program, "status", "--json"])
    taps = told.get("taps", []) if isinstance(told, dict) else []
    return {DeviceId(tap["netns_inode"], tap["ifindex"]) for tap in taps if tap["state"] == "foreign"}


def apply(program: str, folder: str) -> bool:
    """Have it bring all devices to what the policy in ``folder`` wants, at once; whether it did."""
    return isinstance(_told([program, "apply", "--json", "--policy", folder]), list)


def _told(command: list[str]) -> t.Any:
    try:
        done = run_program(*command, seconds=PATIENCE)
        return json.loads(done.stdout)
    except (OSError, ValueError, TimeoutExpired):
        return None
