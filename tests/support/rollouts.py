# SPDX-License-Identifier: GPL-3.0-or-later
"""Hosts whose guests get packets all the time, and policies to roll out over them."""

from __future__ import annotations

import contextlib
import os
import typing as t
from pathlib import Path

from ansible_collections.virtnet.rss.tests.support.namespaces import PYTHON, Fleet

__all__ = ("BAD", "GOOD", "MORE", "QUICK", "busy_fleet", "states")

SEND = str(Path(__file__).with_name("send.py"))
GOOD = [{"name": "guests", "match": {"device": "tap*"}}]
MORE = [{"name": "guests", "match": {"device": "tap*"}, "default_queue": 1}]
BAD = [{"name": "guests", "match": {"device": "tap*"}, "indirection": {"table": [2]}}]
QUICK = {"rollout_window": 2, "rollout_soak": 1, "rollout_min_packets": 300}


@contextlib.contextmanager
def busy_fleet(folder: Path, count: int, prefix: str = "rss", *, rate: int = 1000) -> t.Iterator[Fleet]:
    """So many hosts with a guest on tap0 each that gets ``rate`` packets a second."""
    with Fleet(folder, count, f"{prefix}{os.getpid()}-") as made:
        for name in made.names:
            made.hold(name, "tap0")
            made.start(name, PYTHON, SEND, "tap0", str(rate))
        yield made


def states(report: dict[str, t.Any]) -> list[str]:
    """Of the devices in a report of virtnet.rss.audit."""
    return [device["state"] for device in report["devices"]]
