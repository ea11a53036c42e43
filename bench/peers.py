# SPDX-License-Identifier: GPL-3.0-or-later
"""The programs that are compared, loaded: ours, QEMU's own as Debian ships it, and two that do next to nothing."""

from __future__ import annotations

import ctypes
import typing as t
from dataclasses import dataclass
from pathlib import Path

from ansible_collections.virtnet.rss.plugins.module_utils._bpf.bpf_object import BpfObject
from ansible_collections.virtnet.rss.plugins.module_utils._bpf.inventory import run_program
from ansible_collections.virtnet.rss.plugins.module_utils._bpf.libbpf import ProgramInfo, load_libbpf
from ansible_collections.virtnet.rss.plugins.module_utils._bpf.steering_program import (
    TEST_RUN_HEADER,
    SteeringProgram,
)
from ansible_collections.virtnet.rss.plugins.module_utils._rss.config import RssConfig
from ansible_collections.virtnet.rss.plugins.module_utils._steering.model import Configuration
from ansible_collections.virtnet.rss.plugins.module_utils._steering.rodata import Identity, encode
from ansible_collections.virtnet.rss.plugins.module_utils._tun.device_id import DeviceId
from ansible_collections.virtnet.rss.tests.support.bpf_objects import build
from ansible_collections.virtnet.rss.tests.support.qemu import qemu_rss
from ansible_collections.virtnet.rss.tests.support.qemu.image import qemu_10

QUEUES = 4
RSS = RssConfig(bytes(range(40)), 0x3F, tuple(entry % QUEUES for entry in range(128)))
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
        """Instructions after the verifier, and bytes of machine code."""
        info = ProgramInfo()
        length = ctypes.c_uint32(ctypes.sizeof(info))
        load_libbpf().call("bpf_obj_get_info_by_fd", self.descriptor, ctypes.byref(info), ctypes.byref(length))
        return {"xlated_instructions": info.xlated_prog_len // 8, "jited_bytes": info.jited_prog_len}


def ours(*, statistics: bool, rss: RssConfig = RSS) -> Peer:
    """The program that the collection attaches."""
    rodata = encode(Identity("", DeviceId(0, 0)), Configuration(rss, statistics=statistics))
    program = SteeringProgram(load_libbpf(), rodata, queues=QUEUES)
    return Peer("ours, statistics" if statistics else "ours", program.descriptor, program)


def small(name: str, scratch: Path) -> Peer:
    """bench/NAME.bpf.c"""
    program = BpfObject(load_libbpf(), build(FOLDER / f"{name}.bpf.c", "-mcpu=v3", to=scratch / f"{name}.o"))
    program.load()
    return Peer(name, program.program_fd(name), program)


def qemus(rss: RssConfig = RSS) -> Peer:
    """QEMU's, configured as QEMU does for a guest that wants ``rss``."""
    program = qemu_rss.load(qemu_rss.rss_object(qemu_10()), rss)
    return Peer("QEMU's", program.program_fd(qemu_rss.PROGRAM), program, front=b"")
