# Copyright (c) 2026, virtnet.rss contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to the collection: the memory of failures. A device that makes work again and again waits longer each time, so
# that it costs nobody else anything; one that calms down is as any other again.

from __future__ import annotations

import time
import typing as t
from dataclasses import dataclass

if t.TYPE_CHECKING:
    from ansible_collections.virtnet.rss.plugins.module_utils._tun.device_id import DeviceId

__all__ = ("Backoff",)

FREE = 3  # times that a device is put back at once: a guest that boots takes its program off some times in a row
CALM = 10.0  # seconds without trouble after which a device begins anew, or twice its last rest
SOON, FIRST, LONGEST = 0.5, 1.0, 60.0  # seconds of rest after a failure and a put-back, doubled each time


@dataclass
class _Trouble:
    times: int
    failures: int  # in a row
    rest: float
    at: float

    @property
    def due(self) -> float:
        return self.at + self.rest

    @property
    def sentence(self) -> str:
        """Why it rests. It is a label of the metrics, so no number in it changes all the time."""
        what = "it has failed" if self.failures else "taken off again and again"
        return f"{what}, the next try is {self.rest:g} s after the last"


class Backoff:
    """By device; times by the monotonic clock."""

    def __init__(self, clock: t.Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._troubles: dict[DeviceId, _Trouble] = {}

    def put_back(self, device: DeviceId) -> None:
        """Somebody had taken its program off."""
        trouble = self._again(device)
        trouble.times, trouble.failures = trouble.times + 1, 0
        trouble.rest = _rest(trouble.times - FREE, FIRST)

    def failed(self, device: DeviceId) -> None:
        """It could not be steered; what was short may be there soon."""
        trouble = self._again(device)
        trouble.failures += 1
        trouble.rest = _rest(trouble.failures, SOON)

    def succeeded(self, device: DeviceId) -> None:
        """It is as it shall be, and nobody had taken anything off."""
        trouble = self._troubles.get(device)
        if trouble and trouble.failures:
            del self._troubles[device]

    def is_troubled(self, device: DeviceId) -> bool:
        """Others come first."""
        return device in self._current()

    def resting(self) -> dict[DeviceId, str]:
        """Devices that are left as they are for now, and why."""
        now = self._clock()
        return {device: each.sentence for device, each in self._current().items() if each.due > now}

    def troubled(self) -> dict[DeviceId, str]:
        """Those and the others that make trouble, for work that is to be over soon."""
        return {device: each.sentence for device, each in self._current().items()}

    def due(self) -> set[DeviceId]:
        """Devices whose rest is over."""
        now = self._clock()
        return {device for device, each in self._current().items() if each.rest and each.due <= now}

    def forget_all_but(self, devices: t.Container[DeviceId]) -> None:
        """The others have gone."""
        self._troubles = {device: each for device, each in self._troubles.items() if device in devices}

    def _again(self, device: DeviceId) -> _Trouble:
        trouble = self._current().setdefault(device, _Trouble(0, 0, 0.0, 0.0))
        trouble.at = self._clock()
        return trouble

    def _current(self) -> dict[DeviceId, _Trouble]:
        now = self._clock()
        calm = [
            device
            for device, each in self._troubles.items()
            if not each.failures and now - each.at > max(CALM, 2 * each.rest)
        ]
        for device in calm:
            del self._troubles[device]
        return self._troubles


def _rest(times: int, first: float) -> float:
    return min(first * 2.0 ** min(times - 1, 10), LONGEST) if times > 0 else 0.0
