# Copyright (c) 2026, virtnet.rss contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to the collection: results of virtnet.rss.capability_facts.

from __future__ import annotations

import typing as t

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.virtnet.rss.plugins.module_utils._probe.facts import gather
from ansible_collections.virtnet.rss.plugins.module_utils._program.prove import harmless_trial

__all__ = ("create_argument_spec", "run_module")


def create_argument_spec() -> dict[str, t.Any]:
    """No options."""
    return {}


def run_module(module: AnsibleModule) -> t.NoReturn:
    """Run the module; ends the process."""
    module.exit_json(changed=False, ansible_facts={"virtnet_rss": gather(harmless_trial())})
