# Copyright (c) 2026, virtnet.rss contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What virtnet.rss.tap_steering_info tells of one device."""

from __future__ import annotations

from dataclasses import replace

import pytest

from ansible_collections.virtnet.rss.plugins.module_utils._look.counters import REASONS, Counters
from ansible_collections.virtnet.rss.plugins.module_utils._look.implementation import Implementation
from ansible_collections.virtnet.rss.plugins.module_utils._look.look import Sighting
from ansible_collections.virtnet.rss.plugins.module_utils._look.measure import Measurement
from ansible_collections.virtnet.rss.plugins.module_utils._look.report import sighting_report
from ansible_collections.virtnet.rss.plugins.module_utils._program.model import AttachedProgram, Configuration
from ansible_collections.virtnet.rss.plugins.module_utils._rss.config import RssConfig
from ansible_collections.virtnet.rss.plugins.module_utils._steering.model import AUTOMATIC, STEERED, Device
from ansible_collections.virtnet.rss.plugins.module_utils._tun.device_id import DeviceId
from ansible_collections.virtnet.rss.plugins.module_utils._tun.holders import Holder
from ansible_collections.virtnet.rss.plugins.module_utils._tun.links import Traffic
from ansible_collections.virtnet.rss.plugins.module_utils._tun.netns import Namespace

QEMU, OTHER = Holder(12, "qemu-system-x86", 30), Holder(99, "vhost", 3)
DEVICE = Device("tap0", DeviceId(5, 7), 0x5902, queues=2, holders=(QEMU, replace(QEMU, descriptor=31), OTHER))
SIGHTING = Sighting(
    Namespace(5, "/run/netns/blue", "blue"), DEVICE._replace(state=AUTOMATIC), Implementation("automatic")
)
PROGRAM = AttachedProgram(
    5,
    "tun_steering",
    "ab" * 8,
    uid=0,
    owner="virtnet.rss",
    configuration=Configuration(RssConfig(bytes(40), 3, (0, 1))),
)


def test_where_it_is() -> None:
    told = sighting_report(SIGHTING)
    assert (told["name"], told["netns"], told["netns_inode"], told["ifindex"]) == ("tap0", "blue", 5, 7)


@pytest.mark.parametrize(
    ("flags", "names"),
    [
        (0x1002, ["tap", "no_pi"]),
        (0x5902, ["tap", "no_pi", "vnet_hdr", "multi_queue", "persist"]),
        (0x0001, ["tun"]),
    ],
)
def test_flags_as_ip_names_them(flags: int, names: list[str]) -> None:
    told = sighting_report(replace(SIGHTING, device=DEVICE._replace(tun_flags=flags)))
    assert told["flags"] == names


def test_a_holder_once_with_all_its_descriptors() -> None:
    assert sighting_report(SIGHTING)["holders"] == [
        {"pid": 12, "command": "qemu-system-x86", "descriptors": [30, 31]},
        {"pid": 99, "command": "vhost", "descriptors": [3]},
    ]


def test_without_a_program_nothing_is_made_up() -> None:
    told = sighting_report(SIGHTING)
    words = ("program", "config", "traffic", "counters", "measured", "observed")
    assert {word: told[word] for word in words} == dict.fromkeys(words)


def test_a_program_with_its_loader_and_time() -> None:
    told = sighting_report(replace(SIGHTING, device=DEVICE._replace(state=STEERED, program=PROGRAM)))["program"]
    assert (told["id"], told["owner"], told["uid"], told["user"]) == (5, "virtnet.rss", 0, "root")
    assert told["loaded_at"].endswith("Z")


def test_a_user_without_a_name() -> None:
    program = replace(PROGRAM, uid=4000000000)
    told = sighting_report(replace(SIGHTING, device=DEVICE._replace(state=STEERED, program=program)))["program"]
    assert (told["uid"], told["user"]) == (4000000000, "")


def test_counters_by_queue_and_by_reason() -> None:
    rows = ((1, 2, *[0] * (len(REASONS) - 2)), (0, 5, *[0] * (len(REASONS) - 2)))
    device = DEVICE._replace(state=STEERED, program=PROGRAM)
    told = sighting_report(replace(SIGHTING, device=device, counters=Counters(rows)))["counters"]
    assert (told["packets"], told["queues"], told["hash_types"]["none"]) == (8, [3, 5], 1)
    assert told["by_queue"][1]["ipv4"] == 5 and told["spread"] == 1.25


def test_traffic_and_cost() -> None:
    told = sighting_report(
        replace(SIGHTING, traffic=Traffic(40, 2, 5), measurement=Measurement(2.0, packets=3, nanoseconds=400))
    )
    assert told["traffic"] == {"to_guest": 40, "from_guest": 2, "dropped": 5}
    assert told["measured"] == {"seconds": 2.0, "packets": 3, "arrived": None, "nanoseconds_per_packet": 133.3}


def test_no_packets_have_no_cost() -> None:
    told = sighting_report(replace(SIGHTING, measurement=Measurement(2.0, packets=0, nanoseconds=0)))["measured"]
    assert told["nanoseconds_per_packet"] is None
