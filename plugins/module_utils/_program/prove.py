# Copyright (c) 2026, virtnet.rss contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to the collection: proves a loaded program on this very kernel before any packet meets it.

from __future__ import annotations

import typing as t
from dataclasses import replace

from ansible_collections.virtnet.rss.plugins.module_utils._bpf.steering_builds import FULL, LIVE, PLAIN
from ansible_collections.virtnet.rss.plugins.module_utils._bpf.steering_program import SteeringProgram
from ansible_collections.virtnet.rss.plugins.module_utils._errors import ProofError
from ansible_collections.virtnet.rss.plugins.module_utils._probe.bpf import Trial
from ansible_collections.virtnet.rss.plugins.module_utils._program.model import Configuration
from ansible_collections.virtnet.rss.plugins.module_utils._program.rodata import NO_WAITING, Identity, encode, kind_of
from ansible_collections.virtnet.rss.plugins.module_utils._rss.config import (
    VIRTIO_HASH_TYPES,
    RssConfig,
    hash_types_to_mask,
)
from ansible_collections.virtnet.rss.plugins.module_utils._rss.hashing import Steered, steer
from ansible_collections.virtnet.rss.plugins.module_utils._rss.keys import MICROSOFT_KEY
from ansible_collections.virtnet.rss.plugins.module_utils._rss.proof import microsoft_frames, proof_frames
from ansible_collections.virtnet.rss.plugins.module_utils._rss.proof_features import feature_frames
from ansible_collections.virtnet.rss.plugins.module_utils._rss.toeplitz import toeplitz_hash
from ansible_collections.virtnet.rss.plugins.module_utils._tun.device_id import DeviceId
from ansible_collections.virtnet.rss.plugins.module_utils._tun.netns import current_namespace

if t.TYPE_CHECKING:
    from ansible_collections.virtnet.rss.plugins.module_utils._bpf.libbpf import Libbpf

__all__ = ("Prover", "harmless_trial")

ADDRESSES_AND_PORTS = VIRTIO_HASH_TYPES[:6]
TRIAL_QUEUES = 16  # with these, the first of Microsoft's frames goes elsewhere than to the default queue
MOST_SHAPES = 8  # remembered; a host has a few
SEED = 7  # any number: the same flows each time, so that a failure can be repeated
# A table that gives the lower eight bits of the hash itself, as far as a queue number can show them.
LOW_BITS = Configuration(
    RssConfig(MICROSOFT_KEY, hash_types_to_mask(ADDRESSES_AND_PORTS), tuple(range(256))), statistics=False
)
# For each object one that needs it, and sends Microsoft's frames where the plain one does: none of them is SCTP.
MICROSOFT = {
    PLAIN.name: LOW_BITS,
    FULL.name: replace(
        LOW_BITS, rss=replace(LOW_BITS.rss, hash_types=LOW_BITS.rss.hash_types | hash_types_to_mask(["sctp"]))
    ),
    LIVE.name: replace(LOW_BITS, guard=NO_WAITING),
}


class Prover:
    """Runs frames through loaded programs and compares: Microsoft's vectors once, then random flows for each program.

    What the reference reads in the frames is computed once for all devices that differ in nothing but the key. It may
    be kept as long as the process runs, for the kernel stays the same.
    """

    def __init__(self, elf: bytes | None = None) -> None:
        self._elf = elf
        self._proven_builds: set[tuple[str, str]] = set()
        self._steered: dict[Configuration, list[tuple[bytes, Steered]]] = {}

    def prove(self, libbpf: Libbpf, program: SteeringProgram, configuration: Configuration) -> None:
        """ProofError for the first frame that goes elsewhere; the program's counters are zero afterwards."""
        kind = kind_of(configuration)
        build = (kind.name, program.reads)
        if build not in self._proven_builds:
            self._prove_kernel(libbpf, MICROSOFT[kind.name])
            self._proven_builds.add(build)
        _compare(program, self._vectors(configuration), "the reference")
        program.clear_counters()

    def _prove_kernel(self, libbpf: Libbpf, configuration: Configuration) -> None:
        """The published hashes need the published key, so a program of its own, which is gone afterwards."""
        rodata = encode(Identity("", DeviceId(0, 0)), configuration)
        with SteeringProgram(libbpf, rodata, queues=1, elf=self._elf) as program:
            _compare(program, [(frame, value % 256) for frame, value in microsoft_frames()], "Microsoft's table")

    def _vectors(self, configuration: Configuration) -> list[tuple[bytes, int]]:
        """Each frame with its queue. Only the last step depends on the key, of which every device has its own."""
        rss = configuration.rss
        shape = replace(configuration, rss=replace(rss, hash_key=MICROSOFT_KEY))
        if shape not in self._steered:
            if len(self._steered) >= MOST_SHAPES:
                self._steered.clear()
            offset = configuration.l3_offset
            frames = (*proof_frames(seed=SEED, l3_offset=offset), *feature_frames(rss, seed=SEED, l3_offset=offset))
            self._steered[shape] = [(frame, steer(frame, shape.rss, l3_offset=offset)) for frame in frames]
        return [(frame, _with_key(steered, rss)) for frame, steered in self._steered[shape]]


def _with_key(steered: Steered, rss: RssConfig) -> int:
    """The queue of what was steered with another key."""
    if steered.hash is None:
        return steered.queue
    return rss.indirection[toeplitz_hash(key=rss.hash_key, data=steered.data) % len(rss.indirection)]


def _compare(program: SteeringProgram, vectors: list[tuple[bytes, int]], source: str) -> None:
    for number, (frame, queue) in enumerate(vectors):
        actual, _duration = program.run(frame)
        if actual != queue:
            raise ProofError(
                f"the loaded program sends test frame {number} to queue {actual}, {source} to queue {queue}; "
                "the program was not attached"
            )


def harmless_trial() -> Trial:
    """A program for no device of this network namespace: whoever looks meanwhile sees that it steers nothing there."""
    rss = RssConfig(MICROSOFT_KEY, hash_types_to_mask(ADDRESSES_AND_PORTS), tuple(range(TRIAL_QUEUES)))
    frame, _hash = microsoft_frames()[0]
    rodata = encode(Identity("", DeviceId(current_namespace().inode, 0)), Configuration(rss, statistics=False))
    return Trial(rodata, TRIAL_QUEUES, frame, steer(frame, rss).queue)
