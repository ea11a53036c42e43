# Copyright (c) 2026, virtnet.rss contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to the collection: what a policy says of the devices of this host, and that it is so.

from __future__ import annotations

import os
import time
import typing as t

from ansible_collections.virtnet.rss.plugins.module_utils._policy.folder import load_policy
from ansible_collections.virtnet.rss.plugins.module_utils._policy.rules import Policy
from ansible_collections.virtnet.rss.plugins.module_utils._service.reconcile import How, reconcile
from ansible_collections.virtnet.rss.plugins.module_utils._steering.steer import CHANGES

if t.TYPE_CHECKING:
    from ansible_collections.virtnet.rss.plugins.module_utils._policy.rules import Rule
    from ansible_collections.virtnet.rss.plugins.module_utils._service.reconcile import Result
    from ansible_collections.virtnet.rss.plugins.module_utils._steering.observe import Observer

__all__ = ("apply", "give_back", "planned", "policy_with", "settled", "wait_until_settled")

# What a pass that changes nothing says of a device that needs nothing, or that nothing can be done for now.
SETTLED = ("none", "keep", "ignore", "fallback", "wait")
STEP = 0.2  # seconds between two looks


def policy_with(path: str, rules: t.Sequence[Rule] | None) -> Policy:
    """The policy of a folder once one of its files has these rules; None: as it is. InputError for what the service
    would refuse."""
    folder, name = os.path.split(path)
    return load_policy(folder, instead={} if rules is None else {name: list(rules)})


def planned(observer: Observer, policy: Policy, *, spared: t.Collection[int] = (), trial: bool = True) -> list[Result]:
    """What a pass by this policy would do; it changes nothing. Devices with one of the ``spared`` programs keep it.

    Without ``trial``, no program is loaded to tell whether it can be.
    """
    return reconcile(observer, policy, how=How(check=True, trial=trial, spared=spared))


def apply(observer: Observer, policy: Policy) -> list[Result]:
    """One pass, where no service does it."""
    return reconcile(observer, policy)


def give_back(
    observer: Observer, kept: Policy, *, only: set[t.Any] | None, spared: t.Collection[int], check: bool
) -> list[Result]:
    """Automatic selection for the devices that ``kept`` does not speak of: for those in ``only``, or for all. What was
    done, and what could not be."""
    if only is not None and not only:
        return []
    how = How(check=check, spared=spared)
    results = reconcile(observer, kept.complement(), only=only, how=how)
    return [result for result in results if result.action in CHANGES or result.shortfall]


def settled(results: t.Iterable[Result]) -> bool:
    """Whether nothing is left to be done that can be done."""
    return all(result.action in SETTLED for result in results)


def wait_until_settled(observer: Observer, policy: Policy, seconds: float) -> list[Result]:
    """What became of the devices, as soon as the service has dealt with all of them, or when time is up."""
    deadline = time.monotonic() + seconds
    while True:
        results = planned(observer, policy)
        if settled(results) or time.monotonic() >= deadline:
            return results
        time.sleep(STEP)
