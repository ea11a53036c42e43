# Copyright (c) 2026, virtnet.rss contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to the collection: one run of steering without Ansible: select, observe, plan, apply, look again.

from __future__ import annotations

import contextlib
import typing as t
from dataclasses import dataclass, replace

from ansible_collections.virtnet.rss.plugins.module_utils._rss.keys import random_key
from ansible_collections.virtnet.rss.plugins.module_utils._steering.apply import Applier
from ansible_collections.virtnet.rss.plugins.module_utils._steering.lock import exclusive
from ansible_collections.virtnet.rss.plugins.module_utils._steering.model import STEERED, Outcome
from ansible_collections.virtnet.rss.plugins.module_utils._steering.observe import Observer
from ansible_collections.virtnet.rss.plugins.module_utils._steering.plan import plan
from ansible_collections.virtnet.rss.plugins.module_utils._tun.rtnetlink import list_links
from ansible_collections.virtnet.rss.plugins.module_utils._tun.selection import select

if t.TYPE_CHECKING:
    from ansible_collections.virtnet.rss.plugins.module_utils._steering.model import Desired, Device

__all__ = ("Run", "run")

WAIT_WORTH_TELLING = 0.5  # seconds


@dataclass(frozen=True)
class Run:
    """The outcomes, in the order in which the task names the devices, and warnings for the user."""

    outcomes: tuple[Outcome, ...]
    warnings: tuple[str, ...]


def run(taps: t.Sequence[str], desired: Desired, *, verify: bool = True, check: bool = False) -> Run:
    """Bring the named TAP devices of the current network namespace to the desired steering.

    InputError or StateError before anything is changed; what fails afterwards is part of the outcome.
    """
    with contextlib.ExitStack() as stack:
        waited = 0.0 if check else stack.enter_context(exclusive())
        links, warnings = select("taps", taps, list_links())
        if waited > WAIT_WORTH_TELLING:
            warnings.append(f"waited {waited:.1f} seconds for another run to finish")
        observer = stack.enter_context(Observer())
        steps = plan(desired, observer.devices(links), new_key=random_key)
        applier = Applier(fallback=desired.fallback, verify=verify, check=check)
        outcomes = [applier.apply(step) for step in steps]
        if not check and any(outcome.action not in ("none", "keep") for outcome in outcomes):
            outcomes = _look_again(observer, outcomes)
    for outcome in outcomes:
        warnings += outcome.warnings
    return Run(tuple(outcomes), tuple(warnings))


def _look_again(observer: Observer, outcomes: list[Outcome]) -> list[Outcome]:
    """Put what the kernel says now in place of what was meant to be."""
    present = {outcome.step.device.ifindex for outcome in outcomes}
    links = [link for link in list_links() if link.ifindex in present]
    now = {device.ifindex: device for device in observer.devices(links)}
    return [_settled(outcome, now.get(outcome.step.device.ifindex)) for outcome in outcomes]


def _settled(outcome: Outcome, now: Device | None) -> Outcome:
    if now is None:
        return replace(outcome, warnings=(f"{outcome.step.device.name}: the device has gone during the run",))
    meant, found = outcome.after.program, now.program
    warnings: tuple[str, ...] = ()
    if outcome.after.state == STEERED and meant and (found is None or found.id != meant.id):
        warnings = (f"{now.name}: the program was taken off again at once, most likely by the device's holder",)
    return replace(outcome, after=now, warnings=warnings)
