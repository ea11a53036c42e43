# SPDX-License-Identifier: GPL-3.0-or-later
"""Nanoseconds a packet into a real four-queue TAP device, straight and through a bridge, and out of one."""

from __future__ import annotations

import os
import statistics
import struct
import subprocess
import tempfile
import typing as t
from pathlib import Path

from ansible_collections.virtnet.rss.bench import peers
from ansible_collections.virtnet.rss.bench.namespace import quiet_network_namespace
from ansible_collections.virtnet.rss.tests.packets.generate import random_flows
from ansible_collections.virtnet.rss.tests.support.debian import install

__all__ = ("AUTOMATIC", "frames", "measure")

FLOWS = 256
AUTOMATIC = -1
BRIDGE = (
    "link add br0 type bridge mcast_snooping 0",
    "link add far type veth peer name port",
    "link set port master br0",
    "link set tap0 master br0",
    "link set br0 up",
    "link set port up",
    "link set far up",
)
# The packets' way, what has to be made for it, and the device that they are sent through; "-": written by the guest.
PATHS: tuple[tuple[str, tuple[str, ...], str], ...] = (
    ("TAP device", (), "tap0"),
    ("bridge", BRIDGE, "far"),
    ("TAP device, from the guest", (), "-"),
)


def measure(*, rounds: int) -> dict[str, t.Any]:
    """``through[path][program]`` in nanoseconds, medians over rounds in which the programs take turns."""
    with tempfile.TemporaryDirectory() as folder:
        install("gcc", "libc6-dev")
        burst = Path(folder) / "burst"
        subprocess.run(["cc", "-O2", "-Wall", "-o", str(burst), str(peers.FOLDER / "burst.c")], check=True)
        compared = [
            peers.qemus(),
            peers.former(),
            peers.ours(peers.PLAIN_NAME),
            peers.ours(peers.COUNTED, statistics=True),
            peers.ours(peers.DEFAULT_NAME, peers.DEFAULT_RSS),
        ]
        through = {}
        for path, commands, sender in PATHS:
            print(f"  {path}", flush=True)
            with quiet_network_namespace():
                through[path] = _time(burst, commands, sender, compared, rounds)
        for peer in compared:
            peer.close()
    return {"through": through, "rounds": rounds, "flows": FLOWS}


def _time(
    burst: Path, commands: t.Sequence[str], sender: str, compared: list[peers.Peer], rounds: int
) -> dict[str, float]:
    programs = [AUTOMATIC, *(peer.descriptor for peer in compared)]
    names = ["automatic selection", *(peer.name for peer in compared)]
    command = [str(burst), "tap0", sender, str(rounds), ":".join(map(str, programs))]
    inherited = [peer.descriptor for peer in compared]
    for descriptor in inherited:
        os.set_inheritable(descriptor, True)
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, pass_fds=inherited) as process:
        assert process.stdin and process.stdout
        process.stdin.write(frames())
        process.stdin.flush()
        if process.stdout.readline() == b"ready\n":
            for words in ("link set tap0 up", *commands):
                subprocess.run(["ip", *words.split()], check=True)
            process.stdin.write(b"\n")
        output = process.communicate()[0].decode()
    if process.returncode:
        raise RuntimeError(f"{burst.name} exited with {process.returncode}")
    columns = zip(*([float(number) for number in line.split()] for line in output.splitlines()))
    return {name: statistics.median(column) for name, column in zip(names, columns)}


def frames() -> bytes:
    """A packet of 64 or 78 bytes for each of 256 flows: TCP and UDP over IPv4 and IPv6."""
    frames = [frame.ljust(64, b"\0") for frame in random_flows(seed=3, count=FLOWS)]
    return b"".join(struct.pack("=H", len(frame)) + frame for frame in frames)
