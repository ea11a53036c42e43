# Copyright (c) 2026, virtnet.rss contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to the collection: the log of what was done: one line for each change, and no more than one a minute for the
# same change of the same device, whatever strangers do.

from __future__ import annotations

import time
import typing as t
from dataclasses import dataclass

from ansible_collections.virtnet.rss.plugins.module_utils._service.terminal import say
from ansible_collections.virtnet.rss.plugins.module_utils._text import cut, written_out

if t.TYPE_CHECKING:
    from ansible_collections.virtnet.rss.plugins.module_utils._service.reconcile import Result
    from ansible_collections.virtnet.rss.plugins.module_utils._steering.model import Device
    from ansible_collections.virtnet.rss.plugins.module_utils._tun.device_id import DeviceId

__all__ = ("Journal",)

AGAIN = 60.0  # seconds after which the same change is told again
STILL = 3600.0  # the same for a failure that lasts
NAMED = 3  # devices of many with the same line


@dataclass
class _Told:
    at: float
    times: int = 0  # since then, untold


class Journal:
    """``tell()`` after each pass."""

    def __init__(self, clock: t.Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._told: dict[tuple[DeviceId, str], _Told] = {}

    def tell(self, results: t.Iterable[tuple[Result, str]]) -> None:
        """What was done, each with the reason for it; nothing for a device that is as it was."""
        lines: dict[str, list[tuple[str, str]]] = {}
        for result, why in results:
            outcome = result.outcome
            if outcome is None or outcome.action in ("none", "keep"):
                continue
            failure = outcome.fallback
            what = f"{outcome.action}: {failure.stage}: {failure.reason}" if failure else f"{outcome.action}: {why}"
            times = self._untold(result.device.id, what, STILL if failure else AGAIN)
            if times:
                again = f", {times} times" if times > 1 else ""
                lines.setdefault(what, []).append((written_out(result.device.name), _details(result) + again))
        for what, devices in lines.items():
            if len(devices) > NAMED:
                names = ", ".join(name for name, _details in devices[:NAMED])
                say(cut(f"{names} and {len(devices) - NAMED} more: {what}"))
            else:
                for name, details in devices:
                    say(cut(f"{name}: {what}{details}"))

    def forget_all_but(self, devices: t.Container[DeviceId]) -> None:
        """The others have gone."""
        self._told = {key: told for key, told in self._told.items() if key[0] in devices}

    def _untold(self, device: DeviceId, what: str, interval: float) -> int:
        """How often it has happened since it was told; 0: it has been told lately."""
        now = self._clock()
        told = self._told.get((device, what))
        if told and now - told.at < interval:
            told.times += 1
            return 0
        self._told[device, what] = _Told(now)
        return told.times + 1 if told else 1


def _details(result: Result) -> str:
    """Rule, guest, and which program took the place of which."""
    outcome = result.outcome
    parts = [f"rule {result.rule.name}"] if result.rule and result.rule.name else []
    parts += [f"guest {result.guest}"] if result.guest else []
    if outcome and outcome.changed:
        parts.append(f"{_program(outcome.after)} in place of {_program(outcome.step.device)}")
    return f" ({'; '.join(parts)})" if parts else ""


def _program(device: Device) -> str:
    return f"program {device.program.id}" if device.program else "none"
