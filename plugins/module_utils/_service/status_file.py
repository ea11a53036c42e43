# Copyright (c) 2026, virtnet.rss contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to the collection: the file in which the service tells the other commands what it found and did.

from __future__ import annotations

import json
import os
import typing as t

__all__ = ("STATUS_FILE", "balances_of", "read_status", "rules_of", "rules_that_steer", "shortfalls_of", "status_text")

STATUS_FILE = "/run/virtnet-rss/status.json"
START_TIME = 21 - 2  # field 22 of /proc/PID/stat, counted behind the first two (proc(5))


def status_text(content: t.Mapping[str, object]) -> str:
    """The file's text, with what tells this process from a later one of the same number."""
    return json.dumps({"pid": os.getpid(), "started": _start_time(os.getpid()), **content}) + "\n"


def read_status(path: str) -> dict[str, t.Any] | None:
    """What the running service wrote; None when none runs, or what is there is none of its files."""
    try:
        with open(path, encoding="utf-8") as file:
            state: dict[str, t.Any] = json.load(file)
        return state if _runs(int(state["pid"]), state["started"]) else None
    except (OSError, OverflowError, ValueError, KeyError, TypeError):
        return None


def rules_of(state: t.Mapping[str, t.Any] | None) -> dict[tuple[int, int], str]:
    """The name of the rule that decides for each device, by (netns_inode, ifindex); empty without a service."""
    return {(inode, ifindex): rule for inode, ifindex, rule in (state or {}).get("rules_of", ())}


def rules_that_steer(state: t.Mapping[str, t.Any] | None) -> dict[tuple[int, int], str]:
    """The same without the rules that leave their devices alone."""
    left_alone = set(map(tuple, (state or {}).get("left_alone", ())))
    return {key: rule for key, rule in rules_of(state).items() if key not in left_alone}


def balances_of(status: t.Mapping[str, t.Any] | None) -> dict[tuple[int, int], dict[str, t.Any]]:
    """What the running service says of each device that it balances, by (netns_inode, ifindex)."""
    return {(inode, ifindex): found for inode, ifindex, found in (status or {}).get("balance", ())}


def shortfalls_of(status: t.Mapping[str, t.Any] | None) -> dict[tuple[int, int], tuple[str, str]]:
    """Stage and reason of each device that is not steered as its rule wants it, by (netns_inode, ifindex)."""
    return {(inode, ifindex): (stage, why) for inode, ifindex, stage, why in (status or {}).get("shortfalls", ())}


def _runs(pid: int, started: object) -> bool:
    """Whether this very process is there: an old file stays after a kill -9, and numbers come again."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:  # it is there, and belongs to root
        pass
    return _start_time(pid) in (started, None)


def _start_time(pid: int) -> int | None:
    """In clock ticks since boot; None where the process cannot be looked at, such as below a /proc with hidepid."""
    try:
        with open(f"/proc/{pid}/stat", "rb") as stat:
            return int(stat.read().rpartition(b")")[2].split()[START_TIME])  # the name may hold blanks and brackets
    except OSError:
        return None
