# Copyright (c) 2026, virtnet.rss contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to the collection: what this process may do, and how the host's BPF is set. Only reads.

from __future__ import annotations

import contextlib
import os
import re
import resource
import typing as t

__all__ = (
    "CAPABILITIES",
    "effective_capabilities",
    "jit",
    "lacking",
    "lockdown",
    "memory_lock_limit",
    "unprivileged_bpf_disabled",
)

UNKNOWN = "unknown"
# Bits of include/uapi/linux/capability.h: all that the collection ever needs.
CAPABILITIES: t.Final = {
    "CAP_NET_ADMIN": 12,
    "CAP_SYS_PTRACE": 19,
    "CAP_SYS_ADMIN": 21,
    "CAP_PERFMON": 38,
    "CAP_BPF": 39,
}
# The kernel takes the older, wider capability in their place (bpf_capable, perfmon_capable).
PART_OF_SYS_ADMIN = ("CAP_BPF", "CAP_PERFMON")

STATUS = "/proc/self/status"
SECURITY = "/sys/kernel/security"
JIT_ENABLE = "/proc/sys/net/core/bpf_jit_enable"
UNPRIVILEGED_BPF_DISABLED = "/proc/sys/kernel/unprivileged_bpf_disabled"


def effective_capabilities() -> frozenset[str]:
    """Those of CAPABILITIES that this process has."""
    match = re.search(r"^CapEff:\s*([0-9a-f]+)$", _read(STATUS) or "", re.MULTILINE)
    mask = int(match.group(1), 16) if match else 0
    return frozenset(name for name, bit in CAPABILITIES.items() if mask >> bit & 1)


def lacking(needs: t.Iterable[str], held: t.Collection[str]) -> tuple[str, ...]:
    """Those of ``needs`` that neither are held nor are part of CAP_SYS_ADMIN, which is held."""
    covered = PART_OF_SYS_ADMIN if "CAP_SYS_ADMIN" in held else ()
    return tuple(name for name in needs if name not in held and name not in covered)


def memory_lock_limit() -> dict[str, int | str]:
    """RLIMIT_MEMLOCK, soft and hard, in bytes or ``unlimited``."""
    limits = zip(("soft", "hard"), resource.getrlimit(resource.RLIMIT_MEMLOCK))
    return {kind: "unlimited" if limit == resource.RLIM_INFINITY else limit for kind, limit in limits}


def lockdown() -> str:
    """none, integrity, confidentiality, or unknown."""
    match = re.search(r"\[(\w+)\]", _read(f"{SECURITY}/lockdown") or "")
    if match:
        return match.group(1)
    # Its file `lsm` is there wherever securityfs is mounted: then a kernel without `lockdown` has none.
    return "none" if os.path.exists(f"{SECURITY}/lsm") else UNKNOWN


def jit() -> str:
    """Whether BPF programs become machine code: enabled, disabled, debug (enabled, and printed), or unknown.

    Network namespaces other than the first do not have the setting.
    """
    return {"0": "disabled", "1": "enabled", "2": "debug"}.get(_read(JIT_ENABLE) or "", UNKNOWN)


def unprivileged_bpf_disabled() -> str:
    """Whether BPF is for privileged processes only: yes, no or unknown. Steering does not need it otherwise."""
    return {"0": "no", "1": "yes", "2": "yes"}.get(_read(UNPRIVILEGED_BPF_DISABLED) or "", UNKNOWN)


def _read(path: str) -> str | None:
    with contextlib.suppress(OSError), open(path, encoding="utf-8", errors="replace") as stream:
        return stream.read().strip()
    return None
