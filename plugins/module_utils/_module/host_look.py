# Copyright (c) 2026, virtnet.rss contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to the collection: what virtnet.rss.host_steering tells an audit.

from __future__ import annotations

import os
import typing as t

from ansible_collections.virtnet.rss.plugins.module_utils._errors import VirtnetRssError
from ansible_collections.virtnet.rss.plugins.module_utils._host import devices, packaged
from ansible_collections.virtnet.rss.plugins.module_utils._host.parts import policy_folder
from ansible_collections.virtnet.rss.plugins.module_utils._host.systemd import Systemd
from ansible_collections.virtnet.rss.plugins.module_utils._look.look import look
from ansible_collections.virtnet.rss.plugins.module_utils._look.report import sighting_report
from ansible_collections.virtnet.rss.plugins.module_utils._module.looked_at import looked_at, observed
from ansible_collections.virtnet.rss.plugins.module_utils._policy.folder import load_policy
from ansible_collections.virtnet.rss.plugins.module_utils._probe.facts import gather
from ansible_collections.virtnet.rss.plugins.module_utils._program.prove import harmless_trial
from ansible_collections.virtnet.rss.plugins.module_utils._service.rows import rows

if t.TYPE_CHECKING:
    from ansible_collections.virtnet.rss.plugins.module_utils._steering.observe import Observer

__all__ = ("look_at_host",)


def look_at_host(observer: Observer, params: t.Mapping[str, t.Any]) -> dict[str, t.Any]:
    """All that an audit asks of a host, in one run; nothing is changed."""
    with looked_at(params["netns"]) as namespaces:
        info = look(["*"], namespaces, observer=observer)
        sightings = observed(info.sightings, params["observe"])
    plan: list[dict[str, t.Any]] = []
    refused = ""
    if os.path.lexists(params["program"]) or packaged.is_used_for(params["program"]):
        try:
            plan = rows(devices.planned(observer, load_policy(policy_folder(params["folder"]))))
        except VirtnetRssError as exc:
            refused = str(exc)
    load, active, _enabled = Systemd().state()
    return {
        "changed": False,
        "facts": gather(harmless_trial(), observer.inspector),
        "taps": [sighting_report(sighting) for sighting in sightings],
        "exact": not info.inspector_reason,
        "exact_reason": info.inspector_reason,
        "devices": plan,
        "refused": refused,
        "service": "" if load == "not-found" else "running" if active else "stopped",
        "warnings": list(info.warnings),
    }
