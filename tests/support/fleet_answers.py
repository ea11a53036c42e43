# SPDX-License-Identifier: GPL-3.0-or-later
"""A made-up fleet: what its hosts would have answered to the playbook virtnet.rss.audit."""

from __future__ import annotations

import json
import random
import typing as t

__all__ = ("HOSTILE", "NETNS_INODE", "STATES", "answers", "dry_run")

HOSTILE = "<img src=x onerror=document.title='owned'>"
NETNS_INODE = 4026531840
STATES = ("steered", "automatic", "foreign", "unknown")


def answers(hosts: int, devices: int, *, seed: int = 1) -> dict[str, dict[str, t.Any]]:
    """The variables of each host; the same for the same seed. Host 0 has drift and a dead service, host 1 cannot steer,
    host 2 did not answer."""
    source = random.Random(seed)
    made = {f"hv{number:03d}": _host([_tap(source, device) for device in range(devices)]) for number in range(hosts)}
    made["hv001"]["audit_facts"]["ansible_facts"]["virtnet_rss"].update(
        supported=False, reasons=["no libbpf </script>"]
    )
    made["hv002"] = {"audit_facts": {"unreachable": True, "msg": "no route to host"}}
    made["hv000"]["audit_dry_run"] = dry_run(
        [{"netns_inode": NETNS_INODE, "ifindex": 1, "action": "replace", "reason": "another table"}], "failed"
    )
    return made


def dry_run(plan: list[dict[str, t.Any]], service: str = "active") -> dict[str, t.Any]:
    return {"stdout": f"{json.dumps(plan)}\nLoadState=loaded\nActiveState={service}\n"}


def _host(taps: list[dict[str, t.Any]]) -> dict[str, t.Any]:
    kernel = {"release": "6.1.0-28-amd64", "meets_minimum": True}
    known = {"supported": True, "reasons": [], "kernel": kernel, "libbpf": {"version": "1.1"}}
    return {
        "audit_facts": {"ansible_facts": {"virtnet_rss": known}},
        "audit_info": {"exact": True, "taps": taps},
        "audit_dry_run": dry_run([]),
    }


def _tap(source: random.Random, number: int) -> dict[str, t.Any]:
    """A four-queue device; the first is steered and uneven, and its holder has a hostile name."""
    state = source.choices(STATES, (80, 12, 5, 3))[0] if number else "steered"
    packets = [source.randrange(900, 1100) * (4 if number == queue == 0 else 1) for queue in range(4)]
    steered = state == "steered"
    return {
        "name": f"vnet{number}",
        "netns": "",
        "netns_inode": NETNS_INODE,
        "ifindex": number + 1,
        "domain": f"guest-{number}",
        "interface": 0,
        "mac": f"52:54:00:00:00:{number:02x}",
        "state": state,
        "reason": "bpf() is refused" if state == "unknown" else "",
        "program": {"owner": "virtnet.rss", "loaded_at": "2026-11-24T04:00:00Z"} if steered else None,
        "implementation": {"decides": "automatic" if state == "automatic" else "ebpf", "reason": ""},
        "holders": [{"command": "qemu-system-x86" if number else HOSTILE}],
        "queues": 4,
        "disabled_queues": 0,
        "counters": _counters(packets) if steered else None,
        "observed": _observed(packets) if state == "automatic" else None,
        "traffic": {"to_guest": sum(packets), "from_guest": 0, "dropped": number},
    }


def _counters(packets: list[int]) -> dict[str, t.Any]:
    spread = round(max(packets) * 4 / sum(packets), 3)
    return {"queues": packets, "spread": spread, "excess": spread}


def _observed(packets: list[int]) -> dict[str, t.Any]:
    """Everything on one queue, and even once it is steered."""
    return {
        "now": {"queues": [sum(packets), 0, 0, 0], "spread": 4.0},
        "steered": {"queues": packets, "spread": 1.01},
        "verdict": "steer",
        "words": {},
        "advice": "steer it: the busiest queue takes 100 % of the packets, steered 26 %",
    }
