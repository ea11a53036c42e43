# Copyright (c) 2026, virtnet.rss contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to the collection: what a host says of its policy and of the service. Runs on the controller; pure.

from __future__ import annotations

import json
import typing as t

__all__ = ("RUNNING", "STOPPED", "DryRun", "read_dry_run")

RUNNING, STOPPED, UNKNOWN = "running", "stopped", ""


class DryRun(t.NamedTuple):
    """A host without the program has no plan, and nothing was refused."""

    plan: list[dict[str, t.Any]]
    refused: str  # why there is no plan
    service: str  # running, stopped, or empty: there is no unit of it, or no systemd that would know


def read_dry_run(result: t.Mapping[str, t.Any]) -> DryRun:
    """Of a command that prints the plan, JSON in one line that begins with "[", then what ``systemctl show`` prints."""
    lines = str(result.get("stdout") or "").splitlines()
    plans = [line for line in lines if line.startswith("[")]
    service = _service(dict(line.split("=", 1) for line in lines if "=" in line and line not in plans))
    if not plans:
        return DryRun([], str(result.get("stderr") or ""), service)
    try:
        return DryRun(json.loads(plans[0]), "", service)
    except ValueError:  # such as when it was killed while it printed
        return DryRun([], "the program's answer is no JSON", service)


def _service(unit: t.Mapping[str, str]) -> str:
    """A unit that is activating is not ready yet, or has died and waits to be started again."""
    if unit.get("LoadState", "not-found") == "not-found":
        return UNKNOWN
    return RUNNING if unit.get("ActiveState") in ("active", "reloading") else STOPPED
