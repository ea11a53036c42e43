# Copyright (c) 2026, virtnet.rss contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to the collection: options and results of virtnet.rss.host_policy.

from __future__ import annotations

import json
import typing as t

from ansible_collections.virtnet.rss.plugins.module_utils._errors import PlaceError
from ansible_collections.virtnet.rss.plugins.module_utils._module.answers import (
    difference,
    fail,
    failures_told,
    succeed,
)
from ansible_collections.virtnet.rss.plugins.module_utils._module.guarded import GuardedModule, check_matches
from ansible_collections.virtnet.rss.plugins.module_utils._policy import schema
from ansible_collections.virtnet.rss.plugins.module_utils._policy.folder import LARGEST
from ansible_collections.virtnet.rss.plugins.module_utils._policy.managed import Content, ManagedFile
from ansible_collections.virtnet.rss.plugins.module_utils._rss.option import argument_spec

__all__ = ("create_argument_spec", "run_module", "wanted_content")


def create_argument_spec() -> dict[str, t.Any]:
    """The options that plugins/modules/host_policy.py documents; those of a rule come from the schema."""
    return {
        "path": {"type": "path", "default": "/etc/virtnet-rss/policy.d/50-steering.json"},
        "rules": {"type": "list", "elements": "dict", "options": argument_spec(schema.RULE, bare=True)},
        "state": {"type": "str", "choices": ["present", "previous", "absent"], "default": "present"},
    }


def run_module(module: GuardedModule) -> t.NoReturn:
    """Run the module; ends the process."""
    file = ManagedFile(module.params["path"])
    try:
        with failures_told(module):
            check_matches(module.given.get("rules"))
            change = file.change_to(_wanted(module, file))
        if change.needed and not module.check_mode:
            if change.replaces and module.params["state"] == "present":
                file.keep(change)
            file.apply(change)
    except OSError as exc:
        fail(module, msg=f"path: {exc.filename or file.path}: {exc.strerror}", errno=exc.errno)
    succeed(
        module,
        changed=change.needed,
        path=file.path,
        replaced=change.replaces,
        diff=difference(file.path, change.before.shown(), change.after.shown()),
    )


def _wanted(module: GuardedModule, file: ManagedFile) -> Content:
    """What the file shall hold. InputError when it would be no policy, or not be read."""
    params = module.params
    if params["state"] == "absent":
        return Content()
    file.check()
    if params["state"] == "present":
        return wanted_content(params["rules"])
    previous = file.previous()
    if previous.text is None and module.check_mode:  # an earlier task of the same run may be what would make it
        module.warn("state: no older policy is kept yet, and without one there is no way back")
        return file.current()
    if previous.text is None:
        raise PlaceError("state", f"there is no way back: no older policy is kept in {file.previous_path}")
    return previous


def wanted_content(rules: list[dict[str, t.Any]]) -> Content:
    """What a policy file holds, of rules as Ansible hands them over; InputError for what would be no policy."""
    text = json.dumps({"rules": _without_none(rules)}, indent=4) + "\n"
    if len(text) > LARGEST:
        raise PlaceError("policy", f"it would have {len(text)} bytes, and the service reads {LARGEST} at most")
    return Content(text, schema.parse_document(text, "policy"))


def _without_none(value: t.Any) -> t.Any:
    """Ansible fills in what was not given."""
    if isinstance(value, dict):
        return {word: _without_none(inner) for word, inner in value.items() if inner is not None}
    if isinstance(value, list):
        return [_without_none(inner) for inner in value]
    return value
