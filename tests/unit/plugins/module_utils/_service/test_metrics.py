# Copyright (c) 2026, virtnet.rss contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Metrics, line by line; tests/service has Prometheus' own parser read a whole file."""

from __future__ import annotations

import typing as t
from dataclasses import replace

from ansible_collections.virtnet.rss.plugins.module_utils._look.card import Card
from ansible_collections.virtnet.rss.plugins.module_utils._look.counters import REASONS, Counters
from ansible_collections.virtnet.rss.plugins.module_utils._look.implementation import Implementation
from ansible_collections.virtnet.rss.plugins.module_utils._look.look import Sighting
from ansible_collections.virtnet.rss.plugins.module_utils._look.measure import Measurement
from ansible_collections.virtnet.rss.plugins.module_utils._program.model import AttachedProgram, Configuration
from ansible_collections.virtnet.rss.plugins.module_utils._rss.config import RssConfig
from ansible_collections.virtnet.rss.plugins.module_utils._service.metrics import HELP, metrics_text
from ansible_collections.virtnet.rss.plugins.module_utils._steering.model import STEERED, Device
from ansible_collections.virtnet.rss.plugins.module_utils._tun.device_id import DeviceId
from ansible_collections.virtnet.rss.plugins.module_utils._tun.links import Traffic
from ansible_collections.virtnet.rss.plugins.module_utils._tun.netns import Namespace

DEVICE = Device("tap0", DeviceId(4026531840, 7), 0x1102, queues=2, state=STEERED)
SIGHTING = Sighting(Namespace(4026531840, "/proc/self/ns/net"), DEVICE, Implementation("ebpf"))
LABELS = 'device="tap0",netns="ns:4026531840"'
STATUS: dict[str, t.Any] = {"reapplied": 3, "policy_error": "", "last_pass": 1700000000, "shortfalls": []}


def counters(*packets: int) -> Counters:
    return Counters(tuple((count, *[0] * (len(REASONS) - 1)) for count in packets))


def lines(sighting: Sighting = SIGHTING, status: dict[str, t.Any] | None = None) -> list[str]:
    return metrics_text([sighting], status).splitlines()


def test_one_state_is_true() -> None:
    told = [line for line in lines() if line.startswith("virtnet_rss_state{")]
    assert [line for line in told if line.endswith(" 1")] == [f'virtnet_rss_state{{{LABELS},state="steered"}} 1']
    assert len(told) == 4


def test_each_metric_has_its_help_and_type_once_and_before_its_samples() -> None:
    both = metrics_text([SIGHTING, replace(SIGHTING, device=DEVICE._replace(name="tap1"))], STATUS).splitlines()
    assert both.count("# TYPE virtnet_rss_queues gauge") == 1
    begin = both.index("# TYPE virtnet_rss_queues gauge")
    assert [line.split("{")[0] for line in both[begin + 1 : begin + 3]] == ["virtnet_rss_queues"] * 2


def test_what_is_not_known_is_left_out() -> None:
    assert {line.split("{")[0] for line in lines() if not line.startswith("#")} == {
        "virtnet_rss_state",
        "virtnet_rss_queues",
    }


def test_everything_that_is_known() -> None:
    weighted = Configuration(RssConfig(bytes(40), 63, (0, 0, 0, 1)))
    sighting = replace(
        SIGHTING,
        device=DEVICE._replace(program=AttachedProgram(12, "virtnet_rss", "", configuration=weighted)),
        counters=counters(30, 10),
        traffic=Traffic(40, 2, 5),
        measurement=Measurement(1, 4, 1000),
        card=Card("web-1", 0, "52:54:00:12:34:56"),
    )
    key = [4026531840, 7]
    status = {
        **STATUS,
        "shortfalls": [[*key, "load", "not permitted"]],
        "rules_of": [[*key, "guests"]],
        "balance": [[*key, {"moves": 12, "imbalance": 1.07}]],
    }
    told = lines(sighting, status)
    assert f'virtnet_rss_guest_info{{{LABELS},domain="web-1",mac="52:54:00:12:34:56",rule="guests"}} 1' in told
    assert f"virtnet_rss_excess{{{LABELS}}} 1.0" in told  # as the weights want it
    assert f'virtnet_rss_packets_total{{{LABELS},queue="0"}} 30' in told
    assert f"virtnet_rss_spread{{{LABELS}}} 1.5" in told
    assert f"virtnet_rss_dropped_total{{{LABELS}}} 5" in told
    assert f"virtnet_rss_program_seconds{{{LABELS}}} 2.5e-07" in told
    assert f'virtnet_rss_fallback{{{LABELS},stage="load",reason="not permitted"}} 1' in told
    assert f"virtnet_rss_imbalance{{{LABELS}}} 1.07" in told
    assert f"virtnet_rss_balance_moves_total{{{LABELS}}} 12" in told
    assert "virtnet_rss_reapplied_total 3" in told and "virtnet_rss_policy_error 0" in told
    assert {line.split()[2] for line in told if line.startswith("# HELP ")} == set(HELP)


def test_packets_keep_the_programs_own_numbers_while_the_guest_uses_fewer_queues() -> None:
    told = lines(replace(SIGHTING, counters=counters(1, 2, 3, 4)))
    assert sum(line.startswith("virtnet_rss_packets_total{") for line in told) == 4


def test_a_fallback_of_another_namespace_is_not_this_ones() -> None:
    told = lines(status={**STATUS, "shortfalls": [[1, 7, "load", "not permitted"]]})
    assert not [line for line in told if line.startswith("virtnet_rss_fallback{")]


def test_a_name_cannot_add_a_line_or_a_label() -> None:
    named = replace(SIGHTING, device=DEVICE._replace(name='a"} 1\n\\\x1b'))
    (told,) = (line for line in lines(named) if line.startswith("virtnet_rss_queues"))
    assert told == r'virtnet_rss_queues{device="a\"} 1\\x0a\\\\x1b",netns="ns:4026531840"} 2'


def test_a_refused_policy() -> None:
    assert "virtnet_rss_policy_error 1" in lines(status={**STATUS, "policy_error": "no such option"})
