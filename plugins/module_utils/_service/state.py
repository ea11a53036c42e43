# Copyright (c) 2026, virtnet.rss contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to the collection: what the service knows between two passes; all of it can be found out again.

from __future__ import annotations

import typing as t
from dataclasses import dataclass, field

from ansible_collections.virtnet.rss.plugins.module_utils._look.implementation import Guests
from ansible_collections.virtnet.rss.plugins.module_utils._policy.rules import Policy
from ansible_collections.virtnet.rss.plugins.module_utils._service.status_file import STATUS_FILE

if t.TYPE_CHECKING:
    from ansible_collections.virtnet.rss.plugins.module_utils._service.reconcile import Result
    from ansible_collections.virtnet.rss.plugins.module_utils._service.signature import Signature
    from ansible_collections.virtnet.rss.plugins.module_utils._tun.device_id import DeviceId

__all__ = ("Settings", "State")


@dataclass(frozen=True)
class Settings:
    """How the service works; times in seconds."""

    policy_folder: str
    status_file: str = STATUS_FILE
    metrics_file: str | None = None
    watch: float = 0.5  # between two cheap looks
    full: float = 30.0  # between two whole passes
    measure: bool = False  # the programs' cost, from a whole pass to the next look


@dataclass
class State:
    """What is known between two passes."""

    policy: Policy = field(default_factory=Policy)
    policy_print: tuple[tuple[str, int, int], ...] | None = None
    policy_error: str = ""
    has_policy: bool = False  # one has been read
    seen: Signature = field(default_factory=dict)
    snapshot: bytes | None = None  # of a moment when nothing was to be done
    steered: set[DeviceId] = field(default_factory=set)  # by us, when last looked at
    results: dict[DeviceId, Result] = field(default_factory=dict)  # of the last passes; a pass puts a new one here
    guests: Guests = field(default_factory=Guests)
    reapplied: int = 0
    balance: list[list[t.Any]] = field(default_factory=list)  # as Balancing.report() tells it
    last_pass: float | None = None  # when everything was looked at
