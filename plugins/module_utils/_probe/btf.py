# Copyright (c) 2026, virtnet.rss contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to the collection: whether the kernel tells its own types, and those of the tun driver.

from __future__ import annotations

import contextlib
import os
import sys
import typing as t

from ansible_collections.virtnet.rss.plugins.module_utils._probe.finding import NO, UNKNOWN, YES, Finding

if t.TYPE_CHECKING:
    from ansible_collections.virtnet.rss.plugins.module_utils._probe.isolation import Findings

__all__ = ("probe_btf",)

FOLDER = "/sys/kernel/btf"
MISC_DEVICES = "/proc/misc"
MAGIC = 0xEB9F  # include/uapi/linux/btf.h
# A name in BTF is between zeros; the inspector reads this type.
TUN_TYPE = b"\0tun_struct\0"


def probe_btf(folder: str = FOLDER, misc_devices: str = MISC_DEVICES) -> Findings:
    """Read the types: those of a driver that is built in are among the kernel's, a module has a file of its own."""
    vmlinux, module = os.path.join(folder, "vmlinux"), os.path.join(folder, "tun")
    try:
        kernel = _read(vmlinux)
    except PermissionError:
        return dict.fromkeys(("btf_vmlinux", "btf_tun"), Finding(UNKNOWN, f"{vmlinux} may not be read"))
    if kernel is None:
        return {
            "btf_vmlinux": Finding(NO, f"there is no BTF in {vmlinux}"),
            "btf_tun": Finding(NO, "a module's BTF builds on the kernel's, and there is none"),
        }
    found = Finding(YES, f"{vmlinux} has {len(kernel)} bytes")
    return {"btf_vmlinux": found, "btf_tun": _tun(kernel, module, misc_devices)}


def _tun(kernel: bytes, module: str, misc_devices: str) -> Finding:
    if TUN_TYPE in kernel:
        return Finding(YES, "tun is built in, and the kernel's BTF has its types")
    if TUN_TYPE in (_read(module) or b""):
        return Finding(YES, f"tun is a module, and {module} has its types")
    if _has_tun(misc_devices):
        return Finding(NO, "the tun driver is there, and no BTF has its types")
    return Finding(UNKNOWN, "the tun module is not loaded, so its BTF cannot be seen")


def _has_tun(misc_devices: str) -> bool:
    with contextlib.suppress(OSError), open(misc_devices, encoding="ascii", errors="replace") as lines:
        return any(line.split()[1:] == ["tun"] for line in lines)
    return False


def _read(path: str) -> bytes | None:
    """The content of a BTF file; None when there is none."""
    try:
        with open(path, "rb") as stream:
            content = stream.read()
    except FileNotFoundError:
        return None
    return content if int.from_bytes(content[:2], sys.byteorder) == MAGIC else None
