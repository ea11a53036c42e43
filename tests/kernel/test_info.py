# SPDX-License-Identifier: GPL-3.0-or-later
"""tap_steering_info on real devices: what it tells is compared with what packets do and with what was done."""

from __future__ import annotations

import contextlib
import datetime
import os
import socket
import subprocess
import threading
import time
import typing as t
from collections import Counter
from pathlib import Path

import pytest

from ansible_collections.virtnet.rss.plugins.module_utils._look.counters import REASONS
from ansible_collections.virtnet.rss.plugins.module_utils._program.model import Configuration
from ansible_collections.virtnet.rss.plugins.module_utils._program.rodata import Identity, encode
from ansible_collections.virtnet.rss.plugins.module_utils._rss.config import RssConfig
from ansible_collections.virtnet.rss.plugins.module_utils._rss.hashing import steer
from ansible_collections.virtnet.rss.plugins.module_utils._tun import ioctls
from ansible_collections.virtnet.rss.plugins.module_utils._tun.device_id import DeviceId
from ansible_collections.virtnet.rss.plugins.module_utils._tun.links import list_links
from ansible_collections.virtnet.rss.tests.packets.generate import sendable_frames
from ansible_collections.virtnet.rss.tests.support import foreign
from ansible_collections.virtnet.rss.tests.support.defaults import default_rss
from ansible_collections.virtnet.rss.tests.support.eventually import eventually
from ansible_collections.virtnet.rss.tests.support.held_tap import HeldTap
from ansible_collections.virtnet.rss.tests.support.run_module import run_module

KEY = bytes(range(40))
FRAMES = sendable_frames(seed=3, count=400)
PLAIN = RssConfig(KEY, 63, tuple(entry % 4 for entry in range(128)))
IDENTITY = Identity("tap0", DeviceId(1, 2))


def info(*taps: str, **options: t.Any) -> dict[str, t.Any]:
    if taps:
        options["taps"] = list(taps)
    result = run_module("tap_steering_info", options)
    assert not result.get("failed"), result
    assert result["changed"] is False
    return result


def only(result: dict[str, t.Any]) -> dict[str, t.Any]:
    assert len(result["taps"]) == 1, result
    found: dict[str, t.Any] = result["taps"][0]
    return found


def steer_tap(**options: t.Any) -> dict[str, t.Any]:
    return only(run_module("tap_steering", {"taps": ["tap0"], "hash_key": KEY.hex(), **options}))


def test_a_steered_device(tap: HeldTap) -> None:
    started = datetime.datetime.now(datetime.timezone.utc)
    attached = steer_tap()
    found = only(info())
    assert (found["name"], found["netns"], found["state"], found["reason"]) == ("tap0", "", "steered", "")
    assert found["netns_inode"] == os.stat("/proc/self/ns/net").st_ino
    assert (found["ifindex"], found["queues"], found["disabled_queues"]) == (attached["ifindex"], 4, 0)
    assert found["flags"] == ["tap", "no_pi", "multi_queue"]
    assert [(holder["pid"], len(holder["descriptors"])) for holder in found["holders"]] == [(tap.pid, 4)]
    assert found["config"] == attached["config"]
    assert {**found["program"], **attached["program"]} == found["program"]
    assert (found["program"]["uid"], found["program"]["user"]) == (0, "root")
    loaded_at = datetime.datetime.fromisoformat(found["program"]["loaded_at"].replace("Z", "+00:00"))
    assert abs((loaded_at - started).total_seconds()) < 30
    assert found["implementation"]["decides"] == "ebpf"


def test_an_automatic_device(tap: HeldTap) -> None:
    found = only(info("tap0"))
    assert (found["state"], found["program"], found["counters"]) == ("automatic", None, None)
    assert found["implementation"]["decides"] == "automatic"


def test_counters_are_the_packets(tap: HeldTap) -> None:
    steer_tap()
    before = only(info())["counters"]
    assert before["packets"] == 0 and before["spread"] is None  # the frames of the proof are not counted
    arrived = tap.send(FRAMES)
    counters = only(info())["counters"]
    received = Counter(queue for queue, _frame in arrived)
    assert counters["queues"] == [received[queue] for queue in range(4)]
    types = Counter(steer(frame, default_rss(KEY)).reason for frame in FRAMES)
    assert counters["hash_types"] == {reason: types[reason] for reason in REASONS}
    assert counters["packets"] == len(FRAMES) == sum(sum(row.values()) for row in counters["by_queue"])
    assert counters["spread"] == round(max(received.values()) * 4 / len(FRAMES), 3)


def test_traffic(tap: HeldTap) -> None:
    assert only(info())["traffic"] == {"to_guest": 0, "from_guest": 0, "dropped": 0}
    tap.send(FRAMES)
    assert only(info())["traffic"] == {"to_guest": len(FRAMES), "from_guest": 0, "dropped": 0}


def test_dropped_packets() -> None:
    """A device that is up and that nobody reads: the queue holds as many packets as txqueuelen says."""
    subprocess.run(["ip", "tuntap", "add", "tap0", "mode", "tap", "multi_queue"], check=True)
    descriptor = ioctls.open_control()
    try:
        ioctls.join_device(descriptor, "tap0", ioctls.IFF_TAP | ioctls.IFF_NO_PI | ioctls.IFF_MULTI_QUEUE)
        subprocess.run(["ip", "link", "set", "tap0", "txqueuelen", "10", "up"], check=True)
        with socket.socket(socket.AF_PACKET, socket.SOCK_RAW) as sender:
            sender.bind(("tap0", 0))
            for frame in FRAMES:
                with contextlib.suppress(OSError):  # ENOBUFS
                    sender.send(frame)
        traffic = only(info())["traffic"]
        assert traffic["dropped"] > 0 and traffic["dropped"] + 10 >= len(FRAMES)
    finally:
        os.close(descriptor)


def test_counters_after_a_queue_was_disabled(tap: HeldTap) -> None:
    """The driver takes the program's queue modulo the attached ones; what is told are the program's own numbers, so
    none falls when a guest enables or disables queues."""
    steer_tap()
    told = [only(info())["counters"]["queues"]]
    for enabled in (False, True):
        tap.set_queue(3, enabled=enabled)
        arrived = Counter(queue for queue, _frame in tap.send(FRAMES))
        found = only(info())
        assert found["queues"] == (4 if enabled else 3)
        told.append(found["counters"]["queues"])
        new = [now - then for now, then in zip(told[-1], told[-2])]
        assert min(new) > 0 and sum(new) == len(FRAMES)
        assert new == ([arrived[queue] for queue in range(4)] if enabled else [*new[:3], arrived[0] - new[0]])


def test_without_statistics(tap: HeldTap) -> None:
    steer_tap(statistics=False)
    assert only(info())["counters"] is None


def test_a_renamed_device(tap: HeldTap) -> None:
    program = steer_tap()["program"]["id"]
    for change in (["down"], ["name", "other0"]):
        subprocess.run(["ip", "link", "set", "tap0", *change], check=True)
    found = only(info())
    assert (found["name"], found["state"], found["program"]["id"]) == ("other0", "steered", program)


@pytest.fixture
def names() -> t.Iterator[list[str]]:
    """Two named network namespaces."""
    made = [f"rss-test-{os.getpid()}-{number}" for number in range(2)]
    with contextlib.ExitStack() as stack:
        for name in made:
            subprocess.run(["ip", "netns", "add", name], check=True)
            stack.callback(subprocess.run, ["ip", "netns", "del", name], check=True)
        yield made


def in_namespace(name: str, *command: str) -> None:
    subprocess.run(["ip", "netns", "exec", name, *command], check=True)


def test_another_kind_of_device_with_the_name_elsewhere(names: list[str], tap: HeldTap) -> None:
    """Anybody can make one, in a namespace of his own: it is nobody's answer. Alone it is told what it is."""
    in_namespace(names[0], "ip", "link", "add", "tap0", "type", "bridge")
    in_namespace(names[1], "ip", "link", "add", "other", "type", "bridge")
    in_namespace(names[1], "ip", "link", "property", "add", "dev", "other", "altname", "tap0")
    found = info("tap0", netns="all")["taps"]
    assert tap.pid in [holder["pid"] for report in found for holder in report["holders"]]
    refused = run_module("tap_steering_info", {"taps": ["tap0"], "netns": names[0]})
    assert refused["failed"] and "kind bridge" in refused["msg"]


def test_one_name_in_three_namespaces(names: list[str], tap: HeldTap) -> None:
    """A held one here, two that nobody holds elsewhere; one of them is steered."""
    for name in names:
        in_namespace(name, "ip", "tuntap", "add", "tap0", "mode", "tap", "multi_queue")
    options = {"taps": ["tap0"], "indirection": {"equal": 2}, "allow_future_queues": True, "netns": names[0]}
    assert run_module("tap_steering", options)["changed"]
    # A device of that name may be in namespaces of the host's own too.
    inodes = {os.stat(path).st_ino for path in ("/proc/self/ns/net", *(f"/run/netns/{name}" for name in names))}
    reports = info("tap0", netns="all")["taps"]
    found = {report["netns"]: report for report in reports if report["netns_inode"] in inodes}
    assert {netns: report["state"] for netns, report in found.items()} == {
        "": "automatic",
        names[0]: "steered",
        names[1]: "automatic",
    }
    assert found[""]["holders"] and not found[names[0]]["holders"]
    assert {report["netns_inode"] for report in found.values()} == inodes
    assert only(info("tap0", netns=names[0])) == found[names[0]]


def test_a_namespace_without_a_name(tap: HeldTap) -> None:
    """It belongs to a process, as a container's does."""
    process = subprocess.Popen(
        ["unshare", "--net", "sh", "-c", "ip tuntap add tap7 mode tap multi_queue; echo; exec sleep 60"],
        stdout=subprocess.PIPE,
    )
    try:
        assert process.stdout is not None and process.stdout.readline() == b"\n"
        inode = os.stat(f"/proc/{process.pid}/ns/net").st_ino
        found = only(info("tap7", netns="all"))
        assert (found["netns"], found["netns_inode"]) == (f"ns:{inode}", inode)
    finally:
        process.kill()
        process.communicate()


class TestNotOurs:
    """Programs that look like ours, and are not taken for ours."""

    def assert_foreign(self) -> None:
        found = only(info())
        assert found["state"] == foreign.STATE and found["config"] is None and found["counters"] is None
        assert steer_tap()["action"] == "keep"

    def test_our_name_other_instructions(self, tap: HeldTap) -> None:
        elf = (Path(__file__).parents[2] / "bpf" / "build" / "steering.v1.o").read_bytes()
        foreign.attach(tap, encode(IDENTITY, Configuration(PLAIN)), elf)
        self.assert_foreign()

    def test_another_layout(self, tap: HeldTap) -> None:
        rodata = bytearray(encode(IDENTITY, Configuration(PLAIN)))
        rodata[rodata.index(b"VSRS") + 4] ^= 0xFF
        foreign.attach(tap, bytes(rodata))
        self.assert_foreign()

    def test_lookup_tables_of_another_key(self, tap: HeldTap) -> None:
        """What it would be reported to compute, it does not."""
        rodata = bytearray(encode(IDENTITY, Configuration(PLAIN)))
        rodata[-100] ^= 1
        foreign.attach(tap, bytes(rodata))
        self.assert_foreign()

    def test_a_queue_out_of_range(self, tap: HeldTap) -> None:
        configuration = Configuration(PLAIN)
        rodata = encode(IDENTITY, configuration).replace(b"\0\0\1\0\2\0\3\0", b"\0\0\1\0\2\0\xff\xff", 1)
        assert rodata != encode(IDENTITY, configuration)
        foreign.attach(tap, rodata)
        self.assert_foreign()


def test_another_tools_detach_is_seen(tap: HeldTap) -> None:
    steer_tap()
    foreign.detach(tap)
    # Where the kernel has to be inferred: until it has freed the program.
    eventually(lambda: only(info())["state"] == "automatic")
    assert steer_tap()["changed"]


@pytest.mark.parametrize("ours", [True, False], ids=["ours", "foreign"])
def test_measure(tap: HeldTap, ours: bool) -> None:
    """The kernel's count of the program's runs is the number of packets that were sent meanwhile."""
    if ours:
        steer_tap()
    else:
        foreign.attach(tap, encode(IDENTITY, Configuration(PLAIN, statistics=False)))
    result: list[dict[str, t.Any]] = []
    thread = threading.Thread(target=lambda: result.append(info(measure=1.5)))
    thread.start()
    time.sleep(0.9)  # a module's start takes up to half a second here
    tap.send(FRAMES)
    thread.join()
    measured = only(result[0])["measured"]
    assert measured["seconds"] == 1.5 and measured["packets"] == len(FRAMES)
    assert 1 < measured["nanoseconds_per_packet"] < 1e6


def test_nothing_changes(tap: HeldTap) -> None:
    """Ids, flags, queue counts, and the kernel's switch for BPF statistics."""

    def everything() -> list[t.Any]:
        links = [(link.name, link.tun_flags, link.queues, link.disabled_queues) for link in list_links()]
        setting = Path("/proc/sys/kernel/bpf_stats_enabled").read_text(encoding="ascii")
        return [links, setting, os.listdir(f"/proc/{tap.pid}/fd")]

    subprocess.run(["ip", "tuntap", "add", "tap1", "mode", "tap", "multi_queue", "vnet_hdr"], check=True)
    program = steer_tap()["program"]["id"]
    before = everything()
    found = info(netns="all", measure=0.1)
    assert everything() == before
    again = only(info("tap0"))
    assert again["program"]["id"] == program
    assert {
        report["name"]: report["state"] for report in found["taps"] if report["netns_inode"] == again["netns_inode"]
    } == {
        "tap0": "steered",
        "tap1": "automatic",
    }


def test_check_mode_is_the_same(tap: HeldTap) -> None:
    steer_tap()
    assert run_module("tap_steering_info", {}, check=True)["taps"] == info()["taps"]


BAD: list[tuple[dict[str, t.Any], str]] = [
    ({"taps": ["nothere"]}, "taps: there is no such device in the network namespaces that were looked at: 'nothere'"),
    ({"taps": ["nothere"], "netns": "all"}, "there is no such device in the network namespaces"),
    ({"taps": []}, "taps: an empty list is not allowed; name at least one TAP device"),
    ({"taps": ["lo"]}, "only TAP devices of the tun driver"),
    ({"taps": ["a name"]}, "no white space"),
    ({"netns": "nothere"}, "netns: there is no such network namespace (see `ip netns` and `lsns -t net`): 'nothere'"),
    ({"measure": -1}, "measure: -1.0 is not allowed; seconds from 0"),
    ({"measure": 1e9}, "measure: 1000000000.0 is not allowed"),
]


@pytest.mark.parametrize(("options", "sentence"), BAD, ids=[str(options) for options, _sentence in BAD])
def test_bad_input(options: dict[str, t.Any], sentence: str) -> None:
    result = run_module("tap_steering_info", options)
    assert result["failed"] and sentence in result["msg"]
    assert "Traceback" not in result["msg"]


def test_a_pattern_without_a_match_is_a_warning() -> None:
    result = info("vnet*")
    assert result["taps"] == [] and result["warnings"] == ["taps: no TAP device matches 'vnet*'"]


def test_a_host_without_guests() -> None:
    result = info()
    assert result["taps"] == [] and result["warnings"] == []


def test_without_any_capability(tap: HeldTap) -> None:
    """What cannot be looked at is unknown, with the reason."""
    steer_tap()
    wrapper = ["setpriv", "--bounding-set=-all", "--inh-caps=-all"]
    result = run_module("tap_steering_info", {}, wrapper=wrapper)
    found = only(result)
    assert (found["state"], found["program"]) == ("unknown", None) and found["reason"]
    assert (result["exact"], found["implementation"]["decides"]) == (False, "unknown") and result["exact_reason"]
