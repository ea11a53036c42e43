# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t
from dataclasses import dataclass, replace

import pytest

from ansible_collections.virtnet.rss.plugins.module_utils._errors import InputError, StateError
from ansible_collections.virtnet.rss.plugins.module_utils._program.model import AttachedProgram, Configuration
from ansible_collections.virtnet.rss.plugins.module_utils._rss.config import Pin, hash_types_to_mask
from ansible_collections.virtnet.rss.plugins.module_utils._steering.model import (
    AUTOMATIC,
    FOREIGN,
    STEERED,
    UNKNOWN,
    Desired,
    Device,
    Indirection,
    Step,
)
from ansible_collections.virtnet.rss.plugins.module_utils._steering.plan import plan
from ansible_collections.virtnet.rss.plugins.module_utils._tun.device_id import DeviceId
from ansible_collections.virtnet.rss.plugins.module_utils._tun.holders import Holder
from ansible_collections.virtnet.rss.tests.support.defaults import default_rss

KEY, OTHER_KEY, NEW_KEY = bytes(range(40)), bytes(range(40, 80)), b"n" * 40
TABLE = tuple(entry % 4 for entry in range(128))
CONFIGURATION = Configuration(default_rss(KEY))

OURS = AttachedProgram(1, "virtnet_rss", "t", configuration=CONFIGURATION)
QEMUS = AttachedProgram(2, "tun_rss_steerin", "t", owner="qemu")
PLAIN = Device("tap0", DeviceId(1, 7), 0x1102, queues=4, holders=(Holder(100, "vmm", 9),))
DEVICES = {
    "automatic": PLAIN._replace(state=AUTOMATIC),
    "steered": PLAIN._replace(
        state=STEERED, program=AttachedProgram(1, "virtnet_rss", "t", configuration=CONFIGURATION)
    ),
    "foreign": PLAIN._replace(state=FOREIGN, program=AttachedProgram(2, "tun_rss_steerin", "t", owner="qemu")),
    "unknown": PLAIN._replace(state=UNKNOWN, reason="bpf is refused"),
}
AS_IT_IS = Desired()
SAME_KEY = Desired(hash_key=KEY)
ABSENT = Desired(present=False)
# The action for each state of the device; ! is an error.
#    automatic steered foreign unknown
ACTIONS: list[tuple[str, str, Desired]] = [
    ("attach  none    keep    keep", "defaults", AS_IT_IS),
    ("attach  none    keep    keep", "the same key", SAME_KEY),
    ("none    detach  keep    keep", "absent", ABSENT),
    ("attach  none    replace replace", "foreign replace", Desired(foreign="replace")),
    ("attach  none    !       !", "foreign fail", Desired(foreign="fail")),
    ("none    detach  detach  detach", "absent, replace", replace(ABSENT, foreign="replace")),
    ("none    detach  !       !", "absent, fail", replace(ABSENT, foreign="fail")),
    ("attach  replace keep    keep", "another key", Desired(hash_key=OTHER_KEY)),
    ("attach  replace keep    keep", "hash types", Desired(hash_types=hash_types_to_mask(["ipv4"]))),
    ("attach  replace keep    keep", "no hash types", Desired(hash_types=0)),
    ("attach  replace keep    keep", "default queue", Desired(default_queue=3)),
    ("attach  replace keep    keep", "no redirect", Desired(redirect=False)),
    ("attach  replace keep    keep", "no statistics", Desired(statistics=False)),
    ("attach  replace keep    keep", "fewer queues", Desired(indirection=Indirection(equal=2))),
    ("attach  none    keep    keep", "all queues", Desired(indirection=Indirection(equal=4))),
    ("attach  replace keep    keep", "another size", Desired(indirection=Indirection(size=64))),
    ("attach  replace keep    keep", "another start", Desired(indirection=Indirection(start=1))),
    ("attach  replace keep    keep", "weights that are equal", Desired(indirection=Indirection(weight=(1, 1)))),
    ("attach  none    keep    keep", "the same table", Desired(indirection=Indirection(table=TABLE))),
    ("attach  none    keep    keep", "fallback is no part of it", Desired(fallback="keep")),
    ("attach  none    keep    keep", "nor are future queues", Desired(allow_future_queues=True)),
    ("attach  none    keep    keep", "nor is the proof", Desired(verify=False)),
    ("!       !       keep    keep", "queue 4 of 4", Desired(default_queue=4)),
    ("!       !       keep    keep", "queue 4 of 4 in the table", Desired(indirection=Indirection(equal=5))),
    ("!       !       keep    keep", "a bad size", Desired(indirection=Indirection(size=3))),
    (
        "attach  replace keep    keep",
        "queue 4 when allowed",
        Desired(default_queue=4, allow_future_queues=True),
    ),
    ("none    detach  keep    keep", "absent whatever the rest", replace(ABSENT, default_queue=9)),
]
ROWS = [
    (what, desired, state, action)
    for actions, what, desired in ACTIONS
    for state, action in zip(DEVICES, actions.split())
]


def only(desired: Desired, device: Device) -> Step:
    step = plan(desired, device, new_key=lambda: NEW_KEY)
    assert step.device is device and (step.fallback, step.verify) == (desired.fallback, desired.verify)
    return step


@pytest.mark.parametrize(("what", "desired", "state", "action"), ROWS, ids=[f"{row[0]}-{row[2]}" for row in ROWS])
def test_action(what: str, desired: Desired, state: str, action: str) -> None:
    if action == "!":
        with pytest.raises((InputError, StateError)):
            only(desired, DEVICES[state])
        return
    step = only(desired, DEVICES[state])
    assert step.action == action
    attached_afterwards = action in ("attach", "replace") or (action == "none" and desired.present)
    assert (step.configuration is not None) == attached_afterwards
    assert bool(step.reason) == (action == "keep")


def test_every_row_has_every_state() -> None:
    assert [what for actions, what, _desired in ACTIONS if len(actions.split()) != len(DEVICES)] == []


@dataclass(frozen=True)
class KeyCase:
    given: bytes | None
    state: str
    key: bytes
    is_new: bool


@pytest.mark.parametrize(
    "case",
    [
        KeyCase(None, "automatic", NEW_KEY, True),
        KeyCase(None, "steered", KEY, False),  # an attached program keeps its key
        KeyCase(OTHER_KEY, "automatic", OTHER_KEY, False),
        KeyCase(OTHER_KEY, "steered", OTHER_KEY, False),
    ],
    ids=lambda case: f"{'given' if case.given else 'none'}-{case.state}",
)
def test_key(case: KeyCase) -> None:
    step = only(Desired(hash_key=case.given), DEVICES[case.state])
    assert step.configuration is not None
    assert (step.configuration.rss.hash_key, step.new_key) == (case.key, case.is_new)


def test_a_foreign_program_has_no_key_to_keep() -> None:
    step = only(Desired(foreign="replace"), DEVICES["foreign"])
    assert step.new_key and step.configuration is not None and step.configuration.rss.hash_key == NEW_KEY


def test_each_device_has_a_key_of_its_own() -> None:
    keys = iter([KEY, OTHER_KEY])
    steps = [plan(AS_IT_IS, DEVICES["automatic"], new_key=lambda: next(keys)) for _device in range(2)]
    assert [step.configuration and step.configuration.rss.hash_key for step in steps] == [KEY, OTHER_KEY]


@pytest.mark.parametrize(
    ("queues", "size"),
    [(1, 128), (2, 128), (3, 128), (32, 128), (33, 256), (64, 256), (65, 512), (128, 512), (256, 512)],
)
def test_the_default_table_is_equal_over_all_queues_with_four_entries_for_each(queues: int, size: int) -> None:
    step = only(AS_IT_IS, DEVICES["automatic"]._replace(queues=queues))
    assert step.configuration is not None
    assert step.configuration.rss.indirection == tuple(entry % queues for entry in range(size))
    named = only(Desired(indirection=Indirection(weight=(1,) * queues)), DEVICES["automatic"]._replace(queues=queues))
    assert named.configuration is not None
    assert len(named.configuration.rss.indirection) == size


def test_queues_that_the_guest_has_not_enabled_are_in_the_table() -> None:
    """It may enable them at any time, and changes nothing of the program when it does."""
    for queues in (1, 2, 4):
        device = DEVICES["steered"]._replace(queues=queues, disabled_queues=4 - queues)
        assert only(SAME_KEY, device).action == "none"
        assert only(Desired(default_queue=3), device).action == "replace"


def test_a_device_with_other_queues_gets_a_new_table() -> None:
    assert only(SAME_KEY, DEVICES["steered"]._replace(queues=2)).action == "replace"


def test_a_device_of_one_queue_is_told() -> None:
    single = DEVICES["automatic"]._replace(queues=1)
    step = only(AS_IT_IS, single)
    assert step.action == "attach" and "has one queue, so there is nothing to choose" in step.reason
    assert not only(AS_IT_IS, single._replace(disabled_queues=1)).reason


PINS = (Pin(queue=2, vlan=7), Pin(queue=1, flow_type="tcp4", dst_port=22))
NEW_WORDS: list[Desired] = [
    Desired(hash_types=0x23F),
    Desired(tunnel_types=0x10),
    Desired(symmetric=True),
    Desired(pins=PINS),
]


@pytest.mark.parametrize("desired", NEW_WORDS, ids=str)
def test_what_differs_is_replaced_once(desired: Desired) -> None:
    step = only(desired, DEVICES["steered"])
    assert step.action == "replace" and step.configuration is not None
    program = AttachedProgram(1, "virtnet_rss", "t", configuration=step.configuration)
    assert only(desired, DEVICES["steered"]._replace(program=program)).action == "none"


def test_pins_go_to_queues_that_are_there() -> None:
    with pytest.raises(InputError, match=r"pins\[0\].queue: 2 is not allowed; tap0 has 2 queues"):
        only(Desired(pins=PINS), DEVICES["automatic"]._replace(queues=2))


UNHELD: list[tuple[Desired, str]] = [
    (Desired(), "name them"),
    (Desired(indirection=Indirection(equal=2)), "has 0 queues attached"),
    (Desired(indirection=Indirection(equal=1)), "has 0 queues attached"),
]


@pytest.mark.parametrize(("desired", "reason"), UNHELD)
def test_without_queues_nothing_can_be_spread(desired: Desired, reason: str) -> None:
    if desired.indirection.equal == 1:
        # queue 0 is there whenever there is a queue
        assert only(desired, DEVICES["automatic"]._replace(queues=0)).action == "attach"
        return
    with pytest.raises(InputError, match=reason):
        only(desired, DEVICES["automatic"]._replace(queues=0))


def test_queues_that_will_come() -> None:
    desired = Desired(indirection=Indirection(equal=2), allow_future_queues=True)
    assert only(desired, DEVICES["automatic"]._replace(queues=0)).action == "attach"


def test_an_error_names_its_device() -> None:
    device = DEVICES["automatic"]._replace(name="tap1", queues=2)
    with pytest.raises(InputError, match="tap1 has 2 queues attached"):
        only(Desired(indirection=Indirection(equal=4)), device)


SENTENCES: list[tuple[str, dict[str, t.Any], str]] = [
    ("foreign", {}, "tap0 is steered by a foreign program (tun_rss_steerin, id 2); it is left alone unless"),
    ("unknown", {}, "tap0 may be steered by a foreign program (bpf is refused); it is left alone unless"),
]


@pytest.mark.parametrize(("state", "options", "sentence"), SENTENCES)
def test_why_a_device_is_left_alone(state: str, options: dict[str, t.Any], sentence: str) -> None:
    assert only(Desired(**options), DEVICES[state]).reason.startswith(sentence)
    with pytest.raises(StateError) as caught:
        only(Desired(foreign="fail", **options), DEVICES[state])
    assert str(caught.value).startswith(sentence) and caught.value.device == "tap0"


def test_a_foreign_program_without_a_name() -> None:
    nameless = DEVICES["foreign"]._replace(program=AttachedProgram(2, "", "t"))
    assert "(without a name, id 2)" in only(AS_IT_IS, nameless).reason
