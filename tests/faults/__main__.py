# SPDX-License-Identifier: GPL-3.0-or-later
"""`tests/faults/run [--every N]`: every fault of attach, replace and detach; exits with 1 when one left a bad end."""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from collections import Counter
from dataclasses import asdict
from pathlib import Path

from ansible_collections.virtnet.rss.tests.faults.matrix import WORKS, Outcome, outcomes
from ansible_collections.virtnet.rss.tests.kernel.conftest import enter_new_network_namespace
from ansible_collections.virtnet.rss.tests.kernel.reader import HeldTap


def main() -> int:
    parser = argparse.ArgumentParser(prog="tests/faults/run", description=__doc__)
    parser.add_argument("--every", type=int, default=1, help="only each N-th fault")
    parser.add_argument("--result", type=Path, help="where to write the outcomes as JSON")
    arguments = parser.parse_args()
    if os.geteuid():
        parser.error("it loads BPF programs and makes TAP devices: run it as root")
    enter_new_network_namespace()
    begin = time.monotonic()
    found: list[Outcome] = []
    with HeldTap("tap0", 4) as tap:
        for work in WORKS:
            for outcome in outcomes(tap, work, every=arguments.every):
                found.append(outcome)
                if outcome.problem:
                    print(f"{outcome.work}, {outcome.fault}: {outcome.problem}", flush=True)
                if len(found) % 25 == 0:
                    print(f"{len(found)} faults, {sum(bool(each.problem) for each in found)} problems", flush=True)
    counts = Counter((each.work, each.ended) for each in found)
    for (work, ended), count in sorted(counts.items()):
        print(f"{work:8} ended {ended:9} {count:5}")
    problems = sum(bool(each.problem) for each in found)
    print(f"{len(found)} faults injected, {sum(each.hit for each in found)} met, {problems} problems")
    print(f"{time.monotonic() - begin:.0f} s")
    if arguments.result:
        arguments.result.parent.mkdir(parents=True, exist_ok=True)
        arguments.result.write_text(json.dumps([asdict(each) for each in found], indent=1) + "\n", encoding="utf-8")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
