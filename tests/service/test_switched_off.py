# SPDX-License-Identifier: GPL-3.0-or-later
"""A persistent device whose guest is switched off is no trouble, and it is steered when the guest starts."""

from __future__ import annotations

import json
import subprocess
import typing as t

from ansible_collections.virtnet.rss.tests.support.eventually import eventually
from ansible_collections.virtnet.rss.tests.support.held_tap import HeldTap
from ansible_collections.virtnet.rss.tests.support.running import Running
from ansible_collections.virtnet.rss.tests.support.steered import RULE, info, samples, wait_until_steered

HERE = ("--netns", "")
QUIET: tuple[str, int, list[t.Any], int, bool] = ("ignore", 0, [], 0, False)  # a trouble stands behind a semicolon


def is_quiet(service: Running) -> bool:
    """Neither `apply`, `status` nor the metrics find anything wrong; AssertionError where only one of them does."""
    done = service.command("apply", "--dry-run", "--json", *HERE, check=False)
    (row,) = json.loads(done.stdout)
    fallbacks = samples(service.metrics_file.read_text(encoding="utf-8")).get("virtnet_rss_fallback", [])
    status = service.command("status", *HERE, check=False).returncode
    return (row["action"], done.returncode, fallbacks, status, ";" in service.status_text()) == QUIET


def test_a_guest_that_is_switched_off_is_no_trouble(service: Running) -> None:
    subprocess.run(["ip", "tuntap", "add", "tap0", "mode", "tap", "multi_queue"], check=True)
    service.write(RULE)
    service.start("--full", "1")
    eventually(lambda: is_quiet(service), 5)
    with HeldTap("tap0", 4):
        wait_until_steered()
    eventually(lambda: info()["queues"] == 0)
    eventually(lambda: is_quiet(service), 5)
