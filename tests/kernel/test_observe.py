# SPDX-License-Identifier: GPL-3.0-or-later
"""Watching packets: what is told of them is what the readers of the device got, and what steering then gives."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
import typing as t
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest

from ansible_collections.virtnet.rss.plugins.module_utils._balance.options import Rebalance
from ansible_collections.virtnet.rss.plugins.module_utils._bpf import inventory
from ansible_collections.virtnet.rss.plugins.module_utils._bpf.generated import enter_object, observe_object
from ansible_collections.virtnet.rss.plugins.module_utils._bpf.libbpf import load_libbpf
from ansible_collections.virtnet.rss.plugins.module_utils._bpf.live_table import move_entries
from ansible_collections.virtnet.rss.plugins.module_utils._look.advice import advise
from ansible_collections.virtnet.rss.plugins.module_utils._look.look import look
from ansible_collections.virtnet.rss.plugins.module_utils._look.observation import (
    Observation,
    observe,
    wanted_configuration,
)
from ansible_collections.virtnet.rss.plugins.module_utils._program.model import Configuration, Guard
from ansible_collections.virtnet.rss.plugins.module_utils._program.programs import describe_all
from ansible_collections.virtnet.rss.plugins.module_utils._program.rodata import Identity, encode
from ansible_collections.virtnet.rss.plugins.module_utils._rss.config import (
    DEFAULT_HASH_TYPES,
    DEFAULT_TUNNEL_TYPES,
    HASH_TYPES,
    TUNNEL_TYPES,
    RssConfig,
)
from ansible_collections.virtnet.rss.plugins.module_utils._rss.hashing import steer
from ansible_collections.virtnet.rss.plugins.module_utils._steering.desired import desired_from
from ansible_collections.virtnet.rss.plugins.module_utils._steering.model import Desired, Indirection
from ansible_collections.virtnet.rss.plugins.module_utils._tun.device_id import DeviceId
from ansible_collections.virtnet.rss.plugins.module_utils._tun.holders import duplicate_descriptor, find_holders
from ansible_collections.virtnet.rss.plugins.module_utils._tun.netns import current_namespace
from ansible_collections.virtnet.rss.tests.packets.generate import sendable_frames
from ansible_collections.virtnet.rss.tests.packets.workloads import WORKLOADS
from ansible_collections.virtnet.rss.tests.support import foreign
from ansible_collections.virtnet.rss.tests.support.held_tap import FLAGS, IFF_VNET_HDR, HeldTap, open_queue, set_up
from ansible_collections.virtnet.rss.tests.support.run_module import TREE, run_module

KEY, OTHER_KEY = bytes(range(40)), bytes(range(40, 0, -1))
# Tunnels and transports of all kinds, beside what is random
FRAMES = sendable_frames(seed=19, count=600)
FRAMES += [frame for workload in WORKLOADS for frame in workload.packets[:20]]
WANTED = Desired(hash_key=KEY)
Arrived = t.List[t.Tuple[int, bytes]]


def watch(work: t.Callable[[], object], desired: Desired | None = WANTED, name: str = "tap0") -> Observation:
    """What is seen of the device while ``work`` is done."""
    info = look([name], [current_namespace()])
    (observation,) = observe(
        info.sightings, lambda each: wanted_configuration(each.device, desired), 1, sleep=lambda _seconds: work()
    )
    return observation


def watched(tap: HeldTap, desired: Desired | None = WANTED) -> tuple[Observation, Arrived]:
    """What is seen of FRAMES, and what arrived of them."""
    arrived: Arrived = []
    observation = watch(lambda: arrived.extend(tap.send(FRAMES)), desired)
    assert not observation.reason and sorted(frame for _queue, frame in arrived) == sorted(FRAMES)
    return observation, arrived


def by_queue(arrived: Arrived, queues: int = 4) -> list[int]:
    found = Counter(queue for queue, _frame in arrived)
    return [found[queue] for queue in range(queues)]


def make_automatic(tap: HeldTap) -> None:
    assert tap.pid


def make_foreign(tap: HeldTap) -> None:
    rodata = bytearray(encode(Identity("tap0", DeviceId(1, 2)), Configuration(RssConfig(OTHER_KEY, 63, (2, 0, 1, 3)))))
    rodata[-100] ^= 1
    foreign.attach(tap, bytes(rodata))


def make_steered(tap: HeldTap) -> None:
    assert tap.pid
    assert run_module("tap_steering", {"taps": ["tap0"], "hash_key": OTHER_KEY.hex()})["changed"]


PLAIN: dict[str, t.Any] = {}
EVERYTHING = {"hash_types": list(HASH_TYPES), "tunnel_types": list(TUNNEL_TYPES), "symmetric": True}


@pytest.mark.parametrize("wanted", [PLAIN, EVERYTHING], ids=["plain", "everything"])
@pytest.mark.parametrize("make", [make_automatic, make_foreign, make_steered])
def test_each_packet_is_counted_on_its_queue_and_would_be_where_steering_puts_it(
    tap: HeldTap, make: t.Callable[[HeldTap], None], wanted: dict[str, t.Any]
) -> None:
    make(tap)
    options = {"hash_key": KEY.hex(), **wanted}
    observation, arrived = watched(tap, desired_from(options))
    assert observation.now == by_queue(arrived)
    assert sum((observation.protocols or {}).values()) == len(FRAMES) and len(observation.protocols or {}) > 10
    assert observation.configuration
    rss = observation.configuration.rss
    predicted = {frame: steer(frame, rss).queue for frame in FRAMES}
    assert observation.agreed == sum(predicted[frame] == queue for queue, frame in arrived)

    assert run_module("tap_steering", {"taps": ["tap0"], "foreign": "replace", **options})["changed"]
    assert observation.would_be == by_queue(tap.send(FRAMES))
    (told,) = run_module("tap_steering_info", {"taps": ["tap0"]})["taps"]
    assert observation.steered and told["counters"]["hash_types"].items() <= observation.steered.by_reason().items()
    # The device is steered now by what was asked for: every packet agrees.
    observation, arrived = watched(tap, desired=None)
    assert observation.agreed == len(FRAMES) and observation.now == observation.would_be == by_queue(arrived)


def test_a_table_with_weights_and_a_queue_that_is_not_enabled(tap: HeldTap) -> None:
    """The driver takes the program's answer modulo the enabled queues, and so does what is told."""
    tap.set_queue(3, enabled=False)
    desired = replace(WANTED, indirection=Indirection(weight=(1, 2, 3, 2)), allow_future_queues=True)
    observation, arrived = watched(tap, desired)
    assert observation.now == by_queue(arrived, 3)
    table = {"weight": [1, 2, 3, 2]}
    run_module(
        "tap_steering", {"taps": ["tap0"], "hash_key": KEY.hex(), "indirection": table, "allow_future_queues": True}
    )
    assert observation.would_be == by_queue(tap.send(FRAMES), 3)
    assert watched(tap, desired)[0].agreed == len(FRAMES)


def test_a_configuration_of_the_full_program(tap: HeldTap) -> None:
    """It is asked in the full program's words, in front of the attachment and after it."""
    words = {"hash_types": list(HASH_TYPES), "tunnel_types": list(TUNNEL_TYPES), "symmetric": True}
    desired = desired_from({**words, "hash_key": KEY.hex()})
    observation, _arrived = watched(tap, desired)
    assert run_module("tap_steering", {"taps": ["tap0"], "hash_key": KEY.hex(), **words})["changed"]
    assert observation.would_be == by_queue(tap.send(FRAMES))
    observation, arrived = watched(tap, desired=None)
    assert observation.agreed == len(FRAMES) and observation.now == observation.would_be == by_queue(arrived)


def test_a_live_table(tap: HeldTap) -> None:
    """Of a device that is balanced: its entries are where the kernel has them, and so are the packets."""
    table = tuple(entry % 4 for entry in range(512))
    identity = Identity("tap0", DeviceId(current_namespace().inode, socket.if_nametoindex("tap0")))
    foreign.attach(tap, encode(identity, Configuration(RssConfig(KEY, 0x3F, table), guard=Guard(2, 100))))
    (sighting,) = look(["tap0"], [current_namespace()]).sightings
    program = sighting.device.program
    assert program and program.live
    move_entries(load_libbpf(), program.live, dict.fromkeys(range(0, 512, 4), 3))
    for _time in range(3):  # the first packet of an entry after a silence moves it
        time.sleep(0.2)
        tap.send(FRAMES)
    observation, arrived = watched(tap, desired=None)
    assert observation.agreed == len(FRAMES) and observation.now == observation.would_be == by_queue(arrived)
    assert observation.now[0] < observation.now[3]


def test_what_a_rule_with_rebalance_would_give(tap: HeldTap) -> None:
    observation, _arrived = watched(tap, replace(WANTED, rebalance=Rebalance()))
    assert sum(observation.would_be) == len(FRAMES) and min(observation.would_be) > 0


def test_a_name_that_is_no_text() -> None:
    """As anybody may give his device in a namespace of his own: it is watched, and costs the others nothing."""
    with HeldTap("tap0") as tap, open(open_queue("tap\udcff", FLAGS), "rb"):
        set_up("tap\udcff")
        info = look(["tap*"], [current_namespace()])
        found = observe(
            info.sightings,
            lambda each: wanted_configuration(each.device, WANTED),
            1,
            sleep=lambda _seconds: tap.send(FRAMES[:100]),
        )
    assert sorted(sum(each.now) for each in found) == [0, 100] and not any(each.reason for each in found)


def test_a_device_with_a_virtio_header_in_front_of_packets() -> None:
    with HeldTap("tap0", 4, FLAGS | IFF_VNET_HDR) as tap:
        observation, arrived = watched(tap)
    assert observation.now == by_queue(arrived)


def test_a_socket_with_as_little_memory_as_before_linux_6_8(tap: HeldTap) -> None:
    """Debian 11 and 12 have 20 KiB, and a filter counts against it with its length: ours did not fit in."""
    Path("/proc/sys/net/core/optmem_max").write_text("20480", encoding="ascii")  # of this test's network namespace
    observation, arrived = watched(tap, desired_from({"hash_key": KEY.hex(), **EVERYTHING}))
    assert observation.now == by_queue(arrived)


def test_packets_from_the_guest_are_not_counted(tap: HeldTap) -> None:
    holder = next(holder for holder in find_holders()["tap0"] if holder.pid == tap.pid)
    descriptor = duplicate_descriptor(holder.pid, holder.descriptor)
    try:
        observation = watch(lambda: [os.write(descriptor, frame) for frame in FRAMES])
    finally:
        os.close(descriptor)
    assert observation.now == [0, 0, 0, 0] and observation.protocols == {} and observation.unseen == 0


def test_what_arrives_before_and_after_is_not_counted(tap: HeldTap) -> None:
    tap.send(FRAMES)
    observation = watch(lambda: tap.send(FRAMES[:7]))
    tap.send(FRAMES)
    assert sum(observation.now) == 7


def test_two_devices_at_once(tap: HeldTap) -> None:
    with HeldTap("tap1", 2) as other:
        info = look(["tap0", "tap1"], [current_namespace()])
        first, second = observe(
            info.sightings,
            lambda each: wanted_configuration(each.device, WANTED),
            1,
            sleep=lambda _seconds: [tap.send(FRAMES[:100]), other.send(FRAMES[:50])],
        )
    assert (sum(first.now), sum(second.now)) == (100, 50) and len(second.now) == 2


def test_a_device_that_goes() -> None:
    with HeldTap("tap0", 4) as tap:
        observation = watch(tap.close)
    assert observation.reason == "the device went away while it was watched"


def test_queues_that_change(tap: HeldTap) -> None:
    observation = watch(lambda: tap.set_queue(2, enabled=False))
    assert observation.reason == "its queues changed while it was watched; watch again"


def test_a_configuration_that_cannot_be(tap: HeldTap) -> None:
    assert tap.pid
    observation = watch(lambda: None, Desired(indirection=Indirection(equal=9)))
    assert "tap0 has 4 queues attached" in observation.reason


def observers() -> set[int]:
    libbpf, found = load_libbpf(), set()
    for number in inventory.program_ids(libbpf):
        descriptor = inventory.open_program(libbpf, number)
        if descriptor is not None:
            if inventory.program_of(libbpf, descriptor).name in (enter_object.PROGRAM, observe_object.PROGRAM):
                found.add(number)
            os.close(descriptor)
    return found


def packet_sockets() -> int:
    with open("/proc/net/packet", encoding="ascii") as lines:
        return len(lines.readlines()) - 1


ADVISE = "from ansible_collections.virtnet.rss.plugins.module_utils._service.cli import main; main()"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_nothing_is_left_of_a_command_that_is_stopped(tap: HeldTap, number: int) -> None:
    before, sockets = observers(), packet_sockets()
    command = [sys.executable, "-c", ADVISE, "advise", "tap0", "--seconds", "60"]
    process = subprocess.Popen(command, env={**os.environ, "PYTHONPATH": TREE}, stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 20
    while packet_sockets() == sockets:
        assert time.monotonic() < deadline
        time.sleep(0.01)
    process.send_signal(number)
    process.wait(timeout=10)
    while observers() - before or packet_sockets() != sockets:  # the kernel frees them a grace period later
        assert time.monotonic() < deadline, "something is left"
        time.sleep(0.01)
    assert by_queue(tap.send(FRAMES)) != [0, 0, 0, 0]
    assert look(["tap0"], [current_namespace()]).sightings[0].device.state == "automatic"


def test_a_look_without_type_information_is_not_disturbed(tap: HeldTap) -> None:
    """There a socket filter that nobody knows makes every device unknown; this one is known."""
    seen: set[int] = set()

    def see() -> None:
        seen.update(observers())
        assert not seen & set(describe_all(load_libbpf()))

    watch(see)
    assert seen and tap.pid


def test_the_module(tap: HeldTap) -> None:
    make_steered(tap)
    sender = subprocess.Popen([sys.executable, "-c", SEND], stdin=subprocess.PIPE, text=True)
    assert sender.stdin
    with sender.stdin:
        json.dump([frame.hex() for frame in FRAMES], sender.stdin)
    (told,) = run_module("tap_steering_info", {"taps": ["tap0"], "observe": 3})["taps"]
    sender.wait(timeout=10)
    observed = told["observed"]
    assert observed["packets"] == observed["agreed"] == len(FRAMES) == len(tap.received())
    assert observed["now"]["queues"] == observed["steered"]["queues"]
    assert (observed["verdict"], observed["words"]) == ("keep", {})
    assert run_module("tap_steering_info", {"taps": ["tap0"]})["taps"][0]["observed"] is None


SEND = """
import json, socket, sys, time
frames = json.load(sys.stdin)
time.sleep(1.5)
with socket.socket(socket.AF_PACKET, socket.SOCK_RAW) as sender:
    sender.bind(("tap0", 0))
    for frame in frames:
        sender.send(bytes.fromhex(frame))
        time.sleep(0.0002)
"""


@pytest.mark.parametrize("seconds", [-1, 3601])
def test_seconds_that_are_none(seconds: float) -> None:
    result = run_module("tap_steering_info", {"observe": seconds})
    assert result["failed"] and result["option"] == "observe"


BY_WORDS = [
    ("VXLAN between two hosts, the outer port always the same", {"tunnel_types": ["vxlan"]}),
    ("GTP-U between two gateways, many users", {"tunnel_types": ["gtpu"]}),
    ("ESP in UDP between two gateways, many SPIs", {"hash_types": ["esp_udp"]}),
]


@pytest.mark.parametrize(("name", "words"), BY_WORDS)
def test_the_words_that_are_advised_give_what_is_told(tap: HeldTap, name: str, words: dict[str, list[str]]) -> None:
    (workload,) = (each for each in WORKLOADS if each.name == name)
    options: dict[str, t.Any] = {"hash_key": KEY.hex()}
    (sighting,) = look(["tap0"], [current_namespace()]).sightings
    observation = watch(lambda: tap.send(list(workload.packets)), desired_from(options))
    advice = advise(sighting.device, observation)
    assert (advice.verdict, advice.words) == ("steer", words)
    if "hash_types" in words:
        options["hash_types"] = [*DEFAULT_HASH_TYPES, *words["hash_types"]]
    else:
        options["tunnel_types"] = [*DEFAULT_TUNNEL_TYPES, *words["tunnel_types"]]
    assert run_module("tap_steering", {"taps": ["tap0"], **options})["changed"]
    assert by_queue(tap.send(list(workload.packets))) == observation.with_every_word
