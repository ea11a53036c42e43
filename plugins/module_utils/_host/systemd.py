# Copyright (c) 2026, virtnet.rss contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to the collection: the service as systemd runs it.

from __future__ import annotations

import os

from ansible_collections.virtnet.rss.plugins.module_utils._errors import StateError
from ansible_collections.virtnet.rss.plugins.module_utils._host.programs import TimeoutExpired, run_program

__all__ = ("Systemd",)

UNIT = "virtnet-rss.service"
PATIENCE = 120.0  # seconds for one command: a start waits until every device has been looked at


class Systemd:
    """``systemctl`` for one unit. StateError with what it said when it refuses."""

    def __init__(self) -> None:
        self.runs = os.path.isdir("/run/systemd/system")  # sd_booted(3)

    def state(self) -> tuple[str, bool, bool]:
        """LoadState, whether the unit is active, and whether it is enabled; without systemd ``not-found``."""
        try:
            text = self._systemctl("show", "--property=LoadState,ActiveState,UnitFileState", UNIT)
        except (OSError, StateError):  # no such command, or nobody who answers it
            return "not-found", False, False
        found = dict(line.split("=", 1) for line in text.splitlines() if "=" in line)
        active = found.get("ActiveState") in ("active", "reloading")
        return found.get("LoadState", "not-found"), active, found.get("UnitFileState") == "enabled"

    def reload(self) -> None:
        """Read the units again."""
        self._systemctl("daemon-reload")

    def enable(self) -> None:
        """At boot too."""
        self._systemctl("enable", UNIT)

    def disable(self) -> None:
        """Not at boot any more."""
        self._systemctl("disable", UNIT)

    def restart(self) -> None:
        """Start, or start anew; returns when the service says that it is ready."""
        self._systemctl("restart", UNIT)

    def stop(self) -> None:
        """Now and at boot."""
        self._systemctl("disable", "--now", UNIT)

    @staticmethod
    def _systemctl(*words: str) -> str:
        try:
            done = run_program("systemctl", *words, seconds=PATIENCE)
        except TimeoutExpired as exc:
            raise StateError(f"systemctl {words[0]} did not end in {PATIENCE:.0f} seconds") from exc
        if done.returncode:
            said = done.stderr.decode(errors="replace").strip().splitlines()
            raise StateError(f"systemctl {words[0]} failed: {said[0] if said else done.returncode}")
        return done.stdout.decode(errors="replace")
