# SPDX-License-Identifier: GPL-3.0-or-later
"""Differential fuzzing of the steering program on all cores; exits with 1 for a disagreement."""

from __future__ import annotations

import multiprocessing
import os
import sys

from ansible_collections.virtnet.rss.tests.robustness.figures import keep, parser_of
from ansible_collections.virtnet.rss.tests.robustness.frames import Disagreement, compare, seed_of_this_run

SHARE = 10_000  # frames of one job
SHOWN = 20


def main() -> int:
    parser = parser_of("fuzz", __doc__)
    parser.add_argument("--frames", type=int, default=1_000_000)
    parser.add_argument("--seed", type=int, default=seed_of_this_run())
    arguments = parser.parse_args()
    jobs = [(arguments.seed + number, SHARE) for number in range(-(-arguments.frames // SHARE))]
    done, found = 0, []
    with multiprocessing.Pool(os.cpu_count()) as pool:
        for disagreements in pool.imap_unordered(_job, jobs):
            done += SHARE
            found += disagreements
            if sys.stdout.isatty():
                print(f"\r{done:,} frames", end="\r", flush=True)
    print(f"{done:,} frames, {len(found)} disagreements, seed {arguments.seed}")
    for disagreement in found[:SHOWN]:
        print(disagreement)
    keep(arguments, {"frames": done, "disagreements": len(found), "seed": arguments.seed})
    return 1 if found else 0


def _job(job: tuple[int, int]) -> list[Disagreement]:
    return compare(*job)


if __name__ == "__main__":
    sys.exit(main())
