# Copyright (c) 2026, virtnet.rss contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to the collection: a proof of life. The kernel counts the runs of each program and their time while somebody
# asks it to (BPF_ENABLE_STATS, Linux 5.8); that costs every BPF program of the host some nanoseconds a run, so it is on
# for the time of a measurement only.

from __future__ import annotations

import contextlib
import os
import typing as t
from dataclasses import dataclass

from ansible_collections.virtnet.rss.plugins.module_utils._bpf import inventory

if t.TYPE_CHECKING:
    from ansible_collections.virtnet.rss.plugins.module_utils._bpf.libbpf import Libbpf

__all__ = ("Measurement", "measure", "measuring")

BPF_STATS_RUN_TIME = 0  # include/uapi/linux/bpf.h, enum bpf_stats_type


@dataclass(frozen=True)
class Measurement:
    """What one program did in a time window."""

    seconds: float
    packets: int  # times that the driver asked the program
    nanoseconds: int  # that all of them took

    @property
    def per_packet(self) -> float | None:
        """Nanoseconds for one packet; None without any."""
        return self.nanoseconds / self.packets if self.packets else None


def measure(
    libbpf: Libbpf, program_ids: t.Iterable[int], seconds: float, *, sleep: t.Callable[[float], None]
) -> dict[int, Measurement]:
    """Runs and run time of each program during ``seconds``; a program that goes meanwhile is left out.

    ObjectError EPERM without CAP_SYS_ADMIN, EINVAL before Linux 5.8.
    """
    with measuring(libbpf, program_ids) as read:
        sleep(seconds)
        return read(seconds)


@contextlib.contextmanager
def measuring(libbpf: Libbpf, program_ids: t.Iterable[int]) -> t.Iterator[t.Callable[[float], dict[int, Measurement]]]:
    """The same for a caller with other work to do: what it gives is called with the seconds that have passed."""
    statistics = int(libbpf.call("bpf_enable_stats", BPF_STATS_RUN_TIME))
    with contextlib.ExitStack() as stack:
        stack.callback(os.close, statistics)
        descriptors = {}
        for number in program_ids:
            descriptor = inventory.open_program(libbpf, number)
            if descriptor is not None:
                stack.callback(os.close, descriptor)
                descriptors[number] = descriptor
        before = {number: inventory.program_of(libbpf, descriptor) for number, descriptor in descriptors.items()}

        def read(seconds: float) -> dict[int, Measurement]:
            after = {number: inventory.program_of(libbpf, descriptor) for number, descriptor in descriptors.items()}
            return {
                number: Measurement(
                    seconds,
                    after[number].run_count - before[number].run_count,
                    after[number].run_time_ns - before[number].run_time_ns,
                )
                for number in after
            }

        yield read
