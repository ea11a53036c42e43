# Copyright (c) 2026, virtnet.rss contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to the collection: the running kernel's release, and whether it is one that the collection is made for.

from __future__ import annotations

import os
import re
import typing as t
from dataclasses import dataclass

__all__ = ("MINIMUM_KERNEL", "Kernel", "parse_release", "running_kernel")

# The task_file iterator, and CAP_BPF and CAP_PERFMON
MINIMUM_KERNEL: t.Final = "5.8"


@dataclass(frozen=True)
class Kernel:
    """A release as `uname -r` prints it."""

    release: str

    @property
    def version(self) -> str:
        """The numbers that it begins with; empty when there are none."""
        return ".".join(map(str, parse_release(self.release)))

    @property
    def meets_minimum(self) -> bool:
        """By its numbers alone: a backport, or a process that sees another release, is what the probes are for."""
        return parse_release(self.release) >= parse_release(MINIMUM_KERNEL)


def running_kernel() -> Kernel:
    """What this process is told; ``setarch --uname-2.6`` makes that 2.6."""
    return Kernel(os.uname().release)


def parse_release(release: str) -> tuple[int, ...]:
    """The two or three numbers that a release begins with; none when it begins otherwise.

    Debian's 5.10.0-28-amd64 and RHEL's 5.14.0-427.el9 have a third that counts nothing; 6.1-rc3 has two.
    """
    match = re.match(r"\d+\.\d+(\.\d+)?", release)
    return tuple(int(number) for number in match.group().split(".")) if match else ()
