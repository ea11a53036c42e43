# SPDX-License-Identifier: GPL-3.0-or-later
"""By default no protocol is spread less than by automatic selection: real packets, the way that a host's bridge hands
them to a real TAP device. docs/protocols.md has the table that is measured here."""

from __future__ import annotations

import socket
import statistics
import subprocess
import typing as t
from collections import Counter
from pathlib import Path

import pytest

from ansible_collections.virtnet.rss.plugins.module_utils._rss.config import DEFAULT_HASH_TYPES, DEFAULT_TUNNEL_TYPES
from ansible_collections.virtnet.rss.plugins.module_utils._rss.keys import format_key, key_from_seed
from ansible_collections.virtnet.rss.plugins.module_utils._steering.desired import desired_from
from ansible_collections.virtnet.rss.plugins.module_utils._steering.run import run
from ansible_collections.virtnet.rss.tests.packets.protocols import DEEPER, FLOWS, PROTOCOLS, Protocol, Words, frames_of
from ansible_collections.virtnet.rss.tests.support.held_tap import HeldTap

PAGE = Path(__file__).parents[2] / "docs" / "protocols.md"
QUEUES, DRAWS = 4, 10
EVEN = 1.35  # 256 flows on four queues by chance: 1.12 in the middle, 1.25 one time in a hundred
NO_WORSE = 1.1
FILTER = Path("/proc/sys/net/bridge/bridge-nf-call-iptables")


class Wire:
    """A veth pair, a bridge and the device. A packet socket on the device itself would do but for tags in the data,
    which no other sender leaves there: the kernel takes them out where a packet comes in."""

    def __init__(self, tap: HeldTap) -> None:
        self.tap = tap
        commands = (
            "link add br0 type bridge mcast_snooping 0",
            "link add veth0 type veth peer name veth1",
            "link set veth0 master br0",
            f"link set {tap.name} master br0",
            *(f"link set {name} up" for name in ("br0", "veth0", "veth1", tap.name)),
        )
        for command in commands:
            subprocess.run(["ip", *command.split()], check=True)
        if FILTER.exists():  # it drops what has no checksum
            FILTER.write_text("0")
        self.sender = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
        self.sender.bind(("veth1", 0))
        tap.sender.close()
        tap.sender = self.sender

    def spread(self, protocol: Protocol, draw: int) -> float:
        """The busiest queue over the mean."""
        frames = frames_of(protocol, draw)
        wanted = set(frames)
        queues = Counter(queue for queue, frame in self.tap.send(frames) if frame in wanted)
        assert sum(queues.values()) == FLOWS, f"{protocol.name}: packets were lost, {queues}"
        return max(queues.values()) * QUEUES / FLOWS


@pytest.fixture
def wire(tap: HeldTap) -> Wire:
    Path("/proc/sys/net/ipv6/conf/default/disable_ipv6").write_text("1")  # no packets of the host's own
    Path("/proc/sys/net/ipv6/conf/all/disable_ipv6").write_text("1")
    return Wire(tap)


def steer(draw: int, words: Words) -> None:
    """The defaults of tap_steering and these words, with another key for each draw."""
    desired = desired_from(
        {
            "hash_key": format_key(key_from_seed(f"draw {draw}")),
            "hash_types": [*DEFAULT_HASH_TYPES, *words.get("hash_types", [])],
            "tunnel_types": [*DEFAULT_TUNNEL_TYPES, *words.get("tunnel_types", [])],
            "fallback": "fail",
        }
    )
    (outcome,) = run(["tap0"], desired).outcomes
    assert outcome.fallback is None and outcome.after.state == "steered"


def measured(wire: Wire, protocols: t.Sequence[Protocol], words: Words | None = None) -> dict[str, float]:
    """The median of ten draws of flows, steered (with words) or not (None)."""
    found: dict[str, list[float]] = {protocol.name: [] for protocol in protocols}
    for draw in range(DRAWS):
        if words is not None:
            steer(draw, words)
        for protocol in protocols:
            found[protocol.name].append(wire.spread(protocol, draw))
    return {name: statistics.median(spreads) for name, spreads in found.items()}


def test_nothing_is_spread_less_than_by_automatic_selection(wire: Wire) -> None:
    everything = [*PROTOCOLS, *DEEPER]
    automatic = measured(wire, everything)
    ours = measured(wire, everything, {})
    worse = [protocol.name for protocol in everything if ours[protocol.name] > NO_WORSE * automatic[protocol.name]]
    assert worse == [protocol.name for protocol in DEEPER], {name: (automatic[name], ours[name]) for name in worse}
    with_words = {}
    for protocol in PROTOCOLS:
        if protocol.words:
            with_words.update(measured(wire, [protocol], protocol.words))
        elif protocol.words is not None:
            assert ours[protocol.name] <= EVEN, protocol.name
    assert {name: spread for name, spread in with_words.items() if spread > EVEN} == {}
    table = "".join(_row(protocol, automatic, ours) for protocol in everything)
    assert table in PAGE.read_text(encoding="utf-8"), f"the table on {PAGE.name} is to be:\n{table}"


def _row(protocol: Protocol, automatic: dict[str, float], ours: dict[str, float]) -> str:
    name, words = protocol.name, protocol.words
    more = (
        "nothing" if words is None else "; ".join(f"`{option}: {', '.join(names)}`" for option, names in words.items())
    )
    note = f" ({protocol.note})" if protocol.note else ""
    return f"| {name}{note} | {_told(automatic[name])} | {_told(ours[name])} | {more} |\n"


def _told(spread: float) -> str:
    return "even" if spread <= EVEN else "one queue" if spread == QUEUES else "uneven"
