# Copyright (c) 2026, virtnet.rss contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to the collection: what a host knows of its last change: what was touched, and whether it has been judged.
#
# It is written before anything is changed. So a controller that dies, or is stopped by Ctrl-C, leaves a host that says
# of itself that its guests have not been judged, and by what they are to be judged.

from __future__ import annotations

import json
import os
import time
import typing as t
from dataclasses import asdict, dataclass, field, replace

from ansible_collections.virtnet.rss.plugins.module_utils._files import write_atomically

__all__ = (
    "ACCEPTED",
    "CHANGED",
    "CHANGING",
    "NONE",
    "UNDONE",
    "Memory",
    "Record",
    "read_record",
    "record_file",
    "write_record",
)

NONE, CHANGING, CHANGED, ACCEPTED, UNDONE = "none", "changing", "changed", "accepted", "undone"
MODE = 0o600


@dataclass(frozen=True)
class Record:
    """The last change of a host; stage NONE: there was none yet; UNDONE: it was taken back, and nothing older is
    known."""

    stage: str = NONE
    rollout: str = ""  # which one made it; empty: none
    time: float = field(default_factory=time.time)  # seconds since 1970, when the change began
    new: bool = False  # there was nothing of ours before
    service: tuple[bool, bool] = (True, True)  # whether it was active and enabled before
    parts: tuple[str, ...] = ()  # which of policy, program and unit were changed
    absent: tuple[str, ...] = ()  # those of them that were not there before
    spared: tuple[int, ...] = ()  # ids of the programs that were attached before
    watched: tuple[dict[str, t.Any], ...] = ()  # begin of the window before a change to come, as window.moment()
    before: tuple[dict[str, t.Any], ...] = ()  # begin and end of the window before the change
    after: dict[str, t.Any] | None = None  # begin of the window after it

    @property
    def is_pending(self) -> bool:
        """Something was changed, and nobody knows yet whether the guests are worse off."""
        return self.stage in (CHANGING, CHANGED)

    @property
    def is_unjudged(self) -> bool:
        """It is pending, and a rollout has seen how the guests fared before: by this they can be judged yet."""
        return self.is_pending and bool(self.before)

    def accepted(self) -> Record:
        """The same with its verdict; what it was judged by is not needed any more."""
        return replace(self, stage=ACCEPTED, before=(), after=None)


class Memory:
    """What the host with this folder knows. With ``check`` it is changed for this run only."""

    def __init__(self, folder: str, *, check: bool) -> None:
        self._folder = folder
        self._check = check
        self.record = read_record(folder)

    def note(self, record: Record) -> None:
        """Remember what is about to be changed, or what became of it."""
        self.record = record
        if not self._check:
            write_record(self._folder, record)


def record_file(folder: str) -> str:
    """Its path."""
    return os.path.join(folder, "last-change.json")


def read_record(folder: str) -> Record | None:
    """The record of a host; None where there is none, or nothing of it can be understood."""
    try:
        with open(record_file(folder), encoding="utf-8") as file:
            given = json.load(file)
        return Record(
            stage=str(given["stage"]),
            rollout=str(given["rollout"]),
            time=float(given["time"]),
            new=bool(given["new"]),
            service=(bool(given["service"][0]), bool(given["service"][1])),
            parts=tuple(map(str, given["parts"])),
            absent=tuple(map(str, given["absent"])),
            spared=tuple(map(int, given["spared"])),
            watched=tuple(map(dict, given["watched"])),
            before=tuple(map(dict, given["before"])),
            after=given["after"],
        )
    except FileNotFoundError:
        return None
    except (ValueError, LookupError, TypeError):  # half of it, or of another release
        return None


def write_record(folder: str, record: Record) -> None:
    """Put it in the place of the one before. OSError: that one is still there."""
    os.makedirs(folder, 0o700, exist_ok=True)
    write_atomically(record_file(folder), json.dumps(asdict(record)) + "\n", mode=MODE)
