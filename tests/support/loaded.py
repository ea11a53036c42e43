# SPDX-License-Identifier: GPL-3.0-or-later
"""Which programs of ours the kernel has loaded."""

from __future__ import annotations

import os

from ansible_collections.virtnet.rss.plugins.module_utils._bpf import inventory
from ansible_collections.virtnet.rss.plugins.module_utils._bpf.generated.steering_object import PROGRAM
from ansible_collections.virtnet.rss.plugins.module_utils._bpf.libbpf import load_libbpf

__all__ = ("our_programs",)


def our_programs() -> set[int]:
    """Ids of the loaded programs with our name."""
    libbpf = load_libbpf()
    found = set()
    for number in inventory.program_ids(libbpf):
        descriptor = inventory.open_program(libbpf, number)
        if descriptor is None:
            continue
        if inventory.program_of(libbpf, descriptor).name == PROGRAM:
            found.add(number)
        os.close(descriptor)
    return found
