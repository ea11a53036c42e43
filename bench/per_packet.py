# SPDX-License-Identifier: GPL-3.0-or-later
"""Nanoseconds for one packet, net of an empty program, on warm and on cold caches."""

from __future__ import annotations

import contextlib
import os
import statistics
import tempfile
import typing as t
from dataclasses import replace
from pathlib import Path

from ansible_collections.virtnet.rss.bench import peers
from ansible_collections.virtnet.rss.bench.frames import FRAMES, PROTOCOLS
from ansible_collections.virtnet.rss.plugins.module_utils._bpf.steering_builds import HELPER
from ansible_collections.virtnet.rss.plugins.module_utils._program.model import Guard
from ansible_collections.virtnet.rss.plugins.module_utils._rss.config import Pin, RssConfig

__all__ = ("measure",)

COLD = 256  # programs with keys of their own, each run once in turn: as many devices of one host
COLD_FRAME = "TCP/IPv4"
# The build that this host takes, and the one that every host takes.
BUILDS = {"this host's build": "", "helper build": HELPER}
# They take no packet of the benchmark, and have nothing in common that one comparison could tell.
PINS = tuple(Pin(0, ("tcp4", "udp4", "tcp6", "udp6")[number % 4], dst_port=1000 + number) for number in range(16))
OPTIONS: dict[str, tuple[RssConfig, Guard | None]] = {
    "default": (peers.DEFAULT_RSS, None),
    "default, 16 pins": (replace(peers.DEFAULT_RSS, pins=PINS), None),
    "default, symmetric": (replace(peers.DEFAULT_RSS, symmetric=True), None),
    "default, live table": (peers.DEFAULT_RSS, Guard(8, 1000)),  # at rest: no entry waits
}


def measure(*, rounds: int, repeat: int) -> dict[str, t.Any]:
    """Nanoseconds: ``warm[frame][program]``, ``protocols[frame][build]``, ``options[option][build]`` and
    ``cold[program]``; and the size of each program.
    """
    with tempfile.TemporaryDirectory() as folder, contextlib.ExitStack() as stack:
        scratch = Path(folder)

        def loaded(peer: peers.Peer) -> peers.Peer:
            stack.callback(peer.close)
            return peer

        empty = loaded(peers.small("empty", scratch))
        compared = [
            loaded(peers.former()),
            loaded(peers.ours(peers.PLAIN_NAME)),
            loaded(peers.ours(peers.COUNTED, statistics=True)),
            loaded(peers.ours(peers.DEFAULT_NAME, peers.DEFAULT_RSS)),
            loaded(peers.ours(f"{peers.DEFAULT_NAME}, helper build", peers.DEFAULT_RSS, reads=HELPER)),
            loaded(peers.qemus()),
            loaded(peers.small("load", scratch)),
        ]
        every = {name: loaded(peers.ours(name, peers.EVERY_RSS, reads=reads)) for name, reads in BUILDS.items()}
        timer = Timer(empty, rounds, repeat)
        warm = {name: timer.time(name, frame, compared) for name, frame in FRAMES.items()}
        tcp = {name: FRAMES[name] for name in ("TCP/IPv4", "UDP/IPv4")}
        protocols = {name: timer.time(name, frame, [*every.values()]) for name, frame in {**tcp, **PROTOCOLS}.items()}
        optional = {
            f"{option}, {build}": loaded(peers.ours(f"{option}, {build}", rss, reads=reads, guard=guard))
            for option, (rss, guard) in OPTIONS.items()
            for build, reads in BUILDS.items()
        }
        options = timer.time("options", FRAMES["TCP/IPv4"], [*optional.values()])
        programs = {peer.name: peer.instructions() for peer in (*compared, *every.values(), *optional.values())}
    return {
        "warm": warm,
        "protocols": protocols,
        "options": options,
        "cold": _cold(rounds),
        "programs": programs,
        "rounds": rounds,
        "repeat": repeat,
    }


class Timer:
    """Times programs that take turns in every round, net of an empty one."""

    def __init__(self, empty: peers.Peer, rounds: int, repeat: int) -> None:
        self._empty = empty
        self._rounds = rounds
        self._repeat = repeat

    def time(self, title: str, frame: bytes, compared: list[peers.Peer]) -> dict[str, float]:
        """Nanoseconds of each for a frame."""
        print(f"  {title}", flush=True)
        samples: dict[str, list[int]] = {peer.name: [] for peer in (self._empty, *compared)}
        for _round in range(self._rounds):
            for peer in (self._empty, *compared):
                samples[peer.name].append(peer.run(frame, self._repeat)[1])
        typical = {name: _typical(values) for name, values in samples.items()}
        nothing = typical.pop(self._empty.name)
        return {name: value - nothing for name, value in typical.items()}


def _typical(values: list[int]) -> float:
    """The mean of the middle half: the kernel gives whole nanoseconds, and a median would too."""
    ordered = sorted(values)
    quarter = len(ordered) // 4
    return statistics.fmean(ordered[quarter : len(ordered) - quarter])


def _cold(rounds: int) -> dict[str, float]:
    """Each device's program runs once and then 255 others do: its tables are no longer in the nearest cache."""
    frame = FRAMES[COLD_FRAME]
    keys = [os.urandom(40) for _key in range(COLD)]
    sides: dict[str, list[peers.Peer]] = {
        peers.FORMER: [peers.ours("", _with_key(key), reads=HELPER) for key in keys],
        peers.PLAIN_NAME: [peers.ours("", _with_key(key)) for key in keys],
        peers.DEFAULT_NAME: [peers.ours("", _with_key(key, peers.DEFAULT_RSS)) for key in keys],
        "QEMU's": [peers.qemus(_with_key(key)) for key in keys],
    }
    samples: dict[str, list[int]] = {name: [] for name in sides}
    for _round in range(rounds):
        for name, programs in sides.items():
            samples[name] += [program.run(frame, 1)[1] for program in programs]
    for program in (program for programs in sides.values() for program in programs):
        program.close()
    return {name: statistics.median(values) for name, values in samples.items()}


def _with_key(key: bytes, rss: RssConfig = peers.RSS) -> RssConfig:
    return replace(rss, hash_key=key)
