# SPDX-License-Identifier: GPL-3.0-or-later
"""`tests/fuzz/run [--frames N] [--seed N]`: differential fuzzing on all cores; exits with 1 for a disagreement."""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import sys
import time
from pathlib import Path

from ansible_collections.virtnet.rss.tests.fuzz.differential import Disagreement, compare, seed_of_this_run

SHARE = 10_000  # frames of one job


def main() -> int:
    parser = argparse.ArgumentParser(prog="tests/fuzz/run", description=__doc__)
    parser.add_argument("--frames", type=int, default=1_000_000)
    parser.add_argument("--seed", type=int, default=seed_of_this_run())
    parser.add_argument("--result", type=Path, help="where to write figures as JSON")
    arguments = parser.parse_args()
    jobs = [(arguments.seed + number, SHARE) for number in range(-(-arguments.frames // SHARE))]
    begin, done, found = time.monotonic(), 0, []
    with multiprocessing.Pool(os.cpu_count()) as pool:
        for disagreements in pool.imap_unordered(_job, jobs):
            done += SHARE
            found += disagreements
            print(f"\r{done:,} frames, {len(found)} disagreements", end="", flush=True)
    seconds = time.monotonic() - begin
    print(f"\nseed {arguments.seed}, {seconds:.0f} s")
    for disagreement in found[:20]:
        print(disagreement)
    if arguments.result:
        figures = {"frames": done, "disagreements": len(found), "seed": arguments.seed, "seconds": round(seconds)}
        arguments.result.parent.mkdir(parents=True, exist_ok=True)
        arguments.result.write_text(json.dumps(figures) + "\n", encoding="utf-8")
    return 1 if found else 0


def _job(job: tuple[int, int]) -> list[Disagreement]:
    return compare(*job)


if __name__ == "__main__":
    sys.exit(main())
