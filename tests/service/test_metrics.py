# SPDX-License-Identifier: GPL-3.0-or-later
"""What the service and its command tell node_exporter."""

from __future__ import annotations

import contextlib
import os
import time
from pathlib import Path

from ansible_collections.virtnet.rss.tests.support import foreign
from ansible_collections.virtnet.rss.tests.support.eventually import eventually
from ansible_collections.virtnet.rss.tests.support.held_tap import HeldTap
from ansible_collections.virtnet.rss.tests.support.running import Running
from ansible_collections.virtnet.rss.tests.support.steered import FRAMES, RULE, samples


def test_metrics(service: Running, tap: HeldTap) -> None:
    service.write(RULE)
    service.start()
    tap.send(FRAMES)
    told = samples(service.command("metrics", "--netns", "", "--measure", "0.2").stdout)
    where = {"device": "tap0", "netns": ""}
    assert ({**where, "state": "steered"}, 1) in told["virtnet_rss_state"]
    packets = [count for _labels, count in told["virtnet_rss_packets_total"]]
    assert len(packets) == 4 and sum(packets) == len(FRAMES)
    assert set(samples(service.metrics_file.read_text(encoding="utf-8"))) >= {
        "virtnet_rss_state",
        "virtnet_rss_queues",
        "virtnet_rss_reapplied_total",
        "virtnet_rss_last_pass_timestamp_seconds",
    }


def counts(service: Running) -> bool:
    """Whether the service has the kernel's BPF statistics on now."""
    assert service.process
    links = []
    for path in Path(f"/proc/{service.process.pid}/fd").iterdir():
        with contextlib.suppress(FileNotFoundError):  # closed since
            links.append(os.readlink(path))
    return "anon_inode:bpf-stats" in links


def test_the_cost_of_the_programs(service: Running, tap: HeldTap) -> None:
    """Asked for, it is in the metrics, nothing waits for it, and the kernel counts for a part of the time only."""
    service.write(RULE)
    service.start("--full", "1.5", "--measure")

    def counted() -> bool:
        tap.send(FRAMES)
        return "virtnet_rss_program_seconds" in service.metrics_file.read_text(encoding="utf-8")

    eventually(counted, 10)
    ((labels, cost),) = samples(service.metrics_file.read_text(encoding="utf-8"))["virtnet_rss_program_seconds"]
    assert labels["device"] == "tap0" and 1e-9 < cost < 1e-3
    looks = []
    for _look in range(40):
        looks.append(counts(service))
        time.sleep(0.05)
    assert 0 < sum(looks) < 30  # a third of the time here
    foreign.detach(tap)
    service.wait_until_put_back(1)
    assert service.status_text() == "STATUS=1 of 1 devices steered"


def test_metrics_tell_only_what_is_known(service: Running, tap: HeldTap) -> None:
    """Without the service nobody knows when everything was looked at, and how often something was put back."""
    assert tap.pid
    service.write({**RULE, "indirection": {"equal": 9}})
    of_service = {f"virtnet_rss_{name}" for name in ("reapplied_total", "policy_error", "last_pass_timestamp_seconds")}
    assert not of_service & set(samples(service.command("metrics", "--netns", "").stdout))
    service.start()
    for text in (service.command("metrics", "--netns", "").stdout, service.metrics_file.read_text(encoding="utf-8")):
        told = samples(text)
        assert of_service < set(told)
        ((labels, value),) = told["virtnet_rss_fallback"]
        assert (labels["device"], labels["stage"], value) == ("tap0", "wait", 1)
        assert labels["reason"].startswith("indirection: 8 is not allowed; tap0 has 4 queues attached")
        assert told["virtnet_rss_last_pass_timestamp_seconds"][0][1] == service.status()["last_pass"]
