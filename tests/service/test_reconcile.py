# SPDX-License-Identifier: GPL-3.0-or-later
"""One pass in this process: what one device or one namespace does to the others."""

from __future__ import annotations

import os
import subprocess

import pytest

from ansible_collections.virtnet.rss.plugins.module_utils._policy.rules import Match, Policy, Rule
from ansible_collections.virtnet.rss.plugins.module_utils._service.reconcile import How, reconcile
from ansible_collections.virtnet.rss.plugins.module_utils._steering.apply import Applier
from ansible_collections.virtnet.rss.plugins.module_utils._steering.model import Desired, Outcome, Step
from ansible_collections.virtnet.rss.plugins.module_utils._steering.observe import Observer
from ansible_collections.virtnet.rss.plugins.module_utils._tun.netns import Namespace, current_namespace
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
        assert len(shown) == 2 and tap.pid
        assert {each.action for each in reconcile(observer, POLICY, [current_namespace()], how=how)} == {"none"}
    assert len(shown) == 2
