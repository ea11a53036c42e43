# Copyright (c) 2026, virtnet.rss contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to the collection: one run of steering without Ansible: select, observe, plan, apply, look again.

from __future__ import annotations

import contextlib
import time
import typing as t
from dataclasses import dataclass, replace

from ansible_collections.virtnet.rss.plugins.module_utils._errors import (
    InputError,
    ObjectError,
    StateError,
    VirtnetRssError,
)
from ansible_collections.virtnet.rss.plugins.module_utils._names.selection import names_of, select
from ansible_collections.virtnet.rss.plugins.module_utils._rss.keys import guest_identity, random_key
from ansible_collections.virtnet.rss.plugins.module_utils._steering.apply import Applier
from ansible_collections.virtnet.rss.plugins.module_utils._steering.desired import for_guest
from ansible_collections.virtnet.rss.plugins.module_utils._steering.model import (
    AUTOMATIC,
    STEERED,
    UNKNOWN,
    Fallback,
    Outcome,
    Step,
)
from ansible_collections.virtnet.rss.plugins.module_utils._steering.observe import Observer
from ansible_collections.virtnet.rss.plugins.module_utils._steering.plan import check_table, plan
from ansible_collections.virtnet.rss.plugins.module_utils._steering.steer import CHANGES, steer
from ansible_collections.virtnet.rss.plugins.module_utils._tun.descriptor import copier
from ansible_collections.virtnet.rss.plugins.module_utils._tun.links import list_links
from ansible_collections.virtnet.rss.plugins.module_utils._tun.lock import exclusive

if t.TYPE_CHECKING:
    from ansible_collections.virtnet.rss.plugins.module_utils._steering.model import Desired, Device
    from ansible_collections.virtnet.rss.plugins.module_utils._tun.device_id import DeviceId

__all__ = ("Run", "run")

WAIT_WORTH_TELLING = 0.5  # seconds
GRACE_PERIOD = 1.0  # seconds; the kernel frees a detached program some milliseconds later, seldom more than 100


@dataclass(frozen=True)
class Run:
    """The outcomes, in the order in which the task names the devices, and what is to be said of them."""

    outcomes: tuple[Outcome, ...]
    warnings: tuple[str, ...]
    refusals: tuple[VirtnetRssError, ...] = ()  # why devices that were named were left as they are, or all of them


class _Waited:
    """The lock of the one writer, and how long it was waited for in all."""

    def __init__(self) -> None:
        self.seconds = 0.0

    @contextlib.contextmanager
    def lock(self) -> t.Iterator[None]:
        with exclusive() as seconds:
            self.seconds += seconds
            yield


class _Devices:
    """The devices of one run, each dealt with by itself."""

    def __init__(self, desired_for: t.Callable[[Device], Desired], observer: Observer, applier: Applier) -> None:
        self._desired_for = desired_for
        self._observer = observer
        self._applier = applier
        self.refused: dict[DeviceId, VirtnetRssError] = {}

    def steer(self, devices: t.Sequence[Device]) -> t.Iterator[Outcome]:
        done = False
        for device in self._held(devices):
            try:
                outcome = self._steer(device)
            except StateError as exc:  # another writer keeps the lock
                if not done:
                    raise
                reason = Fallback("attach", str(exc), exc.errno)
                outcome = Outcome(Step(device, "wait"), "fallback", device, changed=False, fallback=reason)
            done = done or outcome.changed
            yield outcome

    def _held(self, devices: t.Sequence[Device]) -> list[Device]:
        """With their holders, where some are to be changed: one look at the host's files answers for all of them."""
        steps = [self._planned(device) for device in devices]
        self.refused.clear()
        changed = [step.device for step in steps if step.action in CHANGES]
        held: dict[DeviceId, Device] = {}
        with contextlib.suppress(ObjectError):  # each change asks again, and tells
            held = {device.id: device for device in self._observer.with_holders(changed)} if changed else {}
        return [held.get(device.id, device) for device in devices]

    def _steer(self, device: Device) -> Outcome:
        outcome = steer(device, plan_for=self._planned, observer=self._observer, apply=self._applier.apply)
        if outcome is None:
            raise StateError(f"{device.name}: nothing was planned for it", device=device.name)
        return outcome

    def _planned(self, device: Device) -> Step:
        """What cannot be had costs this device alone."""
        self.refused.pop(device.id, None)
        try:
            return plan(self._desired_for(device), device, new_key=random_key)
        except (InputError, StateError) as exc:
            self.refused[device.id] = exc
            return Step(device, "wait", reason=str(exc))


def run(
    taps: t.Sequence[str],
    desired: Desired,
    *,
    only: t.Collection[DeviceId] | None = None,
    check: bool = False,
    identity_of: t.Callable[[Device, str], str] = lambda device, _address: guest_identity(device=device.name),
) -> Run:
    """Bring the named TAP devices of the current network namespace to the desired steering, one by one; with ``only``
    those of them, which then count as named one by one.

    ``identity_of`` tells what belongs to the guest of a device, for a desired ``hash_seed``; it is also given the
    device's address. InputError or StateError before anything is changed; what fails afterwards is part of the outcome.
    Nothing is locked while there is nothing to change.
    """
    check_table(desired)
    waited = _Waited()
    with contextlib.ExitStack() as stack:
        with _state_errors():
            links, unmatched = select("taps", taps, list_links())
            observer = stack.enter_context(Observer())
            found = [device for device in observer.devices(links) if only is None or device.id in only]
            if only and not found:
                raise StateError("the devices of this guest have gone")
            if desired.hash_seed:  # the key belongs to a guest, whom its holder tells
                found = observer.with_holders(found)
        addresses = {link.ifindex: link.address for link in links}

        def desired_for(device: Device) -> Desired:
            identity = identity_of(device, addresses.get(device.ifindex, "")) if desired.hash_seed else ""
            return for_guest(desired, identity)

        copies = stack.enter_context(contextlib.closing(copier()))
        applier = Applier(check=check, inspector=lambda: observer.inspector, lock=waited.lock, copies=copies)
        devices = _Devices(desired_for, observer, applier)
        warnings = list(unmatched)
        with _state_errors():
            outcomes = list(devices.steer(found))
        if waited.seconds > WAIT_WORTH_TELLING:
            warnings.append(f"waited {waited.seconds:.1f} seconds for another run to finish")
        if not check and any(outcome.action not in ("none", "keep", "wait") for outcome in outcomes):
            try:
                with _state_errors():
                    outcomes = _look_again(observer, outcomes)
            except VirtnetRssError as exc:
                warnings.append(f"what was done is reported as it was meant to be: {exc}")
        refusals = _refusals(outcomes, devices.refused, observer.blind)
    for outcome in outcomes:
        warnings += outcome.warnings
    named = {link.ifindex for link in links if only or not {link.name, *names_of(link)}.isdisjoint(taps)}
    warnings += [str(exc) for device, exc in refusals if device.ifindex not in named and not observer.blind]
    failed = tuple(exc for device, exc in refusals if device.ifindex in named or observer.blind)
    return Run(tuple(outcomes), tuple(warnings), failed)


def _refusals(
    outcomes: t.Iterable[Outcome], refused: t.Mapping[DeviceId, VirtnetRssError], blind: str
) -> list[tuple[Device, VirtnetRssError]]:
    """Why devices were left as they are: nothing fits them, they did not hold still, or nobody may look at them."""
    found: list[tuple[Device, VirtnetRssError]] = []
    for outcome in outcomes:
        device = outcome.step.device
        if device.id in refused:
            found.append((device, refused[device.id]))
        elif outcome.action == "wait" or (outcome.action == "keep" and blind):
            found.append((device, StateError(outcome.step.reason, device=device.name)))
    return found


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
    return {device.ifindex: device for device in observer.with_holders(observer.devices(links))}


def _was_detached(outcome: Outcome) -> bool:
    return bool(outcome.way) and outcome.after.state == AUTOMATIC


def _lingers(outcome: Outcome, now: dict[int, Device]) -> bool:
    """A program that this run detached is still there. The look that needs no BTF would take it for an attached one,
    now and in a run that follows at once."""
    device = now.get(outcome.step.device.ifindex)
    return _was_detached(outcome) and device is not None and device.state == STEERED


def _settled(outcome: Outcome, now: Device | None) -> Outcome:
    if now is None:
        if outcome.fallback:  # which says so
            return outcome
        return replace(outcome, warnings=(f"{outcome.step.device.name}: the device has gone during the run",))
    meant, found = outcome.after.program, now.program
    is_it = not found or (meant and found.id == meant.id)
    if now.state == UNKNOWN and outcome.way and is_it:  # nobody can see or read it, but this run did it
        now = now._replace(state=outcome.after.state, reason="", program=meant)
        found = meant
    warnings = outcome.warnings
    if outcome.after.state == STEERED and meant and (found is None or found.id != meant.id):
        warnings += (f"{now.name}: the program was taken off again at once, most likely by the device's holder",)
    return replace(outcome, after=now, warnings=warnings)
