# SPDX-License-Identifier: GPL-3.0-or-later
"""What the tests of the service have in common: a rule, packets, and where they have to arrive."""

from __future__ import annotations

import typing as t

from prometheus_client.parser import text_string_to_metric_families

from ansible_collections.virtnet.rss.plugins.module_utils._program.model import Configuration
from ansible_collections.virtnet.rss.plugins.module_utils._program.rodata import Identity, encode
from ansible_collections.virtnet.rss.plugins.module_utils._rss.config import RssConfig
from ansible_collections.virtnet.rss.plugins.module_utils._rss.hashing import steer
from ansible_collections.virtnet.rss.plugins.module_utils._tun.device_id import DeviceId
from ansible_collections.virtnet.rss.tests.packets.generate import sendable_frames
from ansible_collections.virtnet.rss.tests.support import foreign
from ansible_collections.virtnet.rss.tests.support.defaults import default_rss
from ansible_collections.virtnet.rss.tests.support.eventually import eventually
from ansible_collections.virtnet.rss.tests.support.held_tap import HeldTap
from ansible_collections.virtnet.rss.tests.support.run_module import run_module

__all__ = (
    "FRAMES",
    "KEY",
    "OTHER_KEY",
    "RULE",
    "assert_steered",
    "attach_foreign",
    "expected",
    "info",
    "samples",
    "wait_until_steered",
)

KEY = bytes(range(40))
OTHER_KEY = KEY[::-1]
RULE: dict[str, t.Any] = {"name": "guests", "match": {"device": "tap*"}, "hash_key": KEY.hex()}
FRAMES = sendable_frames(seed=6, count=300)


def info(name: str = "tap0") -> dict[str, t.Any]:
    found: dict[str, t.Any] = run_module("tap_steering_info", {"taps": [name]})["taps"][0]
    return found


def wait_until_steered(name: str = "tap0", seconds: float = 2) -> None:
    eventually(lambda: info(name)["state"] == "steered", seconds)


def expected(key: bytes = KEY, queues: int = 4) -> list[tuple[int, bytes]]:
    rss = default_rss(key, queues)
    return sorted((steer(frame, rss).queue, frame) for frame in FRAMES)


def assert_steered(tap: HeldTap, key: bytes = KEY) -> None:
    assert sorted(tap.send(FRAMES)) == expected(key)


def attach_foreign(tap: HeldTap) -> None:
    """A program that looks like ours and is not."""
    rodata = bytearray(encode(Identity("tap0", DeviceId(1, 2)), Configuration(RssConfig(KEY, 63, (3,)))))
    rodata[-100] ^= 1
    foreign.attach(tap, bytes(rodata))


def samples(text: str) -> dict[str, list[tuple[dict[str, str], float]]]:
    """Labels and value of each sample, by its name, as Prometheus reads them."""
    found: dict[str, list[tuple[dict[str, str], float]]] = {}
    for family in text_string_to_metric_families(text):
        assert family.type in ("counter", "gauge") and family.documentation
        for sample in family.samples:
            found.setdefault(sample.name, []).append((sample.labels, sample.value))
    return found
