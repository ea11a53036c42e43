# SPDX-License-Identifier: GPL-3.0-or-later
"""The programs that are compared, loaded: ours, QEMU's own as Debian ships it, and two that do next to nothing."""

from __future__ import annotations

import ctypes
import sys
import typing as t
from dataclasses import dataclass, replace
from pathlib import Path

from ansible_collections.virtnet.rss.plugins.module_utils._bpf.bpf_object import BpfObject
from ansible_collections.virtnet.rss.plugins.module_utils._bpf.inventory import run_program
from ansible_collections.virtnet.rss.plugins.module_utils._bpf.libbpf import ProgramInfo, load_libbpf
from ansible_collections.virtnet.rss.plugins.module_utils._bpf.steering_builds import (
    HELPER,
    TAGS_0_1_0,
)
from ansible_collections.virtnet.rss.plugins.module_utils._bpf.steering_program import (
    TEST_RUN_HEADER,
    SteeringProgram,
)
from ansible_collections.virtnet.rss.plugins.module_utils._program.model import Configuration, Guard
from ansible_collections.virtnet.rss.plugins.module_utils._program.rodata import Identity, encode, kind_of
from ansible_collections.virtnet.rss.plugins.module_utils._rss.config import (
    TUNNEL_TYPES,
    RssConfig,
    hash_types_to_mask,
    tunnel_types_to_mask,
)
from ansible_collections.virtnet.rss.plugins.module_utils._tun.device_id import DeviceId
from ansible_collections.virtnet.rss.tests.packets.configurations import DEFAULT, OWN, SEEN_THROUGH, SIX
from ansible_collections.virtnet.rss.tests.support.bpf_objects import build
from ansible_collections.virtnet.rss.tests.support.qemu import qemu_rss
from ansible_collections.virtnet.rss.tests.support.qemu.image import qemu_10

QUEUES = 4
RSS = RssConfig(bytes(range(40)), hash_types_to_mask(SIX), tuple(entry % QUEUES for entry in range(128)))
# The options' defaults, as much as automatic selection looks at; and every tunnel and transport.
DEFAULT_RSS = replace(RSS, hash_types=hash_types_to_mask(DEFAULT), tunnel_types=tunnel_types_to_mask(SEEN_THROUGH))
EVERY_RSS = replace(RSS, hash_types=hash_types_to_mask((*SIX, *OWN)), tunnel_types=tunnel_types_to_mask(TUNNEL_TYPES))
FORMER, PLAIN_NAME, COUNTED, DEFAULT_NAME = "0.1.0", "plain", "plain, statistics", "default"
FOLDER = Path(__file__).parent


@dataclass
class Peer:
    """One loaded program."""

    name: str
    descriptor: int
    owner: t.Any  # keeps it loaded
    # BPF_PROG_TEST_RUN takes an Ethernet header off before it runs a socket filter. In the tun driver nothing is taken
    # off: who reads from where the data begins gets 14 bytes more in front here, who asks for the MAC header does not.
    front: bytes = TEST_RUN_HEADER

    def close(self) -> None:
        """Unload it."""
        self.owner.close()

    def run(self, frame: bytes, repeat: int) -> tuple[int, int]:
        """Its answer to a frame, and the mean time of a run in nanoseconds (BPF_PROG_TEST_RUN)."""
        return run_program(load_libbpf(), self.descriptor, self.front + frame, repeat=repeat)

    def instructions(self) -> dict[str, int]:
        """Instructions that the verifier followed, those that are left, and bytes of machine code."""
        info = ProgramInfo()
        length = ctypes.c_uint32(ctypes.sizeof(info))
        load_libbpf().call("bpf_obj_get_info_by_fd", self.descriptor, ctypes.byref(info), ctypes.byref(length))
        return {
            "verified_instructions": info.verified_insns,
            "xlated_instructions": info.xlated_prog_len // 8,
            "jited_bytes": info.jited_prog_len,
        }


def ours(
    name: str, rss: RssConfig = RSS, *, statistics: bool = False, reads: str = "", guard: Guard | None = None
) -> Peer:
    """The program that the collection attaches for this configuration; ``reads`` names one of its two builds."""
    configuration = Configuration(rss, statistics=statistics, guard=guard)
    rodata, kind = encode(Identity("", DeviceId(0, 0)), configuration), kind_of(configuration)
    program = SteeringProgram(load_libbpf(), rodata, queues=QUEUES, elf=kind.elf(reads) if reads else None)
    return Peer(name, program.descriptor, program)


def former() -> Peer:
    """The program of release 0.1.0: the helper build of the plain object still has its very instructions."""
    peer = ours(FORMER, reads=HELPER)
    if peer.owner.describe().tag not in TAGS_0_1_0[sys.byteorder]:
        raise RuntimeError("the plain program is not that of 0.1.0 any more: take its object out of commit 9c0db9f")
    return peer


def small(name: str, scratch: Path) -> Peer:
    """bench/NAME.bpf.c"""
    program = BpfObject(load_libbpf(), build(FOLDER / f"{name}.bpf.c", "-mcpu=v3", to=scratch / f"{name}.o"))
    program.load()
    return Peer(name, program.program_fd(name), program)


def qemus(rss: RssConfig = RSS) -> Peer:
    """QEMU's, configured as QEMU does for a guest that wants ``rss``."""
    program = qemu_rss.load(qemu_rss.rss_object(qemu_10()), rss)
    return Peer("QEMU's", program.program_fd(qemu_rss.PROGRAM), program, front=b"")
