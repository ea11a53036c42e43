# SPDX-License-Identifier: GPL-3.0-or-later
"""One pass in this process: what one device or one namespace does to the others."""

from __future__ import annotations

import errno
import typing as t

import pytest

from ansible_collections.virtnet.rss.plugins.module_utils._errors import DeviceError
from ansible_collections.virtnet.rss.plugins.module_utils._policy.rules import Match, Policy, Rule
from ansible_collections.virtnet.rss.plugins.module_utils._service.reconcile import How, reconcile
from ansible_collections.virtnet.rss.plugins.module_utils._steering.model import Desired, Device
from ansible_collections.virtnet.rss.plugins.module_utils._steering.observe import Observer
from ansible_collections.virtnet.rss.plugins.module_utils._tun.links import Link
from ansible_collections.virtnet.rss.plugins.module_utils._tun.netns import Namespace, current_namespace
from ansible_collections.virtnet.rss.tests.support.held_tap import HeldTap

POLICY = Policy((Rule("guests", Match(device="tap*"), Desired()),))


class Refusing(Observer):
    """Cannot look at tap1, as where it vanishes or cannot be opened at that very moment."""

    def __init__(self, number: int) -> None:
        super().__init__()
        self.number = number

    def devices(self, links: t.Sequence[Link] | None = None) -> list[Device]:
        if any(link.name == "tap1" for link in links or ()):
            raise DeviceError("tap1: injected", errno=self.number, device="tap1")
        return super().devices(links)


@pytest.mark.parametrize(("number", "others"), [(errno.ENODEV, []), (errno.EBUSY, [("tap1", "wait: tap1: injected")])])
def test_a_device_that_cannot_be_looked_at(tap: HeldTap, number: int, others: list[tuple[str, str]]) -> None:
    """It is told, unless it has gone, and the others are steered."""
    gone = Namespace(1, "/proc/0/ns/net")
    with HeldTap("tap1"), Refusing(number) as observer:
        results = reconcile(observer, POLICY, [gone, current_namespace()])
    assert {(result.device.name, result.action) for result in results if not result.trouble} == {(tap.name, "attach")}
    assert [(each.device.name, f"{each.action}: {each.trouble}") for each in results if each.trouble] == others


def test_life_is_shown_before_each_change(tap: HeldTap) -> None:
    """A thousand devices take longer than systemd's watchdog waits."""
    shown: list[str] = []
    how = How(alive=lambda: shown.append("alive"))
    with HeldTap("tap1"), Observer() as observer:
        assert {each.action for each in reconcile(observer, POLICY, [current_namespace()], how=how)} == {"attach"}
        assert len(shown) == 2 and tap.pid
        assert {each.action for each in reconcile(observer, POLICY, [current_namespace()], how=how)} == {"none"}
    assert len(shown) == 2
