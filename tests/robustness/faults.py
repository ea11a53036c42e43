# SPDX-License-Identifier: GPL-3.0-or-later
"""Every fault of attach, replace and detach, one after the other; exits with 1 when one left a bad end."""

from __future__ import annotations

import sys
from collections import Counter
from dataclasses import asdict

from ansible_collections.virtnet.rss.tests.robustness.figures import keep, parser_of
from ansible_collections.virtnet.rss.tests.robustness.matrix import WORKS, Outcome, outcomes
from ansible_collections.virtnet.rss.tests.support.held_tap import HeldTap
from ansible_collections.virtnet.rss.tests.support.netns import enter_new_network_namespace

TOLD_EVERY = 25


def main() -> int:
    parser = parser_of("faults", __doc__)
    parser.add_argument("--every", type=int, default=1, help="only each N-th fault")
    arguments = parser.parse_args()
    enter_new_network_namespace()
    found: list[Outcome] = []
    with HeldTap("tap0", 4) as tap:
        for work in WORKS:
            for outcome in outcomes(tap, work, every=arguments.every):
                found.append(outcome)
                if outcome.problem:
                    print(f"{outcome.work}, {outcome.fault}: {outcome.problem}", flush=True)
                if len(found) % TOLD_EVERY == 0:
                    print(f"{len(found)} faults, {sum(bool(each.problem) for each in found)} problems", flush=True)
    counts = Counter((each.work, each.ended) for each in found)
    for (work_name, ended), count in sorted(counts.items()):
        print(f"{work_name:8} ended {ended:9} {count:5}")
    problems = [asdict(each) for each in found if each.problem]
    met = sum(each.hit for each in found)
    print(f"{len(found)} faults injected, {met} met, {len(problems)} problems")
    ends = {f"{work_name} {ended}": count for (work_name, ended), count in sorted(counts.items())}
    keep(arguments, {"faults": len(found), "met": met, "problems": problems, "ends": ends, "every": arguments.every})
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
