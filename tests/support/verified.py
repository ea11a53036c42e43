# SPDX-License-Identifier: GPL-3.0-or-later
"""How many instructions this kernel's verifier follows to take each program: prints them as JSON, by program and build.

Linux tells since 5.16; before that they are 0.
"""

from __future__ import annotations

import ctypes
import json

from ansible_collections.virtnet.rss.plugins.module_utils._bpf.libbpf import ProgramInfo, load_libbpf
from ansible_collections.virtnet.rss.plugins.module_utils._bpf.steering_builds import FULL, PLAIN
from ansible_collections.virtnet.rss.plugins.module_utils._bpf.steering_program import SteeringProgram
from ansible_collections.virtnet.rss.plugins.module_utils._program.model import Configuration
from ansible_collections.virtnet.rss.plugins.module_utils._program.rodata import Identity, encode
from ansible_collections.virtnet.rss.plugins.module_utils._rss.keys import MICROSOFT_KEY
from ansible_collections.virtnet.rss.plugins.module_utils._tun.device_id import DeviceId
from ansible_collections.virtnet.rss.tests.packets.configurations import configuration
from ansible_collections.virtnet.rss.tests.support.bpf_objects import build_named, builds

__all__ = ("verified",)

NAMES = {"plain": "six types", "default": "the defaults", "everything": "everything"}
TABLE = tuple(entry % 4 for entry in range(128))


def verified() -> dict[str, dict[str, int]]:
    """By program, then by build."""
    return {name: {build: _count(configured, build) for build in builds()} for name, configured in NAMES.items()}


def _count(name: str, build: str) -> int:
    rss, info = configuration(name, MICROSOFT_KEY, TABLE, 0), ProgramInfo()
    elf = build_named(build, PLAIN if rss.is_plain else FULL)
    length = ctypes.c_uint32(ctypes.sizeof(info))
    rodata = encode(Identity("test", DeviceId(1, 1)), Configuration(rss))
    with SteeringProgram(load_libbpf(), rodata, queues=4, elf=elf) as program:
        load_libbpf().call("bpf_obj_get_info_by_fd", program.descriptor, ctypes.byref(info), ctypes.byref(length))
    return int(info.verified_insns)


if __name__ == "__main__":
    print(json.dumps(verified()))
