# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t
from dataclasses import replace

import pytest

from ansible_collections.virtnet.rss.plugins.module_utils._errors import InputError, StateError
from ansible_collections.virtnet.rss.plugins.module_utils._tap.plan import (
    BRIDGE,
    CREATE,
    DOWN,
    MTU,
    OWNERSHIP,
    REMOVE,
    UP,
    Desired,
    Observed,
    Plan,
    Tap,
    check_desired,
    plan,
)
from ansible_collections.virtnet.rss.plugins.module_utils._tun.holders import Holder
from ansible_collections.virtnet.rss.plugins.module_utils._tun.ioctls import (
    IFF_MULTI_QUEUE,
    IFF_NO_PI,
    IFF_PERSIST,
    IFF_TAP,
    IFF_TUN,
    IFF_VNET_HDR,
)
from ansible_collections.virtnet.rss.plugins.module_utils._tun.links import Link

FULL = IFF_TAP | IFF_NO_PI | IFF_PERSIST | IFF_MULTI_QUEUE | IFF_VNET_HDR
TAP = Link("tap0", 7, "tun", up=True, tun_flags=FULL, queues=0)
SINGLE = replace(TAP, tun_flags=FULL & ~IFF_MULTI_QUEUE, queues=None)
BR0 = Link("br0", 3, "bridge")
BR1 = Link("br1", 4, "bridge")
BOND = Link("bond0", 5, "bond")
QEMU = Holder(42, "qemu-system-x86", 9)


def test_a_new_device() -> None:
    planned = plan(Desired("tap0"), Observed())
    assert planned == Plan((CREATE, UP), None, Tap("tap0", None, True, True, up=True))


def test_a_new_device_with_everything() -> None:
    desired = Desired("tap0", multi_queue=False, vnet_hdr=False, up=False, owner=107, group=0, mtu=9000, bridge="br0")
    planned = plan(desired, Observed(bridge=BR0))
    assert planned.actions == (CREATE, OWNERSHIP, MTU, BRIDGE)
    assert planned.bridge_ifindex == 3
    assert planned.after == Tap("tap0", None, False, False, 107, 0, 9000, "br0", False)


CHANGES: list[tuple[str, Desired, Observed, tuple[str, ...]]] = [
    ("nothing", Desired("tap0"), Observed(TAP), ()),
    ("nothing, with everything the same", Desired("tap0", owner=1, group=2, mtu=1500, bridge="br0"),
     Observed(replace(TAP, owner=1, group=2, master=3), BR0, BR0), ()),
    ("what is not asked for stays", Desired("tap0"),
     Observed(replace(TAP, owner=1, group=2, mtu=9000, master=3), BR0), ()),
    ("owner", Desired("tap0", owner=0), Observed(TAP), (OWNERSHIP,)),
    ("group", Desired("tap0", group=5), Observed(replace(TAP, group=6)), (OWNERSHIP,)),
    ("mtu", Desired("tap0", mtu=1400), Observed(TAP), (MTU,)),
    ("into a bridge", Desired("tap0", bridge="br0"), Observed(TAP, None, BR0), (BRIDGE,)),
    ("to another bridge", Desired("tap0", bridge="br1"), Observed(replace(TAP, master=3), BR0, BR1), (BRIDGE,)),
    ("out of its bridge", Desired("tap0", bridge=""), Observed(replace(TAP, master=3), BR0), (BRIDGE,)),
    ("out of no bridge", Desired("tap0", bridge=""), Observed(TAP), ()),
    ("out of no bridge, though a port", Desired("tap0", bridge=""), Observed(replace(TAP, master=5), BOND), ()),
    ("up", Desired("tap0"), Observed(replace(TAP, up=False)), (UP,)),
    ("up last", Desired("tap0", mtu=1400), Observed(replace(TAP, up=False)), (MTU, UP)),
    ("down first", Desired("tap0", mtu=1400, up=False), Observed(TAP), (DOWN, MTU)),
    ("a held device changes too", Desired("tap0", mtu=1400), Observed(replace(TAP, queues=4), holders=(QEMU,)), (MTU,)),
    ("remove nothing", Desired("tap0", present=False), Observed(), ()),
    ("remove", Desired("tap0", present=False), Observed(TAP), (REMOVE,)),
    ("remove, whatever its kind", Desired("tap0", present=False), Observed(SINGLE), (REMOVE,)),
]  # fmt: skip


@pytest.mark.parametrize(
    ("desired", "observed", "actions"), [row[1:] for row in CHANGES], ids=[row[0] for row in CHANGES]
)
def test_actions(desired: Desired, observed: Observed, actions: tuple[str, ...]) -> None:
    planned = plan(desired, observed)
    assert planned.actions == actions
    assert (planned.before == planned.after) == (not actions)


def test_before_and_after() -> None:
    observed = Observed(replace(TAP, master=3, owner=1, queues=4), BR0, BR1, (QEMU,))
    planned = plan(Desired("tap0", mtu=9000, bridge="br1", up=False), observed)
    assert planned.before == Tap("tap0", 7, True, True, 1, None, 1500, "br0", True, 4)
    assert planned.after == Tap("tap0", 7, True, True, 1, None, 9000, "br1", False, 4)
    assert planned.bridge_ifindex == 4


def test_leaving_a_bridge() -> None:
    assert plan(Desired("tap0", bridge=""), Observed(replace(TAP, master=3), BR0)).bridge_ifindex is None


@pytest.mark.parametrize(
    ("holders", "carrier", "queues"), [((), False, 0), ((QEMU,), False, 1), ((QEMU, QEMU), True, 1), ((), True, 1)]
)
def test_queues_of_a_single_queue_device(holders: tuple[Holder, ...], carrier: bool, queues: int) -> None:
    observed = Observed(replace(SINGLE, carrier=carrier), holders=holders)
    before = plan(Desired("tap0", multi_queue=False), observed).before
    assert before and before.queues == queues


REFUSED: list[tuple[type[Exception], str, Desired, Observed]] = [
    (InputError, "of kind dummy, not a TAP", Desired("tap0"), Observed(Link("tap0", 7, "dummy"))),
    (InputError, "hardware or loopback", Desired("tap0"), Observed(Link("tap0", 7, ""))),
    (InputError, "layer 3", Desired("tap0"), Observed(replace(TAP, tun_flags=IFF_TUN | IFF_PERSIST))),
    (InputError, "of kind macvtap", Desired("tap0", present=False), Observed(Link("tap0", 7, "macvtap"))),
    (InputError, "alternative name of other0, a TAP", Desired("tap0"), Observed(replace(TAP, name="other0"))),
    (InputError, "alternative name", Desired("tap0", present=False), Observed(replace(TAP, name="other0"))),
    (StateError, "multi_queue false, and true .* or ask for multi_queue: false", Desired("tap0"), Observed(SINGLE)),
    (StateError, "vnet_hdr true, and false", Desired("tap0", vnet_hdr=False), Observed(TAP)),
    (StateError, "not persistent: it belongs to qemu-system-x86 .process 42", Desired("tap0"),
     Observed(replace(TAP, tun_flags=FULL & ~IFF_PERSIST, queues=1), holders=(QEMU, QEMU))),
    (StateError, "held by qemu-system-x86 .process 42.: removing", Desired("tap0", present=False),
     Observed(replace(TAP, queues=4), holders=(QEMU, QEMU))),
    (StateError, "a process that cannot be seen", Desired("tap0", present=False), Observed(replace(TAP, queues=1))),
    (StateError, "would cut off", Desired("tap0", present=False), Observed(replace(TAP, disabled_queues=1))),
    (StateError, "would cut off", Desired("tap0", present=False), Observed(replace(SINGLE, carrier=True))),
    (StateError, "would cut off", Desired("tap0", present=False), Observed(SINGLE, holders=(QEMU,))),
    (InputError, "no such device", Desired("tap0", bridge="br0"), Observed(TAP)),
    (InputError, "no such device", Desired("tap0", bridge="br0"), Observed()),
    (InputError, "of kind bond, not a Linux bridge", Desired("tap0", bridge="bond0"), Observed(TAP, None, BOND)),
    (InputError, "alternative name of br1", Desired("tap0", bridge="br0"), Observed(TAP, None, BR1)),
    (StateError, "port of bond0, which is a device of kind bond", Desired("tap0", bridge="br0"),
     Observed(replace(TAP, master=5), BOND, BR0)),
]  # fmt: skip


@pytest.mark.parametrize(("error", "sentence", "desired", "observed"), REFUSED)
def test_refused(error: type[Exception], sentence: str, desired: Desired, observed: Observed) -> None:
    with pytest.raises(error, match=sentence):
        plan(desired, observed)


@pytest.mark.parametrize(
    "changes",
    [
        {"name": "vnet0"},
        {"name": "fifteen-bytes-0"},
        {"name": "tap.100@x*"},
        {"mtu": 68},
        {"mtu": 65521},
        {"bridge": ""},
        {"bridge": "br0"},
    ],
)
def test_values_that_the_kernel_takes(changes: dict[str, t.Any]) -> None:
    check_desired(replace(Desired("tap0"), **changes))


@pytest.mark.parametrize(
    ("option", "value"),
    [
        *(("name", name) for name in ("", "sixteen-bytes-00", "ääääääää", "a b", "a\n", "a/b", "a:b", "tap%d", "a\0")),
        *(("name", name) for name in (".", "..", "all", "default", "à", "a\x7f")),
        ("bridge", "br 0"),
        ("bridge", "sixteen-bytes-00"),
        ("mtu", 67),
        ("mtu", 65522),
        ("mtu", -1),
    ],
)
def test_values_that_it_does_not(option: str, value: object) -> None:
    changes: dict[str, t.Any] = {option: value}
    with pytest.raises(InputError) as refusal:
        check_desired(replace(Desired("tap0"), **changes))
    assert refusal.value.option == option
