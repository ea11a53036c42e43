# Copyright (c) 2026, virtnet.rss contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to the collection: the service as a package of the distribution brings it (packaging/). Its files are the
# package manager's: where they are, this collection writes the policy, and a unit over the package's only for what that
# one does not do.

from __future__ import annotations

import os

from ansible_collections.virtnet.rss.plugins.module_utils._host.programs import TimeoutExpired, run_program
from ansible_collections.virtnet.rss.plugins.module_utils._host.unit import unit_text
from ansible_collections.virtnet.rss.plugins.module_utils._service.version import VERSION

__all__ = (
    "FOLDER",
    "OWN_PROGRAM",
    "POLICY_FOLDER",
    "PROGRAM",
    "UNIT",
    "is_used_for",
    "owns",
    "unit",
    "version_note",
)

OWN_PROGRAM = "/usr/local/sbin/virtnet-rss"  # where this collection puts one without a package, unless it is told
PROGRAM = "/usr/sbin/virtnet-rss"
UNIT = "/usr/lib/systemd/system/virtnet-rss.service"
UNITS = (UNIT, "/lib/systemd/system/virtnet-rss.service")  # the second is the same file, but on old Debian systems
FOLDER = "/etc/virtnet-rss"
POLICY_FOLDER = f"{FOLDER}/policy.d"
PATIENCE = 30.0  # seconds


def unit() -> str:
    """The package's unit: the role's, without the line that says who has written it."""
    return unit_text(program=PROGRAM, policy_folder=POLICY_FOLDER, metrics_file="", measure=False).split("\n", 1)[1]


def is_used_for(program: str) -> bool:
    """Whether there is a package, and a host that shall have its program there uses it: not where a place of one's own
    was chosen."""
    return program in (OWN_PROGRAM, PROGRAM) and os.path.isfile(PROGRAM) and any(map(os.path.isfile, UNITS))


def owns(folder: str) -> bool:
    """Whether a policy's folder is the package's own."""
    return os.path.normpath(folder) == FOLDER


def version_note() -> str:
    """A sentence where the package is of another release than this collection; empty where it is not."""
    try:
        done = run_program(PROGRAM, "--version", seconds=PATIENCE)
        told = done.stdout.decode(errors="replace").strip() or "a program that does not start"
    except (OSError, TimeoutExpired) as exc:
        told = f"a program that does not start ({type(exc).__name__})"
    if told == f"virtnet-rss {VERSION}":
        return ""
    return (
        f"the package virtnet-rss of this host has {told[:80]}, and this collection is {VERSION}: words of a policy "
        "that only one of them knows are refused; bring both to one release"
    )
