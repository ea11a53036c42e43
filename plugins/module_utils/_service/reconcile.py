# Copyright (c) 2026, virtnet.rss contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to the collection: brings devices to what the policy wants of them. One pass; the kernel's state is the only
# memory, so it may die anywhere and be started again.

from __future__ import annotations

import contextlib
import errno
import typing as t
from dataclasses import dataclass, field, replace

from ansible_collections.virtnet.rss.plugins.module_utils._errors import DeviceError, VirtnetRssError, sentence_of
from ansible_collections.virtnet.rss.plugins.module_utils._look.implementation import Guests
from ansible_collections.virtnet.rss.plugins.module_utils._look.qemu import is_libvirt, mac_of_card
from ansible_collections.virtnet.rss.plugins.module_utils._policy.rules import (
    ABOUT_CARD,
    ABOUT_GUEST,
    Match,
    Rule,
    Subject,
)
from ansible_collections.virtnet.rss.plugins.module_utils._rss.keys import random_key
from ansible_collections.virtnet.rss.plugins.module_utils._steering.apply import Applier
from ansible_collections.virtnet.rss.plugins.module_utils._steering.desired import for_guest
from ansible_collections.virtnet.rss.plugins.module_utils._steering.model import STEERED, UNKNOWN, Device
from ansible_collections.virtnet.rss.plugins.module_utils._steering.plan import plan
from ansible_collections.virtnet.rss.plugins.module_utils._text import written_out
from ansible_collections.virtnet.rss.plugins.module_utils._tun.device_id import DeviceId
from ansible_collections.virtnet.rss.plugins.module_utils._tun.links import list_links
from ansible_collections.virtnet.rss.plugins.module_utils._tun.lock import PATIENCE, exclusive
from ansible_collections.virtnet.rss.plugins.module_utils._tun.netns import entered

if t.TYPE_CHECKING:
    from ansible_collections.virtnet.rss.plugins.module_utils._policy.rules import Policy
    from ansible_collections.virtnet.rss.plugins.module_utils._steering.model import Desired, Outcome, Step
    from ansible_collections.virtnet.rss.plugins.module_utils._steering.observe import Observer
    from ansible_collections.virtnet.rss.plugins.module_utils._tun.links import Link
    from ansible_collections.virtnet.rss.plugins.module_utils._tun.netns import Namespace

__all__ = ("How", "Result", "reconcile")

CHANGES = ("attach", "replace", "detach")
# Memory or descriptors are short; they will be there again.
PASSING = (errno.ENOMEM, errno.EMFILE, errno.ENFILE, errno.EAGAIN, errno.ENOBUFS)
UNPLANNED = Rule("", Match(), None)  # of a device for which no rule could be found
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

    @property
    def action(self) -> str:
        """none, attach, replace, detach, keep, fallback, ignore (left alone) or wait (it cannot be planned now)."""
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
    spared: t.Collection[int] = ()  # programs that stay where they are, whatever the policy says
    patience: float = PATIENCE  # seconds to wait for another writer
    alive: t.Callable[[], None] = lambda: None  # called before each change: many take longer than a watchdog waits
    resting: t.Mapping[DeviceId, str] = field(default_factory=dict)  # devices that are not changed now, and why


class Planned(t.NamedTuple):
    device: Device
    rule: Rule | None
    step: Step | None
    reason: str = ""
    soon: bool = False
    guest: str = ""


def reconcile(
    observer: Observer,
    policy: Policy,
    namespaces: t.Sequence[Namespace],
    *,
    only: t.Collection[DeviceId] | None = None,
    how: How = How(),
) -> list[Result]:
    """One pass over the devices of some namespaces, or over the named ones.

    Nothing is locked while there is nothing to change. StateError when another writer keeps the lock for too long.
    """
    results: list[Result] = []
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
    planned = _plan(observer, policy, namespace, wanted, how)
    if how.check or not any(each.step and each.step.action in CHANGES for each in planned):
        return _apply(namespace, planned, how)
    with exclusive(timeout=how.patience):
        # Another writer may have done it meanwhile.
        return _apply(namespace, _plan(observer, policy, namespace, wanted, how), how)


def _plan(observer: Observer, policy: Policy, namespace: Namespace, wanted: set[int] | None, how: How) -> list[Planned]:
    links = [link for link in list_links() if wanted is None or link.ifindex in wanted]
    by_ifindex = {link.ifindex: link for link in links}
    guests = Guests()
    planned = []
    for device, unseen in _look(observer, namespace, links):
        try:
            planned.append(_planned(device, unseen, policy, namespace, guests, by_ifindex[device.ifindex], how))
        except Exception as exc:  # whatever is odd about one device or its guest keeps no other one waiting
            planned.append(Planned(device, UNPLANNED, None, sentence_of(exc)))
    return planned


def _planned(
    device: Device, unseen: str, policy: Policy, namespace: Namespace, guests: Guests, link: Link, how: How
) -> Planned:
    subject, why = _subject(device, namespace, guests, link)
    answer = policy.ask(subject)
    rule = answer.rule
    if answer.missing:
        reason = f"{why}, and the rule asks for {' and '.join(answer.missing)}"
        return Planned(device, rule, None, reason, soon=why == NO_GUEST_YET)
    spared = device.program and device.program.id in how.spared
    if rule is None or rule.desired is None or spared:
        return Planned(device, rule, None)
    if unseen:
        return Planned(device, rule, None, unseen)
    try:
        desired = for_guest(rule.desired, guests.identity_of(device, link.address))
        step = plan(desired, device, new_key=random_key)
    except VirtnetRssError as exc:  # such as a rule for more queues than are attached now
        return Planned(device, rule, None, str(exc), guest=subject.domain)
    if step.action in CHANGES and device.id in how.resting:
        return Planned(device, rule, None, how.resting[device.id], guest=subject.domain)
    return Planned(device, rule, step, guest=subject.domain)


def _look(observer: Observer, namespace: Namespace, links: list[Link]) -> list[tuple[Device, str]]:
    """Each device, and why it cannot be looked at. One that goes, or cannot be opened for the look, does not keep
    the others from it: they are looked at one by one."""
    try:
        return [(device, "") for device in observer.devices(links)]
    except DeviceError as exc:
        if len(links) != 1:
            return [found for link in links for found in _look(observer, namespace, [link])]
        (link,) = links
        if exc.errno == errno.ENODEV:
            return []
        device = Device(
            link.name, DeviceId(namespace.inode, link.ifindex), link.tun_flags, link.queues or 0, reason=str(exc)
        )
        return [(device, str(exc))]


def _apply(namespace: Namespace, planned: list[Planned], how: How) -> list[Result]:
    applier = Applier(check=how.check)
    results = []
    for device, rule, step, reason, soon, guest in planned:
        if step is None or rule is None or rule.desired is None:
            results.append(Result(namespace, device, rule, None, reason, soon, guest))
            continue
        if step.action in CHANGES:
            how.alive()
        try:
            outcome = _applied(applier, step, _fallback(device, rule.desired))
        except Exception as exc:
            results.append(Result(namespace, device, rule, None, sentence_of(exc), guest=guest))
            continue
        results.append(Result(namespace, outcome.after, rule, outcome, step.reason, guest=guest))
    return results


def _applied(applier: Applier, step: Step, fallback: str) -> Outcome:
    """A shortage that passes takes nothing from a guest: a program of ours that works stays until the next try."""
    outcome = applier.apply(replace(step, fallback="keep" if fallback == "disable" else fallback))
    works = step.device.state == STEERED and step.action == "replace"
    if outcome.fallback is None or fallback != "disable" or not works or outcome.fallback.errno in PASSING:
        return outcome
    detached = applier.apply(replace(step, action="detach"))
    if detached.fallback:
        reason = f"{outcome.fallback.reason}; detaching failed too: {detached.fallback.reason}"
        return replace(detached, step=step, fallback=replace(outcome.fallback, reason=reason))
    return replace(detached, step=step, action="fallback", fallback=outcome.fallback)


def _fallback(device: Device, desired: Desired) -> str:
    """A host that cannot even look (no libbpf, such as in the middle of an upgrade, or bpf() refused) cannot attach
    either: a guest that is steered shall not lose that."""
    return "keep" if device.state == UNKNOWN and desired.fallback == "disable" else desired.fallback


def _subject(device: Device, namespace: Namespace, guests: Guests, link: Link) -> tuple[Subject, str]:
    """What a rule may ask, and why some of it is not known: a program that a later rule attaches would stay when the
    guest is one to be left alone."""
    names = tuple(map(written_out, link.altnames))
    here = Subject(written_out(device.name), namespace.name, namespace.is_current, names=names)
    pids = dict.fromkeys(holder.pid for holder in device.holders)
    # libvirt opens the queues itself and starts QEMU with them later. Asked before what is known of the guest is read,
    # for QEMU may take libvirt's place in between.
    if pids and all(map(is_libvirt, pids)):
        return replace(here, unknown=ABOUT_GUEST), NO_GUEST_YET
    here = replace(here, holders=tuple(dict.fromkeys(holder.command for holder in device.holders)))
    for pid in pids:
        guest = guests.guest(pid)
        if guest and guest.oddity:
            return replace(here, unknown=ABOUT_GUEST - {"holder"}), f"the QEMU that holds it is odd: {guest.oddity}"
        if guest:
            held = [holder.descriptor for holder in device.holders if holder.pid == pid]
            nic = guest.nic_of(device.name, held, link.address)
            mac = nic.mac if nic else mac_of_card(link.address)
            here = replace(here, domain=guest.name, mac=mac, interface=nic.index if nic else None)
            unknown = frozenset() if nic else ABOUT_CARD - {"mac"} if mac else ABOUT_CARD
            return replace(here, unknown=unknown), "" if nic else UNKNOWN_CARD
    return here, ""
