# Copyright (c) 2026, virtnet.rss contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to the collection: whose packets a heavy entry carries: one flow's or several's, and the pin for the heaviest.

from __future__ import annotations

import socket
import time
import typing as t
from collections import Counter
from ipaddress import ip_address

from ansible_collections.virtnet.rss.plugins.module_utils._rss.hashing import Steered, steer
from ansible_collections.virtnet.rss.plugins.module_utils._tun.packets import hear, packet_socket

if t.TYPE_CHECKING:
    from ansible_collections.virtnet.rss.plugins.module_utils._program.model import Configuration

__all__ = ("Carried", "flows_of_entries")

SAMPLE = 2000  # packets are enough to tell a flow that has a tenth of them
PATIENCE = 0.5  # seconds for that; packets beside the sample are not waited for
HEADERS = 512  # bytes of a frame, in which all headers are
WITH_PORTS = {"tcpv4": "tcp4", "udpv4": "udp4", "tcpv6": "tcp6", "udpv6": "udp6"}


class Carried(t.NamedTuple):
    """What was seen of one entry."""

    flows: int
    heaviest: float  # part of the entry's packets that one flow has
    pin: dict[str, t.Any] | None  # that takes this flow alone; None where no pin can tell it


def flows_of_entries(ifindex: int, configuration: Configuration, entries: t.Collection[int]) -> dict[int, Carried]:
    """By a sample of the packets that go to the guest of a device of this network namespace, of those entries that it
    shows. OSError without CAP_NET_RAW."""
    seen: dict[int, Counter[Steered]] = {entry: Counter() for entry in entries}
    size = len(configuration.rss.indirection)
    for frame in _frames(ifindex):
        steered = steer(frame, configuration.rss, l3_offset=configuration.l3_offset)
        if steered.hash is not None and steered.hash % size in seen:
            seen[steered.hash % size][steered] += 1
    return {entry: _carried(flows, configuration) for entry, flows in seen.items() if flows}


def _frames(ifindex: int) -> t.Iterator[bytes]:
    deadline = time.monotonic() + PATIENCE
    with packet_socket() as listening:
        hear(listening, ifindex)
        for _packet in range(SAMPLE):
            listening.settimeout(max(deadline - time.monotonic(), 0.001))
            try:
                frame, address = listening.recvfrom(HEADERS)
            except socket.timeout:
                return
            if address[2] == socket.PACKET_OUTGOING:
                yield frame


def _carried(flows: Counter[Steered], configuration: Configuration) -> Carried:
    ((heaviest, packets),) = flows.most_common(1)
    return Carried(len(flows), packets / sum(flows.values()), _pin_for(heaviest, configuration))


def _pin_for(steered: Steered, configuration: Configuration) -> dict[str, t.Any] | None:
    """A pin looks at the outer packet, and what is hashed symmetrically does not tell its direction."""
    kind = WITH_PORTS.get(steered.hash_type or "")
    if kind is None or steered.header != "outer" or configuration.rss.symmetric:
        return None
    width = 4 if kind.endswith("4") else 16
    ports = steered.data[2 * width :]
    return {
        "flow_type": kind,
        "src_ip": str(ip_address(steered.data[:width])),
        "dst_ip": str(ip_address(steered.data[width : 2 * width])),
        "src_port": int.from_bytes(ports[:2], "big"),
        "dst_port": int.from_bytes(ports[2:], "big"),
    }
