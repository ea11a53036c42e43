# SPDX-License-Identifier: GPL-3.0-or-later
"""The service for a long time: devices come and go, policies change, somebody else takes programs off; its memory and
descriptors and the kernel's objects stay flat. Exits with 1 when they do not."""

from __future__ import annotations

import os
import random
import statistics
import sys
import tempfile
import time
import typing as t
from dataclasses import dataclass, field
from pathlib import Path

from ansible_collections.virtnet.rss.tests.robustness.figures import keep, parser_of
from ansible_collections.virtnet.rss.tests.robustness.matrix import look
from ansible_collections.virtnet.rss.tests.support import foreign
from ansible_collections.virtnet.rss.tests.support.eventually import settled
from ansible_collections.virtnet.rss.tests.support.held_tap import HeldTap
from ansible_collections.virtnet.rss.tests.support.loaded import our_programs
from ansible_collections.virtnet.rss.tests.support.netns import enter_new_network_namespace
from ansible_collections.virtnet.rss.tests.support.run_module import run_module
from ansible_collections.virtnet.rss.tests.support.running import Running

DEVICES = 8
SAMPLE_SECONDS = 1.0
WARM_UP = 0.2  # of the samples: caches fill
GROWTH_KIB = 1024  # what the memory may have grown by from the first quarter's median to the last one's
FREED_SECONDS = 10.0  # the kernel frees programs after their devices
POLICIES: tuple[tuple[dict[str, t.Any], ...], ...] = (
    ({"match": {"device": "tap*"}},),
    ({"match": {"device": "tap[0-3]"}, "hash_types": ["ipv4", "ipv6"]}, {"match": {"device": "tap*"}}),
    ({"match": {"device": "tap*"}, "indirection": {"weight": [1, 2, 1]}, "statistics": False},),
    ({"match": {"device": "tap1"}, "state": "ignore"}, {"match": {"device": "tap*"}, "hash_key": "6d5a" * 20}),
    ({"match": {"device": "tap*"}, "state": "absent"},),
)


@dataclass
class Tally:
    """What was done, and what was seen of the service each second."""

    devices: int = 0
    policies: int = 0
    detached: int = 0
    resident_kib: list[int] = field(default_factory=list)
    descriptors: list[int] = field(default_factory=list)
    programs: list[int] = field(default_factory=list)


def main() -> int:
    parser = parser_of("soak", __doc__)
    parser.add_argument("--minutes", type=float, default=10)
    arguments = parser.parse_args()
    enter_new_network_namespace()
    before = our_programs()
    with tempfile.TemporaryDirectory() as folder:
        program = Path(folder) / "virtnet-rss"
        run_module("host_service", {"path": str(program)})
        service = Running(program, Path(folder))
        service.write(*POLICIES[0])
        service.start()
        try:
            tally = _soak(service, 60 * arguments.minutes, before)
            service.stop()
        finally:
            service.kill()
    left = _left_behind(before)
    figures = {
        "minutes": arguments.minutes,
        "devices_made": tally.devices,
        "policies_written": tally.policies,
        "programs_taken_off": tally.detached,
        "resident_kib": _ends(tally.resident_kib),
        "descriptors": _ends(tally.descriptors),
        "most_programs": max(tally.programs),
        "programs_left": left,
    }
    problems = _problems(figures)
    print(*(f"{name}: {value}" for name, value in figures.items()), *problems, sep="\n")
    keep(arguments, {**figures, "problems": problems})
    return 1 if problems else 0


def _soak(service: Running, seconds: float, before: set[int]) -> Tally:
    tally, source, held = Tally(), random.Random(1), dict[str, HeldTap]()
    begin = sampled = time.monotonic()
    try:
        while time.monotonic() - begin < seconds:
            _change_something(service, source, held, tally)
            time.sleep(0.1)
            if time.monotonic() - sampled >= SAMPLE_SECONDS:
                sampled = time.monotonic()
                _sample(service, tally, before)
            if sys.stdout.isatty():
                print(f"\r{time.monotonic() - begin:.0f} s, {tally.devices} devices", end="", flush=True)
    finally:
        for tap in held.values():
            tap.close()
    return tally


def _change_something(service: Running, source: random.Random, held: dict[str, HeldTap], tally: Tally) -> None:
    name = f"tap{source.randrange(DEVICES)}"
    choice = source.random()
    if choice < 0.1:
        service.write(*source.choice(POLICIES))
        tally.policies += 1
    elif choice < 0.2 and name in held:
        if look(name).program:
            foreign.detach(held[name])
            tally.detached += 1
    elif name in held:
        held.pop(name).close()
    else:
        held[name] = HeldTap(name, source.choice((1, 2, 4)))
        tally.devices += 1


def _sample(service: Running, tally: Tally, before: set[int]) -> None:
    assert service.process and service.process.poll() is None, "the service has ended"
    pid = service.process.pid
    lines = Path(f"/proc/{pid}/status").read_text(encoding="utf-8").splitlines()
    tally.resident_kib.append(next(int(line.split()[1]) for line in lines if line.startswith("VmRSS:")))
    tally.descriptors.append(len(os.listdir(f"/proc/{pid}/fd")))
    tally.programs.append(len(our_programs() - before))
    service.notified("")  # as systemd does, or the socket fills


def _ends(samples: list[int]) -> list[float]:
    """Medians of the first and of the last quarter, after the warm-up."""
    warm = samples[int(len(samples) * WARM_UP) :]
    quarter = max(1, len(warm) // 4)
    return [statistics.median(warm[:quarter]), statistics.median(warm[-quarter:])]


def _left_behind(before: set[int]) -> int:
    settled(lambda: our_programs() <= before, FREED_SECONDS)
    return len(our_programs() - before)


def _problems(figures: dict[str, t.Any]) -> list[str]:
    problems = []
    if figures["resident_kib"][1] - figures["resident_kib"][0] > GROWTH_KIB:
        problems.append("its memory grows")
    if figures["descriptors"][1] > figures["descriptors"][0] + 2:  # some are open for an instant
        problems.append("its descriptors become more")
    if figures["most_programs"] > 2 * DEVICES:  # the old one of each is freed a grace period later
        problems.append("more programs than devices can have")
    if figures["programs_left"]:
        problems.append("programs are left behind")
    return problems


if __name__ == "__main__":
    sys.exit(main())
