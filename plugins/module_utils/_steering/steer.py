# Copyright (c) 2026, virtnet.rss contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to the collection: plans and changes one device, and plans again while it is not what it was planned for.

from __future__ import annotations

import errno
import time
import typing as t
from dataclasses import replace

from ansible_collections.virtnet.rss.plugins.module_utils._errors import ObjectError
from ansible_collections.virtnet.rss.plugins.module_utils._program.programs import OURS
from ansible_collections.virtnet.rss.plugins.module_utils._steering.hand import MovedError
from ansible_collections.virtnet.rss.plugins.module_utils._steering.model import Fallback, Outcome, Step

if t.TYPE_CHECKING:
    from ansible_collections.virtnet.rss.plugins.module_utils._steering.model import Device
    from ansible_collections.virtnet.rss.plugins.module_utils._steering.observe import Observer

__all__ = ("CHANGES", "steer", "waiting")

CHANGES = ("attach", "replace", "detach")
ATTEMPTS = 5  # plans for one device; somebody else who changes it more often than that is told
PATIENCE = 10.0  # seconds for one device, while other runs of ours change it


def steer(
    device: Device,
    *,
    plan_for: t.Callable[[Device], Step | None],
    observer: Observer,
    apply: t.Callable[[Step], Outcome],
) -> Outcome | None:
    """Bring one device of this network namespace to what ``plan_for`` makes of it; None when that is None.

    Errors of ``plan_for`` pass, and so does StateError when another writer keeps the lock.
    """
    outcome: Outcome | None = None
    attempts, deadline = 0, time.monotonic() + PATIENCE
    while attempts < ATTEMPTS and time.monotonic() < deadline:
        step = plan_for(device)
        if step is None:
            return None
        try:
            return apply(_with_holders(step, observer))
        except MovedError as exc:
            reason = str(exc)
        except ObjectError as exc:
            unseen = Fallback("attach", f"{device.name}: its holders cannot be looked for: {exc}", exc.errno)
            return Outcome(step, "fallback", device, changed=False, fallback=unseen)
        found = observer.device(device.id)
        if found is None:
            gone = Fallback("attach", f"{device.name}: the device has gone", errno.ENODEV)
            return Outcome(step, "fallback", device, changed=False, fallback=gone)
        outcome = waiting(step, f"{reason}; that happened again and again, each time between the look and the change")
        # Another run of ours was quicker: each of them ends, and then it is our turn.
        attempts += not _is_newly_ours(found, device)
        device = found
    return outcome


def _is_newly_ours(found: Device, before: Device) -> bool:
    former = before.program.id if before.program else None
    return found.program is not None and found.program.owner == OURS and found.program.id != former


def _with_holders(step: Step, observer: Observer) -> Step:
    """A change goes through one of them. Where they cannot be looked for, none is copied from: the device is not joined
    for want of a descriptor or of memory."""
    device = step.device
    if step.action not in CHANGES or device.holders or not device.is_held:
        return step
    (device,) = observer.with_holders([device])
    return replace(step, device=device)


def waiting(step: Step, reason: str) -> Outcome:
    """Nothing can be done now, and nothing was changed."""
    return Outcome(replace(step, action="wait", reason=reason), "wait", step.device, changed=False)
