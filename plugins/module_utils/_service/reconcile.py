# Copyright (c) 2026, virtnet.rss contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to the collection: brings devices to what the policy wants of them. One pass; the kernel's state is the only
# memory, so it may die anywhere and be started again.

from __future__ import annotations

import contextlib
import errno
import functools
import typing as t
from dataclasses import dataclass, field, replace

from ansible_collections.virtnet.rss.plugins.module_utils._errors import (
    DeviceError,
    InputError,
    StateError,
    sentence_of,
)
from ansible_collections.virtnet.rss.plugins.module_utils._look.implementation import (
    Guests,
    descriptors_of,
    processes_of,
)
from ansible_collections.virtnet.rss.plugins.module_utils._look.qemu import mac_of_card
from ansible_collections.virtnet.rss.plugins.module_utils._policy.rules import (
    ABOUT_CARD,
    ABOUT_GUEST,
    Match,
    Rule,
    Subject,
)
from ansible_collections.virtnet.rss.plugins.module_utils._program.prove import Prover
from ansible_collections.virtnet.rss.plugins.module_utils._rss.keys import random_key
from ansible_collections.virtnet.rss.plugins.module_utils._steering.apply import Applier
from ansible_collections.virtnet.rss.plugins.module_utils._steering.desired import for_guest
from ansible_collections.virtnet.rss.plugins.module_utils._steering.kept import KeptPrograms
from ansible_collections.virtnet.rss.plugins.module_utils._steering.model import STEERED, Outcome
from ansible_collections.virtnet.rss.plugins.module_utils._steering.plan import plan
from ansible_collections.virtnet.rss.plugins.module_utils._steering.steer import CHANGES, steer
from ansible_collections.virtnet.rss.plugins.module_utils._text import written_out
from ansible_collections.virtnet.rss.plugins.module_utils._tun.descriptor import copier
from ansible_collections.virtnet.rss.plugins.module_utils._tun.links import find_link, list_links
from ansible_collections.virtnet.rss.plugins.module_utils._tun.lock import PATIENCE, exclusive
from ansible_collections.virtnet.rss.plugins.module_utils._tun.netns import current_namespace, entered, list_namespaces

if t.TYPE_CHECKING:
    from ansible_collections.virtnet.rss.plugins.module_utils._policy.rules import Policy
    from ansible_collections.virtnet.rss.plugins.module_utils._steering.model import Device, Step
    from ansible_collections.virtnet.rss.plugins.module_utils._steering.observe import Observer
    from ansible_collections.virtnet.rss.plugins.module_utils._tun.device_id import DeviceId
    from ansible_collections.virtnet.rss.plugins.module_utils._tun.links import Link
    from ansible_collections.virtnet.rss.plugins.module_utils._tun.netns import Namespace

__all__ = ("How", "Result", "reconcile")

# Memory or descriptors are short; they will be there again.
PASSING = (errno.ENOMEM, errno.EMFILE, errno.ENFILE, errno.EAGAIN, errno.ENOBUFS)
UNPLANNED = Rule("", Match(), None)  # of a device for which no rule could be found
UNSEEN = "who holds it cannot be seen from here"  # in a container, or its descriptors are on their way
NO_GUEST_YET = "libvirt holds it, so its guest does not run yet"
UNKNOWN_CARD = "QEMU's arguments do not tell which of its network cards this is (one plugged in later?)"


@dataclass(frozen=True)
class Result:
    """What a pass found and did with one device."""

    namespace: Namespace
    device: Device  # after the pass
    rule: Rule | None = None  # None: the policy does not speak of it
    outcome: Outcome | None = None  # None: it was left alone, or could not be planned
    reason: str = ""  # why it could not
    soon: bool = False  # it can be planned at any moment, and no look will tell
    guest: str = ""  # libvirt's name of it, where it is known
    policy: Policy | None = None  # that was asked
    planned_with: tuple[object, ...] = ()  # what decided beside the device and the policy

    def still_holds(self, device: Device, policy: Policy, planned_with: tuple[object, ...]) -> bool:
        """Nothing was to be done with it, and nothing that decides has changed. The policy is the very same object:
        hundreds of comparisons of thousands of rules would keep guests waiting."""
        settled = self.action == "none" or (self.action == "ignore" and not self.soon)
        same = self.policy is policy and self.planned_with == planned_with
        return settled and same and self.device == device

    @property
    def action(self) -> str:
        """none, attach, replace, detach, keep, fallback, ignore (left alone, or its guest is switched off) or wait (it
        cannot be planned now)."""
        if self.outcome:
            return self.outcome.action
        return "wait" if self.reason else "ignore"

    @property
    def shortfall(self) -> tuple[str, str] | None:
        """The stage that failed, or wait, and why; None when it is as its rule wants it."""
        if self.outcome and self.outcome.fallback:
            return self.outcome.fallback.stage, self.outcome.fallback.reason
        return ("wait", self.reason) if self.action == "wait" else None

    @property
    def trouble(self) -> str:
        """The same as a text; empty when it is as its rule wants it."""
        return ": ".join(self.shortfall or ()) if self.outcome else self.reason


@dataclass(frozen=True)
class How:
    """How a pass works."""

    check: bool = False  # change nothing
    trial: bool = True  # with check, load and prove each program, to tell which device would fall back
    spared: t.Collection[int] = ()  # programs that stay where they are, whatever the policy says
    patience: float = PATIENCE  # seconds to wait for another writer
    alive: t.Callable[[], None] = lambda: None  # called before each device: many take longer than a watchdog waits
    resting: t.Mapping[DeviceId, str] = field(default_factory=dict)  # devices that are not changed now, and why
    before: t.Mapping[DeviceId, Result] = field(default_factory=dict)  # of earlier passes
    guests: Guests = field(default_factory=Guests)  # that are known already
    prover: Prover = field(default_factory=Prover)  # with what it has proven already
    kept: KeptPrograms = field(default_factory=KeptPrograms)  # with what it has attached already


def reconcile(
    observer: Observer,
    policy: Policy,
    namespaces: t.Sequence[Namespace] | None = None,
    *,
    only: t.Collection[DeviceId] | None = None,
    how: How = How(),
) -> list[Result]:
    """One pass over the devices of some namespaces (all that the policy speaks of), or over the named ones.

    Nothing is locked while there is nothing to change. StateError when another writer keeps the lock for too long.
    """
    results: list[Result] = []
    if namespaces is None:
        namespaces = namespaces_of(policy)
    with how.guests.one_pass():
        for namespace in namespaces:
            if not (namespace.is_current or policy.needs_other_namespaces):
                continue
            wanted = None if only is None else {ifindex for inode, ifindex in only if inode == namespace.inode}
            if wanted is not None and not wanted:
                continue
            with contextlib.ExitStack() as stack:
                try:
                    stack.enter_context(entered(namespace))
                except DeviceError:  # the namespace has gone, and its devices with it
                    continue
                results += _pass(observer, policy, namespace, wanted, how)
    return results


def _pass(observer: Observer, policy: Policy, namespace: Namespace, wanted: set[int] | None, how: How) -> list[Result]:
    devices = [device for device in observer.devices() if wanted is None or device.ifindex in wanted]
    if not devices:
        return []
    planner = _Planner(policy, namespace, how, _links(wanted))
    lock = functools.partial(_locked, how)
    with contextlib.closing(copier()) as copies:
        applier = Applier(
            check=how.check,
            inspector=lambda: observer.inspector,
            lock=lock,
            copies=copies,
            prover=how.prover,
            kept=how.kept,
        )
        apply = functools.partial(_applied, applier) if how.trial or not how.check else _as_planned
        return [planner.deal_with(device, observer, apply) for device in observer.with_holders(devices)]


def namespaces_of(policy: Policy) -> list[Namespace]:
    """Those that it can speak of: to find others takes a look at every process, and anybody may make thousands."""
    return list_namespaces() if policy.needs_other_namespaces else [current_namespace()]


@contextlib.contextmanager
def _locked(how: How) -> t.Iterator[None]:
    with exclusive(timeout=how.patience):
        how.alive()
        yield


def _links(wanted: set[int] | None) -> dict[int, Link]:
    """By ifindex."""
    links = list_links() if wanted is None else filter(None, map(find_link, wanted))
    return {link.ifindex: link for link in links}


class _Planner:
    """Looks for the rule of each device of one namespace, and deals with one after the other."""

    def __init__(self, policy: Policy, namespace: Namespace, how: How, links: t.Mapping[int, Link]) -> None:
        self._policy = policy
        self._namespace = namespace
        self._how = how
        self._links = links
        self._guests = how.guests

    def deal_with(self, device: Device, observer: Observer, apply: t.Callable[[Step], Outcome]) -> Result:
        """Plan, change where a change is needed, and tell; whatever fails costs this device alone."""
        link = self._links.get(device.ifindex)
        planned_with = (self._namespace, link.altnames, link.address) if link else ()
        before = self._how.before.get(device.id)
        if before and link and not observer.blind and before.still_holds(device, self._policy, planned_with):
            return before
        result = self._dealt_with(device, observer, apply)
        return replace(result, policy=self._policy, planned_with=planned_with)

    def _dealt_with(self, device: Device, observer: Observer, apply: t.Callable[[Step], Outcome]) -> Result:
        planned = Result(self._namespace, device)
        self._how.alive()

        def plan_for(now: Device) -> Step | None:
            nonlocal planned
            planned, step = self._plan(now, observer.blind)
            return step

        try:
            outcome = steer(device, plan_for=plan_for, observer=observer, apply=apply)
        except StateError:  # another writer keeps the lock: it would be waited for at each device
            raise
        except Exception as exc:  # whatever is odd about one device or its guest keeps no other one waiting
            return replace(planned, rule=planned.rule or UNPLANNED, reason=sentence_of(exc))
        if outcome is None:
            return planned
        return replace(planned, device=outcome.after, outcome=outcome, reason=outcome.step.reason)

    def _plan(self, device: Device, blind: str) -> tuple[Result, Step | None]:
        link = self._links.get(device.ifindex) or find_link(device.ifindex)
        if link is None:
            raise DeviceError(f"{device.name}: the device has gone", errno=errno.ENODEV, device=device.name)
        subject, why = _subject(device, self._namespace, self._guests, link)
        answer = self._policy.ask(subject)
        rule = answer.rule
        found = Result(self._namespace, device, rule, guest=subject.domain)
        if answer.missing:
            reason = f"{why}, and the rule asks for {' and '.join(answer.missing)}"
            return replace(found, reason=reason, soon=why == NO_GUEST_YET), None
        spared = device.program and device.program.id in self._how.spared
        if rule is None or rule.desired is None or spared:
            return found, None
        try:
            identity = self._guests.identity_of(device, link.address) if rule.desired.hash_seed else ""
            desired = for_guest(rule.desired, identity)
            step = plan(desired, device, new_key=lambda: self._how.kept.key_of(device) or random_key())
        except (InputError, StateError) as exc:  # such as a rule for more queues than are attached now
            if not device.queues + device.disabled_queues:  # a guest that is switched off is no trouble
                return found, None
            return replace(found, reason=str(exc)), None
        if step.action == "keep" and blind:
            return replace(found, reason=f"what steers it cannot be told: {blind}"), None
        if step.action in CHANGES and device.id in self._how.resting:
            return replace(found, reason=self._how.resting[device.id]), None
        return found, step


def _as_planned(step: Step) -> Outcome:
    """Nothing was tried."""
    return Outcome(step, step.action, step.device, changed=step.action in CHANGES)


def _applied(applier: Applier, step: Step) -> Outcome:
    """A shortage that passes takes nothing from a guest: a program of ours that works stays until the next try."""
    outcome = applier.apply(replace(step, fallback="keep" if step.fallback == "disable" else step.fallback))
    works = step.device.state == STEERED and step.action == "replace"
    if outcome.fallback is None or step.fallback != "disable" or not works or outcome.fallback.errno in PASSING:
        return outcome
    detached = applier.apply(replace(step, action="detach"))
    if detached.fallback:
        reason = f"{outcome.fallback.reason}; detaching failed too: {detached.fallback.reason}"
        return replace(detached, step=step, fallback=replace(outcome.fallback, reason=reason))
    return replace(detached, step=step, action="fallback", fallback=outcome.fallback)


def _subject(device: Device, namespace: Namespace, guests: Guests, link: Link) -> tuple[Subject, str]:
    """What a rule may ask, and why some of it is not known: a program that a later rule attaches would stay when the
    guest is one to be left alone."""
    names = tuple(map(written_out, link.altnames))
    here = Subject(written_out(device.name), namespace.label, namespace.is_current, names=names)
    processes = processes_of(device)
    # libvirt opens the queues itself and starts QEMU with them later. Asked before what is known of the guest is read,
    # for QEMU may take libvirt's place in between.
    if processes and all(map(guests.is_libvirt, processes)):
        return replace(here, unknown=ABOUT_GUEST), NO_GUEST_YET
    if not processes and device.queues + device.disabled_queues:
        mac = mac_of_card(link.address)
        return replace(here, mac=mac, unknown=ABOUT_GUEST - {"mac"} if mac else ABOUT_GUEST), UNSEEN
    here = replace(here, holders=tuple(dict.fromkeys(holder.command for holder in device.holders)))
    for process in processes:
        guest = guests.guest(process)
        if guest and guest.oddity:
            return replace(here, unknown=ABOUT_GUEST - {"holder"}), f"the process that holds it is odd: {guest.oddity}"
        if guest:
            nic = guest.nic_of(device.name, descriptors_of(device, process), link.address)
            mac = nic.mac if nic else mac_of_card(link.address)
            here = replace(here, domain=guest.name, mac=mac, interface=nic.index if nic else None)
            unknown = frozenset() if nic else ABOUT_CARD - {"mac"} if mac else ABOUT_CARD
            return replace(here, unknown=unknown), "" if nic else UNKNOWN_CARD
    return here, ""
