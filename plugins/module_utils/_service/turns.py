# Copyright (c) 2026, virtnet.rss contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to the collection: whose turn it is, of the devices that were dealt with before and have changed since. Who
# holds a device can change it all the time, so they get a few turns at a time and no more than a part of a core. No
# device can keep another one from its turn, however often it changes: whose last turn is longest ago comes first.

from __future__ import annotations

import contextlib
import math
import time
import typing as t

if t.TYPE_CHECKING:
    from ansible_collections.virtnet.rss.plugins.module_utils._tun.device_id import DeviceId

__all__ = ("Turns",)

# After a few comes a pause of so many times as long: a new device of somebody else waits for no more of them, and they
# take no more than a seventeenth of a core.
AT_ONCE, PAUSE = 4, 16.0
LONGEST = 1.0  # seconds; work may take long without taking a core: it waits for the lock, or for a holder


class Turns:
    """Times are in seconds by the monotonic clock."""

    def __init__(self, clock: t.Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self.waiting: set[DeviceId] = set()
        self._last: dict[DeviceId, float] = {}  # turn of each
        self._next = 0.0

    def due_in(self) -> float:
        """Seconds until somebody has a turn; infinite while nobody waits for one."""
        return max(self._next - self._clock(), 0.0) if self.waiting else math.inf

    @contextlib.contextmanager
    def turn(self, bare: t.Container[DeviceId]) -> t.Iterator[set[DeviceId]]:
        """Gives those whose turn it is now; the work with them is done inside. First come the ``bare``, which have no
        program, then those whose last turn is longest ago. When the work fails they wait on."""
        free = AT_ONCE if self._clock() >= self._next else 0
        chosen = set(sorted(self.waiting, key=lambda each: (each not in bare, self._last.get(each, 0.0), each))[:free])
        begin = self._clock()
        yield chosen
        if chosen:
            self.waiting -= chosen
            end = self._clock()
            self._last.update(dict.fromkeys(chosen, end))
            self._next = end + min(PAUSE * (end - begin), LONGEST)

    def rest(self, seconds: float) -> None:
        """Nobody has a turn for so long."""
        self._next = self._clock() + seconds

    def forget_all_but(self, devices: t.Container[DeviceId]) -> None:
        """The others have gone."""
        self.waiting = {each for each in self.waiting if each in devices}
        self._last = {each: when for each, when in self._last.items() if each in devices}
