# SPDX-License-Identifier: GPL-3.0-or-later
"""Which programs of ours the kernel has loaded."""

from __future__ import annotations

import os

from ansible_collections.virtnet.rss.plugins.module_utils._bpf import inventory
from ansible_collections.virtnet.rss.plugins.module_utils._bpf.generated.steering_object import PROGRAM
from ansible_collections.virtnet.rss.plugins.module_utils._bpf.inspector import Inspector
from ansible_collections.virtnet.rss.plugins.module_utils._bpf.libbpf import load_libbpf
from ansible_collections.virtnet.rss.plugins.module_utils._errors import ObjectError

__all__ = ("our_programs", "steering_elsewhere")


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


def steering_elsewhere(netns_inode: int) -> set[int]:
    """Ids of the programs on devices of other network namespaces than this one, as far as the kernel can tell."""
    try:
        with Inspector(load_libbpf()) as inspector:
            queues = [queue for queue in inspector.look() if queue.netns_inode != netns_inode]
            return {queue.program_id for queue in queues if queue.program_id}
    except ObjectError:
        return set()
