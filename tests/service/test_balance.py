# SPDX-License-Identifier: GPL-3.0-or-later
"""The service balances: real packets of heavy and light flows, counted where the guest reads them."""

from __future__ import annotations

import json
import os
import random
import threading
import typing as t
from pathlib import Path

import pytest

from ansible_collections.virtnet.rss.plugins.module_utils._bpf.libbpf import load_libbpf
from ansible_collections.virtnet.rss.plugins.module_utils._bpf.live_table import Placement, read_placements
from ansible_collections.virtnet.rss.plugins.module_utils._program.programs import describe
from ansible_collections.virtnet.rss.plugins.module_utils._tun import ioctls
from ansible_collections.virtnet.rss.tests.demo.picture import picture
from ansible_collections.virtnet.rss.tests.support.eventually import eventually
from ansible_collections.virtnet.rss.tests.support.flows import Guest, flow_frames, zipf_counts
from ansible_collections.virtnet.rss.tests.support.running import Running
from ansible_collections.virtnet.rss.tests.support.steered import KEY, RULE, info

FLOWS, ENTRIES = 320, 512
HERE = ("tap0", "--netns", "")  # what other namespaces of this machine have is other tests'
FRAMES = flow_frames(FLOWS, seed=20)
LIVE: dict[str, t.Any] = {**RULE, "rebalance": True}
TABLE = bytes(entry % 4 for entry in range(ENTRIES))


def heavy_and_light() -> list[int]:
    """The flow of each packet, in an order by chance."""
    flows = [flow for flow, count in enumerate(zipf_counts(FLOWS, 4000)) for _packet in range(count)]
    random.Random(1).shuffle(flows)
    return flows


HEAVY_AND_LIGHT = heavy_and_light()


@pytest.fixture
def guest() -> t.Iterator[Guest]:
    with Guest("tap0", FRAMES) as held:
        yield held


def spread_of(packets: t.Sequence[int]) -> float:
    return max(packets) * len(packets) / sum(packets)


def balance_of(service: Running) -> dict[str, t.Any]:
    found: dict[str, t.Any] = service.status()["balance"][0][2]
    return found


def placement() -> Placement:
    found = describe(load_libbpf(), info()["program"]["id"])
    assert found and found.program.live
    placed = read_placements(load_libbpf(), found.program.live)
    assert placed
    return placed


def draw(before: list[int], after: list[int]) -> None:
    """The picture of docs/balance.md, where one is asked for: the same number of packets on both sides."""
    if "VIRTNET_RSS_PICTURE" in os.environ:
        scaled = [round(count * sum(before) / sum(after)) for count in after]
        words = ("the configured table", "balanced, five seconds later")
        made_by = "VIRTNET_RSS_PICTURE=docs/balance.svg pytest tests/service/test_balance.py"
        text = picture(before=before, after=scaled, words=words, made_by=made_by)
        Path(os.environ["VIRTNET_RSS_PICTURE"]).write_text(text, encoding="utf-8")


def balance(service: Running, guest: Guest) -> None:
    """Until entries have moved."""
    for _second in range(10):
        guest.send_for(1, HEAVY_AND_LIGHT)
        if service.status()["balance"] and balance_of(service)["moves"]:
            return
    raise AssertionError("nothing has moved")


def test_heavy_flows_are_spread_within_three_rounds(service: Running, guest: Guest) -> None:
    service.write(LIVE)
    service.start()
    before = guest.send_for(0.5, HEAVY_AND_LIGHT)
    program = info()["program"]
    guest.send_for(4.5, HEAVY_AND_LIGHT)
    after = guest.send_for(0.5, HEAVY_AND_LIGHT)
    first, last = spread_of(before), spread_of(after)
    draw(before, after)
    assert first > 1.3 and last <= 1.15, (first, last)
    assert sum(guest.late) <= balance_of(service)["moves"]  # of flows without a pause, one for each entry at most
    # what has moved is no drift: neither the service nor a look sees a difference
    assert info()["program"] == program
    assert info()["config"]["indirection"] == {"equal": 4, "start": 0, "size": ENTRIES}
    assert info()["config"]["rebalance"] == {"idle_ms": 8, "deadline_ms": 1000}
    assert json.loads(service.command("apply", "--dry-run", "--json").stdout)[0]["action"] == "none"
    told = balance_of(service)
    assert told["moves"] > 0 and told["last"][0] > told["last"][1]
    assert "balanced: " in service.command("status", *HERE).stdout
    assert "balanced: " in service.command("top", *HERE, "--rounds", "1", "--interval", "0.1").stdout
    assert (
        f'virtnet_rss_balance_moves_total{{device="tap0",netns=""}} {told["moves"]}'
        in service.command("metrics").stdout
    )
    log = service.stop()
    assert "entries moved; the busiest queue over its share: tap0" in log
    assert log.count("balance: ") <= 6 and KEY.hex() not in log


def test_even_traffic_is_left_alone(service: Running, guest: Guest) -> None:
    service.write(LIVE)
    service.start()
    even = list(range(FLOWS))
    before = spread_of(guest.send_for(1, even))
    guest.send_for(4, even)
    moves = balance_of(service)["moves"] if service.status()["balance"] else 0
    after = spread_of(guest.send_for(3, even))
    assert after <= 1.02 * before
    assert not service.status()["balance"] or balance_of(service)["moves"] == moves


def test_off_means_the_configured_table(service: Running, guest: Guest) -> None:
    service.write(LIVE)
    service.start()
    balance(service, guest)
    assert placement().wanted != TABLE
    service.write({**RULE, "indirection": {"size": ENTRIES}})
    eventually(lambda: "rebalance" not in info()["config"], 3)
    uneven = spread_of(guest.send_for(0.5, HEAVY_AND_LIGHT))
    assert uneven > 1.3
    service.write(LIVE)
    eventually(lambda: "rebalance" in info()["config"], 3)
    assert placement() == (TABLE, TABLE)


def test_a_dry_run_moves_nothing_and_tells_what_it_would(service: Running, guest: Guest) -> None:
    service.write({**RULE, "rebalance": {"dry_run": True}})
    service.start("--full", "1")
    guest.send_for(5, HEAVY_AND_LIGHT)
    eventually(lambda: bool(service.status()["balance"]) and balance_of(service)["imbalance"] is not None)
    told = balance_of(service)
    assert told["dry_run"] and told["moves"] == 0
    assert placement() == (TABLE, TABLE)
    (shown,) = json.loads(service.command("status", *HERE, "--json").stdout)["taps"]
    assert shown["balance"]["dry_run"] and shown["balance"]["planned"] > 0


def test_the_command_without_the_service(service: Running, guest: Guest) -> None:
    service.write(LIVE)
    service.command("apply")
    stop = threading.Event()

    def traffic() -> None:
        while not stop.is_set():
            guest.send(HEAVY_AND_LIGHT[:1000])

    sender = threading.Thread(target=traffic)
    sender.start()
    try:
        dry = json.loads(service.command("balance", *HERE, "--dry-run", "--json").stdout)[0]
        assert dry["before"] > 1.3 > dry["after"] and dry["moves"] and placement() == (TABLE, TABLE)
        assert "entry" in service.command("balance", *HERE).stdout
        assert placement().wanted != TABLE
        again = json.loads(service.command("balance", "--netns", "", "--dry-run", "--json").stdout)[0]
        assert again["before"] < dry["before"]
    finally:
        stop.set()
        sender.join()
    service.write(RULE)
    service.command("apply")
    refused = service.command("balance", *HERE, check=False)
    assert refused.returncode == 1 and "rebalance: true" in refused.stderr


def test_a_flow_heavier_than_a_queues_share_is_told_with_its_pin(service: Running, guest: Guest) -> None:
    service.write(LIVE)
    service.command("apply")
    stop = threading.Event()
    flows = [7] * 300 + list(range(200))

    def traffic() -> None:
        while not stop.is_set():
            guest.send(flows)

    sender = threading.Thread(target=traffic)
    sender.start()
    try:
        told = json.loads(service.command("balance", *HERE, "--dry-run", "--json").stdout)[0]
        (heavy,) = told["heavy"]
        assert 0.5 < heavy["part"] < 0.7 and heavy["heaviest"] > 0.9
        assert "gives that one a queue by itself" in service.command("balance", *HERE, "--dry-run").stdout
    finally:
        stop.set()
        sender.join()
    service.write({**LIVE, "pins": [heavy["pin"]]})
    service.command("apply")
    steered = service.command("explain", "--frame", (FRAMES[7] + bytes(8)).hex(), *HERE).stdout
    assert f"pin 0 ({'flow_type udp4'}" in steered


def test_a_moved_entry_is_explained(service: Running, guest: Guest) -> None:
    service.write(LIVE)
    service.start()
    balance(service, guest)
    guest.send_for(1.5, HEAVY_AND_LIGHT)  # the deadline of the last ones
    placed = placement()
    for frame in FRAMES:
        told = service.command("explain", "--frame", (frame + bytes(8)).hex(), *HERE).stdout
        entry = int(told.split("entry ")[1].split(" ")[0])
        if placed.current[entry] != TABLE[entry]:
            assert f"the entry was moved to queue {placed.current[entry]}" in told
            return
    raise AssertionError("no flow was moved")


def test_killed_and_started_again(service: Running, guest: Guest) -> None:
    """The table is as it was left; the new service goes on from there."""
    service.write(LIVE)
    service.start()
    balance(service, guest)
    service.kill()
    guest.send_for(1.2, HEAVY_AND_LIGHT)  # what waits moves without anybody
    left, program = placement(), info()["program"]["id"]
    assert left.current == left.wanted != TABLE
    service.start()
    guest.send_for(1, HEAVY_AND_LIGHT)
    assert info()["program"]["id"] == program
    assert sum(a != b for a, b in zip(left.wanted, placement().wanted)) <= ENTRIES // 20
    assert spread_of(guest.send_for(3, HEAVY_AND_LIGHT)) < 1.15


def test_a_program_that_somebody_takes_off_comes_back_balanced(service: Running, guest: Guest) -> None:
    service.write(LIVE)
    service.start()
    balance(service, guest)
    before = placement().wanted
    for number in (1, 2):
        ioctls.set_steering_program(guest.descriptors[0], None)
        service.wait_until_put_back(number)
        assert sum(a != b for a, b in zip(before, placement().wanted)) <= ENTRIES // 20
    assert spread_of(guest.send_for(3, HEAVY_AND_LIGHT)) < 1.15
    assert before != TABLE and service.status()["error"] == ""


def test_queues_that_the_guest_disables_give_what_they_had(service: Running, guest: Guest) -> None:
    service.write(LIVE)
    service.start()
    balance(service, guest)
    guest.set_queue(3, enabled=False)
    guest.set_queue(2, enabled=False)
    guest.send_for(5, HEAVY_AND_LIGHT)
    assert spread_of(guest.send_for(1, HEAVY_AND_LIGHT)[:2]) < 1.15
    guest.set_queue(2, enabled=True)
    guest.set_queue(3, enabled=True)
    guest.send_for(6, HEAVY_AND_LIGHT)
    assert spread_of(guest.send_for(1, HEAVY_AND_LIGHT)) < 1.3


def test_weights_are_shares(service: Running, guest: Guest) -> None:
    service.write({**LIVE, "indirection": {"weight": [4, 2, 1, 1]}})
    service.start()
    guest.send_for(5, HEAVY_AND_LIGHT)
    packets = guest.send_for(1, HEAVY_AND_LIGHT)
    parts = [count / sum(packets) for count in packets]
    assert [round(part, 1) for part in parts[:2]] == [0.5, 0.2] or abs(parts[0] - 0.5) < 0.05, parts
