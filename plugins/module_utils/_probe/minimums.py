# Copyright (c) 2026, virtnet.rss contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to the collection: the kernel's features that are probed, since when they exist upstream, and why they matter.

from __future__ import annotations

import typing as t
from dataclasses import dataclass

__all__ = ("FEATURES", "Feature")


@dataclass(frozen=True)
class Feature:
    """One feature. Distributions port features back, so ``minimum_kernel`` is told beside the answer, no more."""

    name: str
    minimum_kernel: str
    reason: str  # the upstream commit that brought it
    needs: tuple[str, ...] = ()  # capabilities without which a failure says nothing about the kernel
    required: bool = False  # tap_steering cannot attach without it
    otherwise: str = ""  # what tap_steering does without it, where that differs


# Without CAP_PERFMON the verifier also follows what a CPU could execute speculatively, and gives up on our program as
# too large: seen on 6.18.
LOADING = ("CAP_BPF", "CAP_PERFMON")
# CAP_SYS_ADMIN is for the BTF of tun as a module, which libbpf fetches by its id.
INSPECTING = (*LOADING, "CAP_SYS_ADMIN")

FEATURES: t.Final = (
    Feature(
        "bpf_syscall",
        "3.18",
        'commit 99c55f7d47c0 ("bpf: introduce BPF syscall and maps")',
        ("CAP_BPF",),
        required=True,
    ),
    Feature(
        "socket_filter_load",
        "5.2",
        'the program keeps its configuration in global data: commit d8eca5bbb2be ("bpf: implement lookup-free direct '
        'value access for maps")',
        LOADING,
        required=True,
    ),
    Feature(
        "bounded_loops",
        "5.3",
        'commit 2589726d12a1 ("bpf: introduce bounded loops")',
        LOADING,
        required=True,
    ),
    Feature(
        "test_run",
        "4.12",
        'commit 1cf1cae963c2 ("bpf: introduce BPF_PROG_TEST_RUN command")',
        LOADING,
        required=True,
    ),
    Feature(
        "direct_reads",
        "6.2",
        'commit fd264ca02094 ("bpf: Add a kfunc to type cast from bpf uapi ctx to kernel ctx") and commit a35b9af4ec2c '
        '("bpf: Add a kfunc for generic type cast")',
        LOADING,
        otherwise="the program reads each packet by a helper call, which costs some nanoseconds more",
    ),
    Feature(
        "task_file_iterator",
        "5.8",
        'commit eaaacd23910f ("bpf: Add task and task/file iterator targets")',
        INSPECTING,
        otherwise="what steers a device is inferred from the loaded programs, and may stay unknown",
    ),
    Feature(
        "btf_vmlinux",
        "5.4",
        'commit 341dfcf8d78e ("btf: expose BTF info through sysfs")',
    ),
    Feature(
        "btf_tun",
        "5.11",
        'for tun as a module: commit 36e68442d1af ("bpf: Load and verify kernel module BTFs"); built in, it is part of '
        "btf_vmlinux",
    ),
    Feature(
        "steering_ioctl",
        "4.16",
        'commit 96f84061620c ("tun: add eBPF based queue selection method")',
        ("CAP_NET_ADMIN", "CAP_SYS_ADMIN"),
        required=True,
    ),
    Feature(
        "pidfd_getfd",
        "5.6",
        'commit 8649c322f75c ("pid: Implement pidfd_getfd syscall")',
        ("CAP_SYS_PTRACE",),
        otherwise="a device that a guest uses has one more queue for an instant while its program is set",
    ),
)
