# Copyright (c) 2026, virtnet.rss contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to the collection: the libraries that a managed host must have. Nothing here imports pyroute2, which is slow.

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from importlib import util

from ansible_collections.virtnet.rss.plugins.module_utils._bpf.libbpf import load_libbpf
from ansible_collections.virtnet.rss.plugins.module_utils._errors import CapabilityError

__all__ = ("Library", "find_libbpf", "find_pyroute2")

# Since 0.6 the one name is made of several distributions; any of them has its version. Its folder's name tells it:
# importlib.metadata would too, and takes longer to be imported than a look at all devices.
PYROUTE2_DISTRIBUTION = re.compile(r"pyroute2(?:[-_.](?:minimal|core))?-([^-]+)(?:-py[0-9.]+)?\.(?:dist|egg)-info")


@dataclass(frozen=True)
class Library:
    """A library; ``version`` and ``path`` as far as they can be told."""

    present: bool
    version: str | None = None
    path: str | None = None
    reason: str = ""  # why it is not there, or cannot be used


def find_libbpf() -> Library:
    """The libbpf that every BPF program of the collection is loaded with."""
    try:
        libbpf = load_libbpf()
    except CapabilityError as exc:
        return Library(False, reason=str(exc))
    return Library(True, libbpf.version, libbpf.path)


def find_pyroute2() -> Library:
    """The pyroute2 that the Python which runs this module would import."""
    spec = util.find_spec("pyroute2")
    if spec is None:
        return Library(False, reason="this Python has no pyroute2 (Debian and RHEL: package python3-pyroute2)")
    for folder in spec.submodule_search_locations or ():
        for name in sorted(os.listdir(os.path.dirname(folder))):
            found = PYROUTE2_DISTRIBUTION.fullmatch(name)
            if found:
                return Library(True, found.group(1))
    return Library(True)
