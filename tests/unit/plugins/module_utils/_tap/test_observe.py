# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from dataclasses import replace

import pytest

from ansible_collections.virtnet.rss.plugins.module_utils._tap import observe as module
from ansible_collections.virtnet.rss.plugins.module_utils._tap.observe import observe
from ansible_collections.virtnet.rss.plugins.module_utils._tun.holders import Holder
from ansible_collections.virtnet.rss.plugins.module_utils._tun.links import Link

TAP = Link("tap0", 7, "tun", tun_flags=0x5902, queues=2, master=3)
BR0 = Link("br0", 3, "bridge")
ETH0 = Link("eth0", 2, "")
MINE, ANOTHERS = (Holder(pid, "qemu", pid) for pid in (41, 42))


@pytest.fixture
def host(monkeypatch: pytest.MonkeyPatch) -> Host:
    found = Host()
    monkeypatch.setattr(module, "find_link", found.find)
    monkeypatch.setattr(module, "find_holders", found.find_holders)
    monkeypatch.setattr(
        module, "holders_in", lambda _netns, holders: tuple(each for each in holders if each in found.here)
    )
    return found


class Host:
    """It has these links; a search of /proc finds two holders of a tap0, of which one is in this network namespace."""

    def __init__(self) -> None:
        self.links: tuple[Link, ...] = ()
        self.searches = 0
        self.here: tuple[Holder, ...] = (MINE,)

    def find(self, which: str | int) -> Link | None:
        return next((link for link in self.links if which in (link.name, link.ifindex)), None)

    def find_holders(self) -> dict[str, list[Holder]]:
        self.searches += 1
        return {"tap0": [MINE, ANOTHERS]}


def test_what_belongs_to_it(host: Host) -> None:
    host.links = TAP, BR0
    observed = observe("tap0", "br0")
    assert (observed.link, observed.master, observed.bridge) == (TAP, BR0, BR0)
    assert observed.holders == (MINE,)
    assert host.searches == 1


@pytest.mark.parametrize("link", [replace(TAP, queues=None), replace(TAP, queues=0, disabled_queues=1)])
def test_it_may_be_held(host: Host, link: Link) -> None:
    host.links = (link,)
    assert observe("tap0").holders == (MINE,)


def test_it_is_held_from_elsewhere(host: Host) -> None:
    """The driver says that it is held: by one of those, then. Of a single-queue device it does not say so."""
    host.here = ()
    host.links = (TAP,)
    assert observe("tap0").holders == (MINE, ANOTHERS)
    host.links = (replace(TAP, queues=None),)
    assert observe("tap0").holders == ()


def test_nobody_holds_it(host: Host) -> None:
    host.links = (replace(TAP, queues=0),)
    assert observe("tap0").holders == ()
    assert host.searches == 0


def test_nothing_and_another_kind(host: Host) -> None:
    host.links = (ETH0,)
    assert observe("tap0", "br0").link is None
    assert observe("eth0").link == ETH0
    assert host.searches == 0
