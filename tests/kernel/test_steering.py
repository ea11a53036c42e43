# SPDX-License-Identifier: GPL-3.0-or-later
"""The engine on real TAP devices that another process holds."""

from __future__ import annotations

import fcntl
import os
import subprocess
import typing as t
from dataclasses import replace
from pathlib import Path

import pytest

from ansible_collections.virtnet.rss.plugins.module_utils._errors import InputError, StateError
from ansible_collections.virtnet.rss.plugins.module_utils._program.model import Configuration
from ansible_collections.virtnet.rss.plugins.module_utils._program.rodata import Identity, encode
from ansible_collections.virtnet.rss.plugins.module_utils._rss.config import RssConfig, hash_types_to_mask
from ansible_collections.virtnet.rss.plugins.module_utils._rss.hashing import steer
from ansible_collections.virtnet.rss.plugins.module_utils._rss.proof import proof_frames
from ansible_collections.virtnet.rss.plugins.module_utils._steering.model import Desired, Indirection, Outcome
from ansible_collections.virtnet.rss.plugins.module_utils._steering.run import run
from ansible_collections.virtnet.rss.plugins.module_utils._tun import ioctls
from ansible_collections.virtnet.rss.plugins.module_utils._tun.device_id import DeviceId
from ansible_collections.virtnet.rss.plugins.module_utils._tun.links import list_links
from ansible_collections.virtnet.rss.plugins.module_utils._tun.netns import current_namespace
from ansible_collections.virtnet.rss.tests.packets.generate import sendable_frames
from ansible_collections.virtnet.rss.tests.support import foreign
from ansible_collections.virtnet.rss.tests.support.held_tap import HeldTap

KEY = bytes(range(40))
FRAMES = sendable_frames(seed=1, count=400)


def only(outcomes: t.Sequence[Outcome]) -> Outcome:
    assert len(outcomes) == 1
    return outcomes[0]


DEFAULT = Desired(hash_key=KEY)


def steer_tap(desired: Desired = DEFAULT, **options: t.Any) -> Outcome:
    return only(run(["tap0"], desired, **options).outcomes)


def assert_steered_as(tap: HeldTap, outcome: Outcome, frames: t.Sequence[bytes] = FRAMES) -> None:
    """Each frame arrives once, on the queue that the reference gives for what the outcome says is attached."""
    program = outcome.after.program
    assert program is not None and program.configuration is not None
    rss: RssConfig = program.configuration.rss
    arrived = sorted(tap.send(frames))
    assert arrived == sorted((steer(frame, rss).queue, frame) for frame in frames)


def flags_and_queues() -> tuple[int, int | None, int]:
    link = next(link for link in list_links() if link.name == "tap0")
    return link.tun_flags, link.queues, link.disabled_queues


def test_a_device_that_is_named_as_a_pattern_is_meant_alone(tap: HeldTap) -> None:
    """By ``domain`` and ``mac`` devices are chosen, not their names."""
    with HeldTap("tap*"):
        chosen = {DeviceId(current_namespace().inode, link.ifindex) for link in list_links() if link.name == "tap*"}
        outcomes = run(["*"], DEFAULT, only=chosen).outcomes
    assert [outcome.after.name for outcome in outcomes] == ["tap*"] and tap.pid
    with pytest.raises(StateError, match="the devices of this guest have gone"):
        run(["*"], DEFAULT, only=chosen)


def test_attach_then_nothing_to_do(tap: HeldTap) -> None:
    first = steer_tap()
    assert (first.action, first.changed, first.after.state, first.way) == ("attach", True, "steered", "copied")
    assert_steered_as(tap, first)
    second = steer_tap()
    assert (second.action, second.changed) == ("none", False)
    assert second.after.program is not None and first.after.program is not None
    assert second.after.program.id == first.after.program.id


@pytest.mark.parametrize(
    "change",
    [
        {"hash_key": KEY[::-1]},
        {"indirection": Indirection(equal=2)},
        {"hash_types": hash_types_to_mask(["ipv4", "tcpv6"])},
        {"default_queue": 3},
        {"redirect": False},
        {"statistics": False},
    ],
    ids=lambda change: next(iter(change)),
)
def test_a_changed_option_replaces_the_program(tap: HeldTap, change: dict[str, t.Any]) -> None:
    first = steer_tap()
    second = steer_tap(replace(Desired(hash_key=KEY), **change))
    assert (second.action, second.changed, second.after.state) == ("replace", True, "steered")
    assert second.after.program is not None and first.after.program is not None
    assert second.after.program.id != first.after.program.id
    assert_steered_as(tap, second)


def test_an_attached_program_keeps_its_random_key(tap: HeldTap) -> None:
    first = steer_tap(Desired())
    assert first.step.new_key
    second = steer_tap(Desired())
    assert not second.changed
    third = steer_tap(Desired(default_queue=1))
    assert third.action == "replace" and first.step.configuration and third.step.configuration
    assert third.step.configuration.rss.hash_key == first.step.configuration.rss.hash_key


def test_detach_gives_automatic_selection_back(tap: HeldTap) -> None:
    steer_tap(Desired(hash_key=KEY, redirect=False, default_queue=2))
    assert {queue for queue, _frame in tap.send(FRAMES)} == {2}
    gone = steer_tap(Desired(present=False))
    assert (gone.action, gone.changed, gone.after.state) == ("detach", True, "automatic")
    assert len({queue for queue, _frame in tap.send(FRAMES)}) == 4
    again = steer_tap(Desired(present=False))
    assert (again.action, again.changed) == ("none", False)


def test_check_mode_foresees_and_changes_nothing(tap: HeldTap) -> None:
    foreseen = steer_tap(check=True)
    assert (foreseen.action, foreseen.changed, foreseen.after.state) == ("attach", True, "steered")
    assert steer_tap(Desired(present=False), check=True).action == "none"
    steer_tap()
    assert steer_tap(check=True).action == "none"


def test_the_device_keeps_its_flags_and_queues(tap: HeldTap) -> None:
    before = flags_and_queues()
    steer_tap()
    steer_tap(Desired(hash_key=KEY, default_queue=1))
    steer_tap(Desired(present=False))
    assert flags_and_queues() == before


def test_another_tools_detach_is_noticed(tap: HeldTap) -> None:
    steer_tap()
    foreign.detach(tap)
    again = steer_tap()
    assert (again.action, again.changed) == ("attach", True)
    assert_steered_as(tap, again)


def test_disabled_queues_have_their_part_when_they_are_enabled(tap: HeldTap) -> None:
    for number in (1, 2, 3):
        tap.set_queue(number, enabled=False)
    outcome = steer_tap()
    assert (outcome.after.queues, outcome.after.disabled_queues) == (1, 3)
    assert outcome.step.configuration is not None
    assert set(outcome.step.configuration.rss.indirection) == {0, 1, 2, 3}
    for number in (1, 2, 3):
        tap.set_queue(number, enabled=True)
    assert {queue for queue, _frame in tap.send(list(proof_frames(seed=1)))} == {0, 1, 2, 3}
    assert steer_tap().action == "none"
    (refusal,) = run(["tap0"], Desired(indirection=Indirection(equal=5))).refusals
    assert isinstance(refusal, InputError) and "allow_future_queues" in str(refusal)
    assert steer_tap(Desired(indirection=Indirection(equal=5), allow_future_queues=True)).after.state == "steered"


def test_a_device_without_holder_keeps_its_flags() -> None:
    flags = ioctls.IFF_TAP | ioctls.IFF_NO_PI | ioctls.IFF_MULTI_QUEUE | ioctls.IFF_VNET_HDR
    descriptor = ioctls.open_control()
    ioctls.join_device(descriptor, "tap0", flags)
    fcntl.ioctl(descriptor, ioctls.TUNSETPERSIST, 1)
    os.close(descriptor)
    before = flags_and_queues()
    outcome = steer_tap(Desired(hash_key=KEY, indirection=Indirection(equal=4), allow_future_queues=True))
    assert (outcome.action, outcome.way, outcome.after.state) == ("attach", "opened", "steered")
    assert flags_and_queues() == before
    again = steer_tap(Desired(hash_key=KEY, indirection=Indirection(equal=4), allow_future_queues=True))
    assert (again.action, again.changed) == ("none", False)


def test_a_renamed_device_is_recognised(tap: HeldTap) -> None:
    steer_tap()
    for change in (["down"], ["name", "other0"]):  # a device that is up can be renamed from Linux 6.2 on only
        subprocess.run(["ip", "link", "set", "tap0", *change], check=True)
    outcome = only(run(["other0"], Desired(hash_key=KEY)).outcomes)
    assert (outcome.action, outcome.after.state) == ("none", "steered")


class TestForeign:
    """A program that this collection did not attach."""

    @pytest.fixture
    def held(self, tap: HeldTap) -> HeldTap:
        """tap0 is steered by a program with our name and our instructions' job, but not loaded by us."""
        rss = RssConfig(hash_key=KEY, hash_types=63, indirection=(0, 1), redirect=False, default_queue=3)
        rodata = encode(Identity("tap0", DeviceId(1, 1)), Configuration(rss))
        elf = (Path(__file__).parents[2] / "bpf" / "build" / "steering.v1.o").read_bytes()
        foreign.attach(tap, rodata, elf)
        return tap

    def test_keep_leaves_it(self, held: HeldTap) -> None:
        outcome = steer_tap()
        assert (outcome.action, outcome.changed, outcome.after.state) == ("keep", False, foreign.STATE)
        assert "foreign: replace" in outcome.step.reason
        assert {queue for queue, _frame in held.send(FRAMES)} == {3}

    def test_absent_leaves_it(self, held: HeldTap) -> None:
        assert steer_tap(Desired(present=False)).action == "keep"
        assert {queue for queue, _frame in held.send(FRAMES)} == {3}

    def test_fail_says_so(self, held: HeldTap) -> None:
        (refusal,) = run(["tap0"], Desired(foreign="fail")).refusals
        assert isinstance(refusal, StateError) and "foreign program" in str(refusal)

    def test_replace_replaces_it(self, held: HeldTap) -> None:
        outcome = steer_tap(Desired(hash_key=KEY, foreign="replace"))
        assert (outcome.action, outcome.changed) == ("replace", True)
        assert_steered_as(held, outcome)
