# Copyright (c) 2026, virtnet.rss contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to the collection: carries out the plan for one TAP device.

from __future__ import annotations

import contextlib
import errno
import typing as t

from ansible_collections.virtnet.rss.plugins.module_utils._errors import DeviceError, StateError, VirtnetRssError
from ansible_collections.virtnet.rss.plugins.module_utils._tap.observe import target_of
from ansible_collections.virtnet.rss.plugins.module_utils._tap.plan import (
    BRIDGE,
    CREATE,
    DOWN,
    MTU,
    OWNERSHIP,
    REMOVE,
    UP,
)
from ansible_collections.virtnet.rss.plugins.module_utils._tun.ioctls import (
    IFF_MULTI_QUEUE,
    IFF_NO_PI,
    IFF_TAP,
    IFF_VNET_HDR,
)
from ansible_collections.virtnet.rss.plugins.module_utils._tun.links import find_link

if t.TYPE_CHECKING:
    from ansible_collections.virtnet.rss.plugins.module_utils._tap.device import Driver
    from ansible_collections.virtnet.rss.plugins.module_utils._tap.links import Links
    from ansible_collections.virtnet.rss.plugins.module_utils._tap.plan import Observed, Plan, Tap
    from ansible_collections.virtnet.rss.plugins.module_utils._tun.links import Link

__all__ = ("TapApplier",)

WHAT = {
    CREATE: "make the device",
    REMOVE: "remove the device",
    OWNERSHIP: "set owner and group",
    MTU: "set the MTU",
    BRIDGE: "change the bridge",
    UP: "bring the device up",
    DOWN: "take the device down",
}


class TapApplier:
    """Applies one plan; ``done`` gets the actions that are in effect, also after a failure. ``find`` as find_link."""

    def __init__(
        self, links: Links, driver: Driver, done: list[str], find: t.Callable[[str | int], Link | None] = find_link
    ) -> None:
        self._links = links
        self._find = find
        self._driver = driver
        self.done = done

    def apply(self, plan: Plan, observed: Observed) -> None:
        """VirtnetRssError names the action that failed. A device that was made by this run is then gone again."""
        if REMOVE in plan.actions:
            self._remove(observed)
        elif CREATE in plan.actions and plan.after:
            self._create(plan, plan.after)
        elif plan.after and observed.link:
            self._change(plan, plan.after, observed, observed.link)

    def _change(self, plan: Plan, after: Tap, observed: Observed, link: Link) -> None:
        for action in plan.actions:
            with self._step(action, after.name):
                if action == OWNERSHIP:
                    with self._driver.open(target_of(link, observed.holders)) as descriptor:
                        self._driver.set_ownership(descriptor, owner=after.owner, group=after.group)
                else:
                    self._set(action, link.ifindex, plan, after)

    def _create(self, plan: Plan, after: Tap) -> None:
        """All but the last action while we hold a device that is not persistent yet.

        So it goes with our descriptor, whatever ends this run. It is still down, so nobody sees the carrier that a held
        device has; brought up it is when nobody holds it.
        """
        try:
            ifindex = self._make(plan, after)
            if UP in plan.actions:
                self._bring_up(ifindex, plan, after)
        except BaseException:
            self.done.clear()
            raise

    def _make(self, plan: Plan, after: Tap) -> int:
        with self._step(CREATE, after.name):
            descriptor = self._driver.create(after.name, _flags(after))
        try:
            link = self._made(after.name)
            for action in plan.actions:
                if action == OWNERSHIP:
                    with self._step(action, after.name):
                        self._driver.set_ownership(descriptor, owner=after.owner, group=after.group)
                elif action in (MTU, BRIDGE):
                    with self._step(action, after.name):
                        self._set(action, link.ifindex, plan, after)
            with self._step(CREATE, after.name):
                self._driver.set_persistent(descriptor, True)
        finally:
            self._driver.close(descriptor)
        return link.ifindex

    def _made(self, name: str) -> Link:
        link = self._find(name)
        if link is None:
            raise StateError(
                f"{name}: the new device has another name already: a rule of udev may rename it", device=name
            )
        return link

    def _bring_up(self, ifindex: int, plan: Plan, after: Tap) -> None:
        try:
            with self._step(UP, after.name):
                self._set(UP, ifindex, plan, after)
        except VirtnetRssError:
            link = self._find(ifindex)
            if link:
                with self._driver.open(target_of(link)) as descriptor:
                    self._driver.set_persistent(descriptor, False)
            raise

    def _set(self, action: str, ifindex: int, plan: Plan, after: Tap) -> None:
        if action == MTU:
            self._links.set_mtu(ifindex, after.mtu)
        elif action == BRIDGE:
            self._links.set_master(ifindex, plan.bridge_ifindex)
        else:
            self._links.set_up(ifindex, after.up)

    def _remove(self, observed: Observed) -> None:
        """Take persistence away and let go: should somebody open the device at this moment, the driver keeps it."""
        link = observed.link
        if link is None:
            return
        with self._step(REMOVE, link.name), self._driver.open(target_of(link)) as descriptor:
            now = self._find(link.ifindex)
            if now and (now.queues or 0) + now.disabled_queues > 1:  # one of them is ours
                raise DeviceError("a process has opened it meanwhile", errno=errno.EBUSY, device=link.name)
            self._driver.set_persistent(descriptor, False)
        if self._find(link.ifindex):
            raise DeviceError(
                f"{link.name}: a process has opened it meanwhile; the device goes when that process ends",
                errno=errno.EBUSY,
                device=link.name,
            )

    @contextlib.contextmanager
    def _step(self, action: str, name: str) -> t.Iterator[None]:
        try:
            yield
        except DeviceError as exc:
            message = f"{name}: cannot {WHAT[action]}: {exc}; {self._state_left()}"
            raise DeviceError(message, errno=exc.errno, device=name) from exc
        if action not in self.done:
            self.done.append(action)

    def _state_left(self) -> str:
        if CREATE in self.done:
            return "the new device is removed again"
        return ", ".join(f"{WHAT[action]}: done" for action in self.done) or "nothing was changed"


def _flags(tap: Tap) -> int:
    return IFF_TAP | IFF_NO_PI | (IFF_MULTI_QUEUE if tap.multi_queue else 0) | (IFF_VNET_HDR if tap.vnet_hdr else 0)
