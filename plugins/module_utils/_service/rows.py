# Copyright (c) 2026, virtnet.rss contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to the collection: what a pass found and did, as one row for each device that the policy speaks of.

from __future__ import annotations

import typing as t

from ansible_collections.virtnet.rss.plugins.module_utils._text import written_out

if t.TYPE_CHECKING:
    from ansible_collections.virtnet.rss.plugins.module_utils._service.reconcile import Result

__all__ = ("COLUMNS", "rows")

COLUMNS = ("name", "netns", "rule", "action", "state", "reason")


def rows(results: t.Iterable[Result]) -> list[dict[str, t.Any]]:
    """Dictionaries with COLUMNS, ``netns_inode`` and ``ifindex``."""
    return [
        {
            "name": written_out(result.device.name),
            "netns": result.namespace.label,
            "netns_inode": result.device.netns_inode,
            "ifindex": result.device.ifindex,
            "rule": result.rule.name,
            "action": result.action,
            "state": result.device.state,
            "reason": (result.outcome.fallback.reason if result.outcome and result.outcome.fallback else "")
            or result.reason,
        }
        for result in results
        if result.rule
    ]
