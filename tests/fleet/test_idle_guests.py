# SPDX-License-Identifier: GPL-3.0-or-later
"""A rollout over guests that get no packets goes on, and says that nobody knows what it did to them."""

from __future__ import annotations

import os
from pathlib import Path

from ansible_collections.virtnet.rss.tests.support.namespaces import Fleet
from ansible_collections.virtnet.rss.tests.support.rollouts import GOOD, QUICK


def test_a_canary_without_traffic_is_a_warning(tmp_path: Path) -> None:
    with Fleet(tmp_path, 1, f"rssidle{os.getpid()}-") as fleet:
        (name,) = fleet.names
        fleet.hold(name, "tap0")
        done = fleet.playbook("virtnet.rss.rollout", steering_rules=GOOD, **QUICK)
        said = " ".join((done.stdout + done.stderr).split())
        assert done.returncode == 0, said
        assert f"{name}: no guest had enough packets to be judged by" in said
        assert "[WARNING]: no guest of this batch had enough packets to be judged by" in said
