# Copyright (c) 2026, virtnet.rss contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to the collection: what the programs take for a packet, measured while the service does its other work.

from __future__ import annotations

import contextlib
import time
import typing as t

from ansible_collections.virtnet.rss.plugins.module_utils._bpf.libbpf import load_libbpf
from ansible_collections.virtnet.rss.plugins.module_utils._look.measure import Measurement, measuring

__all__ = ("Cost",)


class Cost:
    """``begin()`` and a little later ``end()``; ``latest`` has the newest measurement of each program that had packets.

    In between the kernel counts for every BPF program of the host, and a program that is taken off stays loaded.
    """

    def __init__(self) -> None:
        self.latest: dict[int, Measurement] = {}
        self._stack = contextlib.ExitStack()
        self._read: t.Callable[[float], dict[int, Measurement]] | None = None
        self._began = 0.0

    def begin(self, program_ids: t.Collection[int]) -> None:
        """CapabilityError or ObjectError where the host has no such statistics."""
        self.end()
        self.latest = {number: found for number, found in self.latest.items() if number in program_ids}
        self._read = self._stack.enter_context(measuring(load_libbpf(), program_ids))
        self._began = time.monotonic()

    def end(self) -> None:
        """Nothing when it has not begun."""
        read, self._read = self._read, None
        with self._stack:  # closes what is open, and may be used again
            if read:
                found = read(time.monotonic() - self._began)
                self.latest.update((number, each) for number, each in found.items() if each.packets)
