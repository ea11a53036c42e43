# SPDX-License-Identifier: GPL-3.0-or-later
"""`bench [SECTION]... [--quick] [--hosts N]`: measure, print tables, write bench/results/latest.json."""

from __future__ import annotations

import argparse
import json
import os
import resource
import sys
import time
import typing as t
from pathlib import Path

from ansible_collections.virtnet.rss.bench import device, fleet, host, looks, observer, per_packet, report, service

FOLDER = Path(__file__).resolve().parent

OPEN_FILES = 4096  # 256 devices with four queues each, or 512 programs with their maps
SECTIONS: dict[str, t.Callable[[argparse.Namespace], dict[str, t.Any]]] = {
    "per-packet": lambda given: per_packet.measure(rounds=5 if given.quick else 25, repeat=20_000),
    "device": lambda given: device.measure(rounds=5 if given.quick else 40),
    "observer": lambda given: observer.measure(rounds=5 if given.quick else 40),
    "looks": lambda given: looks.measure(rounds=5 if given.quick else 51),
    "service": lambda given: service.measure(creations=20 if given.quick else 200, seconds=10 if given.quick else 65),
    "fleet": lambda given: fleet.measure(hosts=5 if given.quick else given.hosts, others=given.others),
    "host": lambda given: host.measure(rounds=1 if given.quick else 5),
}


def main() -> int:
    parser = argparse.ArgumentParser(prog="bench/run", description=__doc__)
    parser.add_argument(
        "section", nargs="*", choices=[[], *SECTIONS], help="default: all but fleet, which takes a quarter of an hour"
    )
    parser.add_argument("--quick", action="store_true", help="few rounds, to see that it works")
    parser.add_argument("--hosts", type=int, default=200, metavar="N", help="for the section fleet; default: 200")
    parser.add_argument("--others", type=int, default=0, metavar="N", help="hosts beside these that are not visited")
    arguments = parser.parse_args()
    if os.geteuid():
        parser.error("it loads BPF programs and makes TAP devices: run it as root")
    _soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (OPEN_FILES, max(hard, OPEN_FILES)))
    results: dict[str, t.Any] = {"machine": _machine(), "quick": arguments.quick}
    for name in arguments.section or [name for name in SECTIONS if name != "fleet"]:
        print(f"{name} ...", flush=True)
        results[name.replace("-", "_")] = SECTIONS[name](arguments)
    target = FOLDER / "results" / "latest.json"
    target.parent.mkdir(exist_ok=True)
    target.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
    print("\n" + report.text(results) + f"\nwritten to {target.relative_to(FOLDER.parent)}")
    return 0


def _machine() -> dict[str, t.Any]:
    with open("/proc/cpuinfo", encoding="utf-8") as cpuinfo:
        cpu = next((line.partition(":")[2].strip() for line in cpuinfo if line.startswith("model name")), "unknown CPU")
    return {
        "cpu": cpu,
        "cpus": os.cpu_count(),
        "kernel": os.uname().release,
        "time": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
    }


if __name__ == "__main__":
    sys.exit(main())
