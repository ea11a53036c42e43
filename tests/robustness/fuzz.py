# SPDX-License-Identifier: GPL-3.0-or-later
"""Differential fuzzing of the steering program on all cores, against the reference and beside QEMU's own program;
exits with 1 for a disagreement with the reference, or one with QEMU's that has no known cause."""

from __future__ import annotations

import functools
import multiprocessing
import os
import sys

from ansible_collections.virtnet.rss.tests.packets.configurations import CONFIGURATIONS
from ansible_collections.virtnet.rss.tests.robustness.beside_qemu import Comparison, beside_qemu
from ansible_collections.virtnet.rss.tests.robustness.figures import keep, parser_of
from ansible_collections.virtnet.rss.tests.robustness.frames import Disagreement, compare, seed_of_this_run
from ansible_collections.virtnet.rss.tests.support.bpf_objects import shipped_builds
from ansible_collections.virtnet.rss.tests.support.qemu.image import qemu_10
from ansible_collections.virtnet.rss.tests.support.qemu.qemu_rss import rss_object

SHARE = 10_000  # frames of one job
SHOWN = 20


def main() -> int:
    parser = parser_of("fuzz", __doc__)
    parser.add_argument("--frames", type=int, default=1_000_000)
    parser.add_argument("--seed", type=int, default=seed_of_this_run())
    arguments = parser.parse_args()
    elf = rss_object(qemu_10())
    beside = Comparison()
    jobs = [(arguments.seed + number, SHARE) for number in range(-(-arguments.frames // SHARE))]
    done, found = 0, []
    with multiprocessing.Pool(os.cpu_count()) as pool:
        for disagreements in pool.imap_unordered(_job, jobs):
            done += SHARE
            found += disagreements
            if sys.stdout.isatty():
                print(f"\r{done:,} frames", end="\r", flush=True)
        for part in pool.imap_unordered(functools.partial(_beside, elf), jobs):
            beside.add(part)
    print(f"{done:,} frames, {len(found)} disagreements, seed {arguments.seed}")
    for disagreement in found[:SHOWN]:
        print(disagreement)
    print(f"beside QEMU's: {beside.agreed:,} agree, {beside.refused:,} not run, {len(beside.unexplained)} unexplained")
    for cause, count in beside.causes.most_common():
        print(f"  {cause:16} {count:9,}")
    print(*beside.unexplained[:SHOWN], sep="\n")
    figures = {
        "agreed": beside.agreed,
        "refused": beside.refused,
        "causes": dict(beside.causes),
        "unexplained": len(beside.unexplained),
    }
    figures_of_ours = {"frames": done, "disagreements": len(found), "seed": arguments.seed}
    figures_of_ours.update(configurations=len(CONFIGURATIONS), builds=list(shipped_builds()))
    keep(arguments, {**figures_of_ours, "beside_qemu": figures})
    return 1 if found or beside.unexplained else 0


def _job(job: tuple[int, int]) -> list[Disagreement]:
    return compare(*job)


def _beside(elf: bytes, job: tuple[int, int]) -> Comparison:
    return beside_qemu(elf, *job)


if __name__ == "__main__":
    sys.exit(main())
