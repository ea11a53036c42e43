# Copyright (c) 2026, virtnet.rss contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to the collection: what has to be done to a persistent TAP device. Pure; all idempotence lives here.

from __future__ import annotations

import typing as t
from dataclasses import dataclass, replace

from ansible_collections.virtnet.rss.plugins.module_utils._errors import InputError, NotThereError, StateError
from ansible_collections.virtnet.rss.plugins.module_utils._names.selection import check_name
from ansible_collections.virtnet.rss.plugins.module_utils._tun.ioctls import IFF_MULTI_QUEUE, IFF_PERSIST, IFF_VNET_HDR

if t.TYPE_CHECKING:
    from ansible_collections.virtnet.rss.plugins.module_utils._tun.holders import Holder
    from ansible_collections.virtnet.rss.plugins.module_utils._tun.links import Link

__all__ = (
    "BRIDGE",
    "CREATE",
    "DOWN",
    "MTU",
    "OWNERSHIP",
    "REMOVE",
    "UP",
    "Desired",
    "Observed",
    "Plan",
    "Tap",
    "check_desired",
    "current_tap",
    "plan",
)

CREATE, REMOVE, OWNERSHIP, MTU, BRIDGE, UP, DOWN = "create", "remove", "ownership", "mtu", "bridge", "up", "down"

MTU_MIN, MTU_MAX = 68, 65521  # drivers/net/tun.c: MIN_MTU, and MAX_MTU less the Ethernet header
NEW_MTU = 1500


@dataclass(frozen=True)
class Desired:
    """What the task asks for. None leaves the property of an existing device alone."""

    name: str
    present: bool = True
    multi_queue: bool = True
    vnet_hdr: bool = True
    up: bool = True
    owner: int | None = None
    group: int | None = None
    mtu: int | None = None
    bridge: str | None = None  # empty: in no bridge


@dataclass(frozen=True)
class Observed:
    """One look at the host."""

    link: Link | None = None  # what answers to the name
    master: Link | None = None  # what it is a port of
    bridge: Link | None = None  # what answers to the name of the bridge that is asked for
    holders: tuple[Holder, ...] = ()


@dataclass(frozen=True)
class Tap:
    """A TAP device as far as this module cares."""

    name: str
    ifindex: int | None  # None: it is not made yet
    multi_queue: bool
    vnet_hdr: bool
    owner: int | None = None
    group: int | None = None
    mtu: int = NEW_MTU
    bridge: str = ""
    up: bool = False
    queues: int = 0


@dataclass(frozen=True)
class Plan:
    """Actions in their order, with the device before and after them (None: there is none)."""

    actions: tuple[str, ...] = ()
    before: Tap | None = None
    after: Tap | None = None
    bridge_ifindex: int | None = None  # for BRIDGE; None releases


def check_desired(desired: Desired) -> None:
    """InputError for values that no kernel takes."""
    check_name("name", desired.name)
    if desired.bridge:
        check_name("bridge", desired.bridge)
    if desired.mtu is not None and not MTU_MIN <= desired.mtu <= MTU_MAX:
        raise InputError("mtu", desired.mtu, f"a TAP device takes {MTU_MIN} to {MTU_MAX}")


def plan(desired: Desired, observed: Observed) -> Plan:
    """The actions that lead from what was observed to what is desired.

    InputError when the names mean something else, StateError for what cannot be done, or not without cutting off a
    guest; nothing has been changed then.
    """
    if observed.link is None:
        return _creation(desired, observed) if desired.present else Plan()
    _require_tap(desired.name, observed.link)
    before = current_tap(observed.link, observed)
    if not desired.present:
        _require_unheld(observed.link, observed.holders)
        return Plan((REMOVE,), before, None)
    _require_persistent(observed.link, observed.holders)
    _require_same_kind(desired, before)
    return _changes(desired, observed, before)


def current_tap(link: Link, observed: Observed) -> Tap:
    """The device that was observed."""
    # The driver tells the number of queues of multi-queue devices only; any other has one, while it is held.
    queues = link.queues if link.queues is not None else int(_is_held(link, observed.holders))
    return Tap(
        name=link.name,
        ifindex=link.ifindex,
        multi_queue=bool(link.tun_flags & IFF_MULTI_QUEUE),
        vnet_hdr=bool(link.tun_flags & IFF_VNET_HDR),
        owner=link.owner,
        group=link.group,
        mtu=link.mtu,
        bridge=observed.master.name if observed.master and observed.master.kind == "bridge" else "",
        up=link.up,
        queues=queues,
    )


def _creation(desired: Desired, observed: Observed) -> Plan:
    new = Tap(desired.name, None, desired.multi_queue, desired.vnet_hdr)
    rest = _changes(desired, observed, new)
    return replace(rest, actions=(CREATE, *rest.actions), before=None)


def _changes(desired: Desired, observed: Observed, before: Tap) -> Plan:
    after = replace(
        before,
        owner=before.owner if desired.owner is None else desired.owner,
        group=before.group if desired.group is None else desired.group,
        mtu=before.mtu if desired.mtu is None else desired.mtu,
        bridge=before.bridge if desired.bridge is None else desired.bridge,
        up=desired.up,
    )
    # The MTU before the bridge: a bridge takes over the smallest MTU of its ports.
    # Down comes first and up last, so that a device never carries packets while it is half changed.
    wanted = (
        (DOWN, before.up and not after.up),
        (OWNERSHIP, (before.owner, before.group) != (after.owner, after.group)),
        (MTU, before.mtu != after.mtu),
        (BRIDGE, before.bridge != after.bridge),
        (UP, after.up and not before.up),
    )
    bridge = _checked_bridge(desired, observed)
    actions = tuple(action for action, needed in wanted if needed)
    return Plan(actions, before, after, bridge.ifindex if bridge else None)


def _checked_bridge(desired: Desired, observed: Observed) -> Link | None:
    if not desired.bridge:
        return None
    bridge, master = observed.bridge, observed.master
    if bridge is None:
        raise NotThereError("bridge", desired.bridge, "there is no such device in this network namespace")
    if bridge.name != desired.bridge:
        raise InputError("bridge", desired.bridge, f"it is an alternative name of {bridge.name}; use that")
    if bridge.kind != "bridge":
        raise InputError("bridge", desired.bridge, f"it is {bridge.description}, not a Linux bridge")
    if master and master.kind != "bridge":
        raise StateError(
            f"{desired.name} is a port of {master.name}, which is {master.description}; release it there first; "
            "nothing was changed",
            device=desired.name,
        )
    return bridge


def _require_tap(name: str, link: Link) -> None:
    if link.name != name:
        raise InputError("name", name, f"it is an alternative name of {link.name}, {link.description}")
    if not link.is_tap:
        raise InputError("name", name, f"it is {link.description}, not a TAP device; nothing was changed")


def _is_held(link: Link, holders: t.Sequence[Holder]) -> bool:
    if link.queues is not None:
        return bool(link.queues + link.disabled_queues)
    # A holder in another process namespace cannot be seen, but it raises the carrier, as a rule.
    return bool(holders) or link.carrier


def _holder_names(holders: t.Sequence[Holder]) -> str:
    found = {holder.pid: holder.command for holder in holders}
    named = [f"{command} (process {pid})" for pid, command in sorted(found.items())]
    return " and ".join(named) or "a process that cannot be seen from here"


def _require_unheld(link: Link, holders: t.Sequence[Holder]) -> None:
    if _is_held(link, holders):
        raise StateError(
            f"{link.name} is held by {_holder_names(holders)}: removing it would cut off the guest; stop that first; "
            "nothing was changed",
            device=link.name,
        )


def _require_persistent(link: Link, holders: t.Sequence[Holder]) -> None:
    if not link.tun_flags & IFF_PERSIST:
        raise StateError(
            f"{link.name} is not persistent: it belongs to {_holder_names(holders)} and goes when that ends; "
            "choose another name; nothing was changed",
            device=link.name,
        )


def _require_same_kind(desired: Desired, before: Tap) -> None:
    for option, found, wanted in (
        ("multi_queue", before.multi_queue, desired.multi_queue),
        ("vnet_hdr", before.vnet_hdr, desired.vnet_hdr),
    ):
        if found != wanted:
            raise StateError(
                f"{before.name} has {option} {_yaml(found)}, and {_yaml(wanted)} is asked for: that cannot be changed "
                f"in place; remove the device first (state: absent), or ask for {option}: {_yaml(found)}; "
                "nothing was changed",
                device=before.name,
            )


def _yaml(value: bool) -> str:
    return "true" if value else "false"
