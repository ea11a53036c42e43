# SPDX-License-Identifier: GPL-3.0-or-later
"""The playbooks over many hosts beside ping over the same hosts: what the controller pays."""

from __future__ import annotations

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


def measure(*, hosts: int) -> dict[str, t.Any]:
    """Wall time in seconds of ping, rollout (with a change and without), audit and rollback over hosts with 8 devices
    each, and the memory of the largest process, which is the controller."""
    with tempfile.TemporaryDirectory() as folder, Fleet(Path(folder), hosts, "rssbench", apart=True) as fleet:
        print(f"  {hosts} hosts with {DEVICES} devices each ...", flush=True)
        for name in fleet.names:
            fleet.add_devices(name, DEVICES)
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
        seconds, peaks = {}, {}
        for what, (playbook, variables) in work.items():
            print(f"  {what} ...", end="", flush=True)
            begin = time.monotonic()
            done = fleet.playbook(playbook, **variables)
            seconds[what] = time.monotonic() - begin
            peaks[what] = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024  # of all until now
            print(f" {seconds[what]:.0f} s", flush=True)
            if done.returncode:
                raise RuntimeError(f"{what}: {done.stdout[-3000:]}{done.stderr}")
        states = json.loads(Path(folder, "audit.json").read_text(encoding="utf-8"))["totals"]["state"]
    if states["steered"] != hosts * DEVICES:
        raise RuntimeError(f"not all devices are steered: {states}")
    return {"hosts": hosts, "devices": DEVICES, "seconds": seconds, "waits": {"rollout": WAITS}, "peak_mib": peaks}
