# Copyright (c) 2026, virtnet.rss contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to the collection: a proof of life. The kernel counts the runs of each program and their time while somebody
# asks it to (BPF_ENABLE_STATS, Linux 5.8); that costs every BPF program of the host some nanoseconds a run, so it is on
# for the time of a measurement only.

from __future__ import annotations

import contextlib
import os
import time
import typing as t
from dataclasses import dataclass, replace

from ansible_collections.virtnet.rss.plugins.module_utils._bpf import inventory
from ansible_collections.virtnet.rss.plugins.module_utils._bpf.libbpf import load_libbpf

__all__ = ("Measurement", "Meter", "measure")

BPF_STATS_RUN_TIME = 0  # include/uapi/linux/bpf.h, enum bpf_stats_type


@dataclass(frozen=True)
class Measurement:
    """What one program did in a time window."""

    seconds: float
    packets: int  # times that the driver asked the program
    nanoseconds: int  # that all of them took
    arrived: int | None = None  # packets that the guest got meanwhile, where somebody looked

    @property
    def per_packet(self) -> float | None:
        """Nanoseconds for one packet; None without any."""
        return self.nanoseconds / self.packets if self.packets else None


class Meter:
    """Measures what programs do between ``begin()`` and ``end()``, while its user does other work.

    In between the kernel counts for every BPF program of the host, and a program that is taken off stays loaded.
    """

    def __init__(self) -> None:
        self.latest: dict[int, Measurement] = {}  # the newest one of each program that had packets
        self._opened = contextlib.ExitStack()
        self._before: dict[int, tuple[int, inventory.Program]] = {}  # descriptor, and what it was like
        self._began = 0.0

    def begin(self, program_ids: t.Collection[int]) -> None:
        """A program that has gone is left out.

        CapabilityError without libbpf, ObjectError EPERM without CAP_SYS_ADMIN, EINVAL before Linux 5.8.
        """
        self.end()
        self.latest = {number: found for number, found in self.latest.items() if number in program_ids}
        libbpf, before = load_libbpf(), {}
        with contextlib.ExitStack() as opened:
            opened.callback(os.close, libbpf.call("bpf_enable_stats", BPF_STATS_RUN_TIME))
            for number in program_ids:
                descriptor = inventory.open_program(libbpf, number)
                if descriptor is not None:
                    opened.callback(os.close, descriptor)
                    before[number] = descriptor, inventory.program_of(libbpf, descriptor)
            self._before, self._opened = before, opened.pop_all()
        self._began = time.monotonic()

    def end(self) -> dict[int, Measurement]:
        """What each program did since begin(); nothing when it has not begun."""
        seconds = time.monotonic() - self._began
        before, self._before = self._before, {}
        with self._opened:  # closes what is open, and may be used again
            found = {
                number: _between(program, inventory.program_of(load_libbpf(), descriptor), seconds)
                for number, (descriptor, program) in before.items()
            }
        self.latest.update((number, each) for number, each in found.items() if each.packets)
        return found


def _between(before: inventory.Program, after: inventory.Program, seconds: float) -> Measurement:
    return Measurement(seconds, after.run_count - before.run_count, after.run_time_ns - before.run_time_ns)


def measure(
    program_ids: t.Collection[int], seconds: float, *, sleep: t.Callable[[float], None]
) -> dict[int, Measurement]:
    """Runs and run time of each program during ``seconds``; errors as of Meter.begin()."""
    meter = Meter()
    meter.begin(program_ids)
    try:
        sleep(seconds)
    finally:
        found = meter.end()
    return {number: replace(each, seconds=seconds) for number, each in found.items()}
