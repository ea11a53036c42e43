# SPDX-License-Identifier: GPL-3.0-or-later
"""Nanoseconds for one packet, net of an empty program, on warm and on cold caches."""

from __future__ import annotations

import os
import statistics
import tempfile
import typing as t
from pathlib import Path

from ansible_collections.virtnet.rss.bench import peers
from ansible_collections.virtnet.rss.bench.frames import FRAMES
from ansible_collections.virtnet.rss.plugins.module_utils._rss.config import RssConfig

__all__ = ("measure",)

COLD = 256  # programs with keys of their own, each run once in turn: as many devices of one host
COLD_FRAME = "TCP/IPv4"


def measure(*, rounds: int, repeat: int) -> dict[str, t.Any]:
    """``warm[frame][program]`` and ``cold[program]`` in nanoseconds, and the size of each program."""
    with tempfile.TemporaryDirectory() as folder:
        scratch = Path(folder)
        empty = peers.small("empty", scratch)
        compared = [
            peers.ours(statistics=False),
            peers.ours(statistics=True),
            peers.qemus(),
            peers.small("load", scratch),
        ]
        warm = {}
        for name, frame in FRAMES.items():
            print(f"  {name}", flush=True)
            warm[name] = _warm(frame, [empty, *compared], rounds, repeat)
        programs = {peer.name: peer.instructions() for peer in compared}
        for peer in (empty, *compared):
            peer.close()
        return {"warm": warm, "cold": _cold(rounds), "programs": programs, "rounds": rounds, "repeat": repeat}


def _warm(frame: bytes, compared: list[peers.Peer], rounds: int, repeat: int) -> dict[str, float]:
    """The sides take turns in every round; medians over the rounds."""
    samples: dict[str, list[int]] = {peer.name: [] for peer in compared}
    for _round in range(rounds):
        for peer in compared:
            samples[peer.name].append(peer.run(frame, repeat)[1])
    medians = {name: statistics.median(values) for name, values in samples.items()}
    nothing = medians.pop("empty")
    return {name: value - nothing for name, value in medians.items()}


def _cold(rounds: int) -> dict[str, float]:
    """Each device's program runs once and then 255 others do: its tables are no longer in the nearest cache."""
    frame = FRAMES[COLD_FRAME]
    keys = [os.urandom(40) for _key in range(COLD)]
    sides: dict[str, list[peers.Peer]] = {
        "ours": [peers.ours(statistics=False, rss=_with_key(key)) for key in keys],
        "QEMU's": [peers.qemus(_with_key(key)) for key in keys],
    }
    samples: dict[str, list[int]] = {name: [] for name in sides}
    for _round in range(rounds):
        for name, programs in sides.items():
            samples[name] += [program.run(frame, 1)[1] for program in programs]
    for program in (program for programs in sides.values() for program in programs):
        program.close()
    return {name: statistics.median(values) for name, values in samples.items()}


def _with_key(key: bytes) -> RssConfig:
    return RssConfig(key, peers.RSS.hash_types, peers.RSS.indirection)
