# Copyright (c) 2026, virtnet.rss contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to the collection: options and results of virtnet.rss.tap_steering_info.

from __future__ import annotations

import typing as t

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.virtnet.rss.plugins.module_utils._errors import InputError
from ansible_collections.virtnet.rss.plugins.module_utils._look.card import Chosen
from ansible_collections.virtnet.rss.plugins.module_utils._look.look import look
from ansible_collections.virtnet.rss.plugins.module_utils._look.report import sighting_report
from ansible_collections.virtnet.rss.plugins.module_utils._module.answers import failures_told, succeed
from ansible_collections.virtnet.rss.plugins.module_utils._module.looked_at import looked_at, observed
from ansible_collections.virtnet.rss.plugins.module_utils._text import printable

__all__ = ("create_argument_spec", "run_module")

LONGEST = 3600.0  # seconds of a measurement


def create_argument_spec() -> dict[str, t.Any]:
    """The options that plugins/modules/tap_steering_info.py documents."""
    return {
        "taps": {"type": "list", "elements": "str", "default": ["*"]},
        "netns": {"type": "str"},
        "domain": {"type": "str"},
        "mac": {"type": "str"},
        "measure": {"type": "float", "default": 0.0},
        "observe": {"type": "float", "default": 0.0},
    }


def run_module(module: AnsibleModule) -> t.NoReturn:
    """Run the module; ends the process."""
    with failures_told(module):
        _run(module)


def _run(module: AnsibleModule) -> t.NoReturn:
    netns, seconds = module.params["netns"], module.params["measure"]
    for option in ("measure", "observe"):
        if not 0 <= module.params[option] <= LONGEST:
            allowed = f"seconds from 0, which {option}s nothing, to {LONGEST:.0f}"
            raise InputError(option, module.params[option], allowed)
    chosen = Chosen(module.params["domain"], module.params["mac"])
    with looked_at(netns) as namespaces:
        info = look(module.params["taps"], namespaces, seconds=seconds, chosen=chosen)
        sightings = observed(info.sightings, module.params["observe"])
    for warning in info.warnings:
        module.warn(printable(warning))
    reports = [sighting_report(sighting) for sighting in sightings]
    for report in reports:
        for hint in report["hints"]:
            module.warn(printable(f"{report['name']}: {hint}"))
    succeed(module, changed=False, taps=reports, exact=not info.inspector_reason, exact_reason=info.inspector_reason)
