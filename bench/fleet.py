# SPDX-License-Identifier: GPL-3.0-or-later
"""The playbooks over many hosts beside ping over the same hosts: what the controller pays."""

from __future__ import annotations

import contextlib
import json
import resource
import tempfile
import time
import typing as t
from pathlib import Path

from ansible_collections.virtnet.rss.tests.support.namespaces import Fleet

__all__ = ("measure",)

DEVICES = 8
# The devices have no holder: name the queues that will come.
RULES = [{"match": {"device": "tap*"}, "indirection": {"equal": 4}, "allow_future_queues": True}]
# The benchmark has no guests to watch. Seconds that a rollout waits for each of its four batches, once before the
# change and once after it, are nobody's work.
WINDOW, SOAK, BATCHES = 1, 0, 4
WAITS = BATCHES * (WINDOW + SOAK + WINDOW)
PING = "- {hosts: all, gather_facts: false, tasks: [{ansible.builtin.ping: {}}]}\n"


def measure(*, hosts: int, others: int = 0) -> dict[str, t.Any]:
    """Of ping, rollout (with a change and without), audit and rollback over hosts with 8 devices each: seconds of wall
    time, and of the processors, for the controller and all that it starts, which are the hosts' modules here; and the
    memory of the largest process, which is the controller. ``others``: hosts of the same kind that are there and not
    visited, for all of them share one kernel."""
    with tempfile.TemporaryDirectory() as folder, contextlib.ExitStack() as stack:
        fleet = _hosts(stack, Path(folder, "visited"), hosts, "rssbench")
        _hosts(stack, Path(folder, "others"), others, "rssother")
        ping = Path(folder) / "ping.yml"
        ping.write_text(PING, encoding="utf-8")
        rollout = ("virtnet.rss.rollout", {"steering_rules": RULES, "rollout_window": WINDOW, "rollout_soak": SOAK})
        work: dict[str, tuple[str, dict[str, t.Any]]] = {
            "ping": (str(ping), {}),
            "rollout": rollout,
            "rollout again": rollout,
            "audit": ("virtnet.rss.audit", {"audit_report": f"{folder}/audit"}),
            # The hosts were new: everything goes.
            "rollback": ("virtnet.rss.rollback", {"rollback_hosts": "all", "rollback_remove": True}),
            "ping again": (str(ping), {}),
        }
        seconds, processors, peaks = {}, {}, {}
        for what, (playbook, variables) in work.items():
            print(f"  {what} ...", end="", flush=True)
            begin, before = time.monotonic(), _processor()
            done = fleet.playbook(playbook, **variables)
            seconds[what], processors[what] = time.monotonic() - begin, _processor() - before
            peaks[what] = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024  # of all until now
            print(f" {seconds[what]:.0f} s", flush=True)
            if done.returncode:
                raise RuntimeError(f"{what}: {done.stdout[-3000:]}{done.stderr}")
        states = json.loads(Path(folder, "audit.json").read_text(encoding="utf-8"))["totals"]["state"]
    if states["steered"] != hosts * DEVICES:
        raise RuntimeError(f"not all devices are steered: {states}")
    return {
        "hosts": hosts,
        "others": others,
        "devices": DEVICES,
        "seconds": seconds,
        "processor": processors,
        "waits": {"rollout": WAITS},
        "peak_mib": peaks,
    }


def _hosts(stack: contextlib.ExitStack, folder: Path, count: int, prefix: str) -> Fleet:
    folder.mkdir()
    print(f"  {count} hosts with {DEVICES} devices each ...", flush=True)
    fleet = stack.enter_context(Fleet(folder, count, prefix, apart=True))
    for name in fleet.names:
        fleet.add_devices(name, DEVICES)
    return fleet


def _processor() -> float:
    """Seconds of all children that have ended."""
    spent = resource.getrusage(resource.RUSAGE_CHILDREN)
    return spent.ru_utime + spent.ru_stime
