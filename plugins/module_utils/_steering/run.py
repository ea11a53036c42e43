# Copyright (c) 2026, virtnet.rss contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to the collection: one run of steering without Ansible: select, observe, plan, apply, look again.

from __future__ import annotations

import contextlib
import time
import typing as t
from dataclasses import dataclass, replace

from ansible_collections.virtnet.rss.plugins.module_utils._errors import StateError, VirtnetRssError
from ansible_collections.virtnet.rss.plugins.module_utils._rss.keys import guest_identity, random_key
from ansible_collections.virtnet.rss.plugins.module_utils._steering.apply import Applier
from ansible_collections.virtnet.rss.plugins.module_utils._steering.desired import for_guest
from ansible_collections.virtnet.rss.plugins.module_utils._steering.model import AUTOMATIC, STEERED, UNKNOWN, Outcome
from ansible_collections.virtnet.rss.plugins.module_utils._steering.observe import Observer
from ansible_collections.virtnet.rss.plugins.module_utils._steering.plan import plan
from ansible_collections.virtnet.rss.plugins.module_utils._tun.links import list_links
from ansible_collections.virtnet.rss.plugins.module_utils._tun.lock import exclusive
from ansible_collections.virtnet.rss.plugins.module_utils._tun.selection import select

if t.TYPE_CHECKING:
    from ansible_collections.virtnet.rss.plugins.module_utils._steering.model import Desired, Device

__all__ = ("Run", "run")

WAIT_WORTH_TELLING = 0.5  # seconds
GRACE_PERIOD = 1.0  # seconds; the kernel frees a detached program some milliseconds later, seldom more than 100


@dataclass(frozen=True)
class Run:
    """The outcomes, in the order in which the task names the devices, and warnings for the user."""

    outcomes: tuple[Outcome, ...]
    warnings: tuple[str, ...]


def run(
    taps: t.Sequence[str],
    desired: Desired,
    *,
    check: bool = False,
    identity_of: t.Callable[[Device, str], str] = lambda device, _address: guest_identity(device=device.name),
) -> Run:
    """Bring the named TAP devices of the current network namespace to the desired steering.

    ``identity_of`` tells what belongs to the guest of a device, for a desired ``hash_seed``; it is also given the
    device's address. InputError or StateError before anything is changed; what fails afterwards is part of the outcome.
    """
    with contextlib.ExitStack() as stack:
        waited = 0.0 if check else stack.enter_context(exclusive())
        with _state_errors():
            links, warnings = select("taps", taps, list_links())
            observer = stack.enter_context(Observer())
            addresses = {link.ifindex: link.address for link in links}
            steps = []
            for device in observer.devices(links):
                identity = identity_of(device, addresses[device.ifindex]) if desired.hash_seed else ""
                steps.append(plan(for_guest(desired, identity), device, new_key=random_key))
        if waited > WAIT_WORTH_TELLING:
            warnings.append(f"waited {waited:.1f} seconds for another run to finish")
        applier = Applier(check=check)
        outcomes = [applier.apply(step) for step in steps]
        if not check and any(outcome.action not in ("none", "keep") for outcome in outcomes):
            try:
                with _state_errors():
                    outcomes = _look_again(observer, outcomes)
            except VirtnetRssError as exc:
                warnings.append(f"what was done is reported as it was meant to be: {exc}")
    for outcome in outcomes:
        warnings += outcome.warnings
    return Run(tuple(outcomes), tuple(warnings))


@contextlib.contextmanager
def _state_errors() -> t.Iterator[None]:
    """What the host refuses while it is looked at, such as another descriptor, in one sentence."""
    try:
        yield
    except OSError as exc:
        raise StateError(f"the devices cannot be looked at: {exc.strerror}", errno=exc.errno) from exc


def _look_again(observer: Observer, outcomes: list[Outcome]) -> list[Outcome]:
    """Put what the kernel says now in place of what was meant to be."""
    deadline = time.monotonic() + GRACE_PERIOD
    while True:
        now = _look(observer, outcomes)
        if not any(_lingers(outcome, now) for outcome in outcomes) or time.monotonic() > deadline:
            return [_settled(outcome, now.get(outcome.step.device.ifindex)) for outcome in outcomes]
        time.sleep(0.01)


def _look(observer: Observer, outcomes: list[Outcome]) -> dict[int, Device]:
    present = {outcome.step.device.ifindex for outcome in outcomes}
    links = [link for link in list_links() if link.ifindex in present]
    return {device.ifindex: device for device in observer.devices(links)}


def _was_detached(outcome: Outcome) -> bool:
    return bool(outcome.way) and outcome.after.state == AUTOMATIC


def _lingers(outcome: Outcome, now: dict[int, Device]) -> bool:
    """A program that this run detached is still there. The look that needs no BTF would take it for an attached one,
    now and in a run that follows at once."""
    device = now.get(outcome.step.device.ifindex)
    return _was_detached(outcome) and device is not None and device.state == STEERED


def _settled(outcome: Outcome, now: Device | None) -> Outcome:
    if now is None:
        return replace(outcome, warnings=(f"{outcome.step.device.name}: the device has gone during the run",))
    meant, found = outcome.after.program, now.program
    is_it = not found or (meant and found.id == meant.id)
    if now.state == UNKNOWN and outcome.way and is_it:  # nobody can see or read it, but this run did it
        now = replace(now, state=outcome.after.state, reason="", suspicion="", program=meant)
        found = meant
    warnings: tuple[str, ...] = ()
    if outcome.after.state == STEERED and meant and (found is None or found.id != meant.id):
        warnings = (f"{now.name}: the program was taken off again at once, most likely by the device's holder",)
    return replace(outcome, after=now, warnings=warnings)
