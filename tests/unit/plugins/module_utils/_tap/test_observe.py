# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import os
import typing as t
from dataclasses import replace

import pytest

from ansible_collections.virtnet.rss.plugins.module_utils._errors import DeviceError
from ansible_collections.virtnet.rss.plugins.module_utils._tap import observe as module
from ansible_collections.virtnet.rss.plugins.module_utils._tap.links import LinkState
from ansible_collections.virtnet.rss.plugins.module_utils._tap.observe import observe
from ansible_collections.virtnet.rss.plugins.module_utils._tun.holders import Holder

if t.TYPE_CHECKING:
    from ansible_collections.virtnet.rss.plugins.module_utils._tap.links import Links

TAP = LinkState("tap0", 7, "tun", tun_flags=0x5902, queues=2, master=3)
BR0 = LinkState("br0", 3, "bridge")
ETH0 = LinkState("eth0", 2, "")
HERE, ELSEWHERE, CLOSED, FORBIDDEN = (Holder(pid, "qemu", pid) for pid in (41, 42, 43, 44))


class Found:
    """Links that only look; everything else would be an error here."""

    def __init__(self, *links: LinkState) -> None:
        self.links = links

    def find(self, name: str) -> LinkState | None:
        return next((link for link in self.links if link.name == name), None)

    def get(self, ifindex: int) -> LinkState | None:
        return next((link for link in self.links if link.ifindex == ifindex), None)


def found(*links: LinkState) -> Links:
    return t.cast("Links", Found(*links))


@pytest.fixture
def searches(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """A note for each search of /proc, which finds four holders; one of them has the device meant."""
    notes: list[str] = []

    def find_holders() -> dict[str, list[Holder]]:
        notes.append("searched")
        return {"tap0": [HERE, ELSEWHERE, FORBIDDEN], "tap1": [CLOSED]}

    def duplicate(pid: int, _descriptor: int) -> int:
        if pid == FORBIDDEN.pid:
            raise DeviceError("no", errno=1)
        copy = os.open(os.devnull, os.O_RDONLY)
        copies[copy] = pid
        return copy

    copies: dict[int, int] = {}
    monkeypatch.setattr(module, "find_holders", find_holders)
    monkeypatch.setattr(module, "duplicate_descriptor", duplicate)
    monkeypatch.setattr(module, "belongs_to", lambda copy, _target: copies[copy] == HERE.pid)
    return notes


def test_what_belongs_to_it(searches: list[str]) -> None:
    observed = observe(found(TAP, BR0), "tap0", "br0")
    assert (observed.link, observed.master, observed.bridge) == (TAP, BR0, BR0)
    # the name is believed where it cannot be asked
    assert observed.holders == (HERE, FORBIDDEN)
    assert searches == ["searched"]


@pytest.mark.parametrize("link", [replace(TAP, queues=None), replace(TAP, queues=0, disabled_queues=1)])
def test_it_may_be_held(searches: list[str], link: LinkState) -> None:
    assert observe(found(link), "tap0").holders == (HERE, FORBIDDEN)
    assert searches == ["searched"]


def test_nobody_holds_it(searches: list[str]) -> None:
    assert observe(found(replace(TAP, queues=0)), "tap0").holders == ()
    assert searches == []


def test_nothing_and_another_kind(searches: list[str]) -> None:
    assert observe(found(ETH0), "tap0", "br0").link is None
    assert observe(found(ETH0), "eth0").link == ETH0
    assert searches == []


def test_no_descriptor_is_left(searches: list[str]) -> None:
    before = len(os.listdir("/proc/self/fd"))
    observe(found(TAP), "tap0")
    assert len(os.listdir("/proc/self/fd")) == before
    assert searches
