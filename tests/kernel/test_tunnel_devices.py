# SPDX-License-Identifier: GPL-3.0-or-later
"""Packets of the kernel's own tunnels, transforms and sockets: hashed by what is inside, as the reference says.

What this host's kernel does not know is left out here; molecule's scenario kernels leaves nothing out.
"""

from __future__ import annotations

import os
import typing as t

import pytest

from ansible_collections.virtnet.rss.plugins.module_utils._bpf.libbpf import load_libbpf
from ansible_collections.virtnet.rss.plugins.module_utils._bpf.steering_builds import FULL
from ansible_collections.virtnet.rss.plugins.module_utils._bpf.steering_program import SteeringProgram
from ansible_collections.virtnet.rss.plugins.module_utils._program.model import Configuration
from ansible_collections.virtnet.rss.plugins.module_utils._program.rodata import Identity, encode
from ansible_collections.virtnet.rss.plugins.module_utils._rss.config import (
    HASH_TYPES,
    TUNNEL_TYPES,
    RssConfig,
    hash_types_to_mask,
    tunnel_types_to_mask,
)
from ansible_collections.virtnet.rss.plugins.module_utils._rss.hashing import Steered, steer
from ansible_collections.virtnet.rss.plugins.module_utils._rss.keys import MICROSOFT_KEY
from ansible_collections.virtnet.rss.plugins.module_utils._tun import ioctls
from ansible_collections.virtnet.rss.plugins.module_utils._tun.device_id import DeviceId
from ansible_collections.virtnet.rss.tests.support.bpf_objects import build_named, shipped_builds
from ansible_collections.virtnet.rss.tests.support.eventually import eventually
from ansible_collections.virtnet.rss.tests.support.foreign import control
from ansible_collections.virtnet.rss.tests.support.tunnel_devices import SENDERS, Sender

if t.TYPE_CHECKING:
    from ansible_collections.virtnet.rss.tests.support.held_tap import HeldTap

RSS = RssConfig(
    MICROSOFT_KEY,
    hash_types_to_mask(HASH_TYPES),
    tuple(entry % 4 for entry in range(128)),
    default_queue=3,
    tunnel_types=tunnel_types_to_mask(TUNNEL_TYPES),
)
RODATA = encode(Identity("tap0", DeviceId(1, 1)), Configuration(RSS))


def sent(tap: HeldTap, sender: Sender) -> dict[str, set[tuple[int, bytes]]]:
    """Queue and hash input of the packets with the header that the sender hashes by, by hash type; every packet, also
    one that the kernel sends of its own accord, must have taken the reference's queue."""
    wanted = sender.expected()
    found: dict[str, set[tuple[int, bytes]]] = {}
    tap.received()
    sender.send()

    def all_there() -> bool:
        for queue, frame in tap.received():
            steered: Steered = steer(frame, RSS)
            assert steered.queue == queue, frame.hex()
            if steered.header == sender.header and steered.hash_type in wanted:
                found.setdefault(steered.hash_type, set()).add((queue, steered.data))
        return all(len(found.get(name, ())) >= len(inputs) for name, inputs in wanted.items())

    eventually(all_there, 10, told=f"not all of the packets came: {found}")
    return found


@pytest.mark.parametrize("sender", SENDERS, ids=lambda sender: str(sender.name))
def test_real_packets_are_hashed_by_what_is_inside(tap: HeldTap, sender: Sender) -> None:
    refusal = sender.make()
    if refusal:
        pytest.skip(f"this kernel has none: {refusal}")
    descriptor = control(tap)
    try:
        for build in shipped_builds():
            with SteeringProgram(load_libbpf(), RODATA, queues=4, elf=build_named(build, FULL)) as program:
                ioctls.set_steering_program(descriptor, program.descriptor)
            found = sent(tap, sender)
            for hash_type, inputs in sender.expected().items():
                assert {data for _queue, data in found[hash_type]} == inputs
                assert {queue for queue, _data in found[hash_type]} == {0, 1, 2, 3}
    finally:
        os.close(descriptor)
