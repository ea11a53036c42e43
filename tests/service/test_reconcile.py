# SPDX-License-Identifier: GPL-3.0-or-later
"""One pass in this process: what one device or one namespace does to the others."""

from __future__ import annotations

import os
import subprocess
import typing as t

import pytest

from ansible_collections.virtnet.rss.plugins.module_utils._bpf.steering_program import SteeringProgram
from ansible_collections.virtnet.rss.plugins.module_utils._policy.rules import Match, Policy, Rule
from ansible_collections.virtnet.rss.plugins.module_utils._service import reconcile as reconcile_module
from ansible_collections.virtnet.rss.plugins.module_utils._service.reconcile import How, reconcile
from ansible_collections.virtnet.rss.plugins.module_utils._steering.apply import Applier
from ansible_collections.virtnet.rss.plugins.module_utils._steering.model import Desired, Outcome, Step
from ansible_collections.virtnet.rss.plugins.module_utils._steering.observe import Observer
from ansible_collections.virtnet.rss.plugins.module_utils._tun.netns import (
    Namespace,
    current_namespace,
    list_namespaces,
)
from ansible_collections.virtnet.rss.tests.support.held_tap import HeldTap

POLICY = Policy((Rule("guests", Match(device="tap*"), Desired()),))


def test_a_device_that_cannot_be_dealt_with(tap: HeldTap, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is told, unless it has gone, and the others are steered. A namespace that has gone costs nobody anything."""
    apply = Applier.apply
    gone = Namespace(1, f"/proc/{os.getpid()}/ns/net")

    def fail_one(self: Applier, step: Step) -> Outcome:
        if step.device.name == "tap1":
            raise ZeroDivisionError
        if step.device.name == "tap2":
            subprocess.run(["ip", "link", "del", "tap2"], check=True)
        return apply(self, step)

    monkeypatch.setattr(Applier, "apply", fail_one)
    with HeldTap("tap1"), HeldTap("tap2"), Observer() as observer:
        results = {each.device.name: each for each in reconcile(observer, POLICY, [gone, current_namespace()])}
    assert (results["tap0"].action, results["tap0"].trouble) == ("attach", "") and tap.pid
    assert results["tap1"].action == "wait" and results["tap1"].trouble.startswith(
        "ZeroDivisionError in test_reconcile"
    )
    assert results["tap2"].trouble == "attach: tap2: the device has gone"


def test_life_is_shown_before_each_change(tap: HeldTap) -> None:
    """A thousand devices take longer than systemd's watchdog waits."""
    shown: list[str] = []
    how = How(alive=lambda: shown.append("alive"))
    with HeldTap("tap1"), Observer() as observer:
        assert {each.action for each in reconcile(observer, POLICY, [current_namespace()], how=how)} == {"attach"}
        assert len(shown) == 4 and tap.pid  # before each device, and with the lock
        assert {each.action for each in reconcile(observer, POLICY, [current_namespace()], how=how)} == {"none"}
    assert len(shown) == 6


def test_what_was_proven_of_the_kernel_is_not_proven_again(tap: HeldTap, monkeypatch: pytest.MonkeyPatch) -> None:
    """A new device waits for one load in each later pass, and not for that of the published vectors too."""
    loads: list[int] = []
    load = SteeringProgram._load_best

    def counted(self: SteeringProgram) -> t.Any:
        loads.append(1)
        return load(self)

    monkeypatch.setattr(SteeringProgram, "_load_best", counted)
    how = How()
    with Observer() as observer:
        assert [each.action for each in reconcile(observer, POLICY, how=how)] == ["attach"] and tap.pid
        assert len(loads) == 2
        with HeldTap("tap1"):
            results = {each.device.name: each.action for each in reconcile(observer, POLICY, how=how)}
    assert results == {"tap0": "none", "tap1": "attach"} and len(loads) == 3


@pytest.mark.parametrize(("netns", "looked"), [(None, 0), ("*", 1)])
def test_other_processes_are_only_looked_at_for_their_namespaces(
    tap: HeldTap, monkeypatch: pytest.MonkeyPatch, netns: str | None, looked: int
) -> None:
    """A new guest waits for no look at ten thousand processes that no rule speaks of."""
    looks: list[int] = []

    def counted() -> list[Namespace]:
        looks.append(1)
        return list_namespaces()

    monkeypatch.setattr(reconcile_module, "list_namespaces", counted)
    policy = Policy((Rule("guests", Match(device="tap0", netns=netns), Desired()),))
    with Observer() as observer:
        results = reconcile(observer, policy, how=How(check=True))  # there are other people's devices in the others
    here = current_namespace().inode
    assert [each.action for each in results if each.device.id.netns_inode == here] == ["attach"] and tap.pid
    assert len(looks) == looked
