# SPDX-License-Identifier: GPL-3.0-or-later
"""What it costs the host to watch the packets of a device (`virtnet-rss advise`), for each packet into it."""

from __future__ import annotations

import statistics
import subprocess
import tempfile
import time
import typing as t
from pathlib import Path

from ansible_collections.virtnet.rss.bench import peers
from ansible_collections.virtnet.rss.bench.device import AUTOMATIC, frames
from ansible_collections.virtnet.rss.bench.namespace import quiet_network_namespace
from ansible_collections.virtnet.rss.plugins.module_utils._look.look import look
from ansible_collections.virtnet.rss.plugins.module_utils._look.observation import observe, wanted_configuration
from ansible_collections.virtnet.rss.plugins.module_utils._tun.netns import current_namespace

__all__ = ("measure",)


SIDE = 0.2  # seconds of one side in a round
SETTLE = 0.1  # seconds that are left out at its beginning: figures from before, still in the pipe
FOREVER = 1_000_000_000  # rounds


def measure(*, rounds: int) -> dict[str, t.Any]:
    """Nanoseconds a packet into a TAP device with automatic selection, alone and while it is watched, medians."""
    with tempfile.TemporaryDirectory() as folder, quiet_network_namespace():
        burst = Path(folder) / "burst"
        subprocess.run(["cc", "-O2", "-Wall", "-o", str(burst), str(peers.FOLDER / "burst.c")], check=True)
        command = [str(burst), "tap0", "tap0", str(FOREVER), str(AUTOMATIC)]
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
            try:
                return _take_turns(process, rounds)
            finally:
                process.kill()


def _take_turns(process: subprocess.Popen[bytes], rounds: int) -> dict[str, t.Any]:
    assert process.stdin and process.stdout
    process.stdin.write(frames())
    process.stdin.flush()
    assert process.stdout.readline() == b"ready\n"
    subprocess.run(["ip", "link", "set", "tap0", "up"], check=True)
    process.stdin.write(b"\n")
    process.stdin.flush()
    alone: list[float] = []
    watched: list[float] = []
    for _round in range(rounds):
        _read(process.stdout, alone)
        sightings = look(["tap0"], [current_namespace()]).sightings
        (observation,) = observe(
            sightings,
            lambda each: wanted_configuration(each.device),
            SETTLE + SIDE,
            sleep=lambda _seconds: _read(t.cast("t.IO[bytes]", process.stdout), watched),
        )
        assert sum(observation.now) > 0, observation.reason
    return {"alone": statistics.median(alone), "watched": statistics.median(watched), "rounds": rounds}


def _read(lines: t.IO[bytes], figures: list[float]) -> None:
    """Add the median of what is measured from now on."""
    begin, found = time.monotonic(), []
    while time.monotonic() < begin + SETTLE + SIDE:
        figure = float(lines.readline())
        if time.monotonic() > begin + SETTLE:
            found.append(figure)
    figures.append(statistics.median(found))
