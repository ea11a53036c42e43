# Copyright (c) 2026, virtnet.rss contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to the collection: options and results of virtnet.rss.tap_steering_info.

from __future__ import annotations

import contextlib
import time
import typing as t
from dataclasses import replace

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.virtnet.rss.plugins.module_utils._errors import InputError
from ansible_collections.virtnet.rss.plugins.module_utils._look.look import look
from ansible_collections.virtnet.rss.plugins.module_utils._look.observation import observe, wanted_configuration
from ansible_collections.virtnet.rss.plugins.module_utils._look.report import sighting_report
from ansible_collections.virtnet.rss.plugins.module_utils._module.answers import failures_told
from ansible_collections.virtnet.rss.plugins.module_utils._tun.netns import (
    current_namespace,
    list_namespaces,
    network_namespace,
)

if t.TYPE_CHECKING:
    from ansible_collections.virtnet.rss.plugins.module_utils._look.look import Sighting

__all__ = ("create_argument_spec", "run_module")

ALL = "all"
LONGEST = 3600.0  # seconds of a measurement


def create_argument_spec() -> dict[str, t.Any]:
    """The options that plugins/modules/tap_steering_info.py documents."""
    return {
        "taps": {"type": "list", "elements": "str", "default": ["*"]},
        "netns": {"type": "str"},
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
    with contextlib.ExitStack() as stack:
        if netns == ALL:
            namespaces = list_namespaces()
        else:
            stack.enter_context(network_namespace(netns))
            namespaces = [replace(current_namespace(), name=netns or "")]
        info = look(module.params["taps"], namespaces, seconds=seconds)
        sightings = _observed(info.sightings, module.params["observe"])
    for warning in info.warnings:
        module.warn(warning)
    reports = [sighting_report(sighting) for sighting in sightings]
    module.exit_json(changed=False, taps=reports, exact=not info.inspector_reason, exact_reason=info.inspector_reason)


def _observed(sightings: t.Sequence[Sighting], seconds: float) -> list[Sighting]:
    """With what passed in ``seconds``; 0 looks at no packet."""
    if not seconds:
        return list(sightings)
    found = observe(sightings, lambda each: wanted_configuration(each.device), seconds, sleep=time.sleep)
    return [replace(sighting, observation=observation) for sighting, observation in zip(sightings, found)]
