# Copyright (c) 2026, virtnet.rss contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to the collection: options of virtnet.rss.host_steering, and which work a run does. What not every run
# needs is imported by those that do: compiling what is imported is much of what a visit costs a host.

from __future__ import annotations

import os
import re
import typing as t

from ansible_collections.virtnet.rss.plugins.module_utils._errors import InputError, StateError
from ansible_collections.virtnet.rss.plugins.module_utils._host import packaged, rollout
from ansible_collections.virtnet.rss.plugins.module_utils._module import host_policy
from ansible_collections.virtnet.rss.plugins.module_utils._module.answers import failures_told, succeed
from ansible_collections.virtnet.rss.plugins.module_utils._module.guarded import GuardedModule, check_matches
from ansible_collections.virtnet.rss.plugins.module_utils._module.looked_at import looked_at
from ansible_collections.virtnet.rss.plugins.module_utils._steering.observe import Observer
from ansible_collections.virtnet.rss.plugins.module_utils._text import printable

__all__ = ("create_argument_spec", "run_module")

Answer = t.Dict[str, t.Any]

LONGEST = 3600  # seconds
PATH = re.compile(r"""(/[^/\s"'%$\\]+)+""")


def create_argument_spec() -> dict[str, t.Any]:
    """The options that plugins/modules/host_steering.py documents."""
    return {
        "state": {"type": "str", "choices": ["present", "previous", "absent", "look"], "default": "present"},
        "step": {"type": "str", "choices": ["all", "begin", "change", "judge"], "default": "all"},
        "rules": host_policy.create_argument_spec()["rules"],
        "required": {"type": "bool", "default": False},
        "incomplete": {"type": "bool", "default": False},
        "metrics_file": {"type": "str", "default": ""},
        "measure": {"type": "bool", "default": False},
        "program": {"type": "path", "default": packaged.OWN_PROGRAM},
        "folder": {"type": "path", "default": packaged.FOLDER},
        "wait": {"type": "float", "default": 30.0},
        "rollout": {"type": "str", "default": ""},
        "remove": {"type": "bool", "default": False},
        "report": {"type": "bool", "default": False},
        "spared": {"type": "list", "elements": "int", "default": []},
        "netns": {"type": "str", "default": "all"},
        "observe": {"type": "float", "default": 0.0},
        **{
            name: {"type": type(limit).__name__, "default": limit} for name, limit in rollout.Limits()._asdict().items()
        },
    }


def run_module(module: GuardedModule) -> t.NoReturn:
    """Run the module; ends the process."""
    with failures_told(module):
        try:
            check_matches(module.given.get("rules"))
            _check(module.params)
            answer = _run(module)
        except OSError as exc:
            place = f"{exc.filename}: " if exc.filename else ""
            raise StateError(f"{place}{exc.strerror}", errno=exc.errno) from exc
    for warning in answer.pop("warnings", ()):
        module.warn(printable(warning))
    succeed(module, **answer)


def _check(params: t.Mapping[str, t.Any]) -> None:
    """Before anything is done: what would switch a guard off, never end, or remove what is not ours."""
    _limits(params).check()
    for name in ("wait", "observe"):
        if not 0 <= params[name] <= LONGEST:
            raise InputError(name, params[name], f"it is a number of seconds from 0 to {LONGEST}")
    for name in ("program", "folder"):
        path = params[name].rstrip("/")
        if not PATH.fullmatch(path) or os.path.normpath(path) != path:
            allowed = "it is an absolute path without blanks, quotes, %, $ and backslashes, as systemd's unit has it"
            raise InputError(name, params[name], allowed)


def _limits(params: t.Mapping[str, t.Any]) -> rollout.Limits:
    return rollout.Limits(*(params[name] for name in rollout.Limits._fields))


def _run(module: GuardedModule) -> Answer:
    params = module.params
    with Observer() as observer:
        if params["state"] == "look":
            return _look(observer, params)
        answer = _judge(module, observer) if _is_to_judge(params) else _changed(module, observer)
        return {**answer, "report": _look(observer, params)} if params["report"] else answer


def _is_to_judge(params: t.Mapping[str, t.Any]) -> bool:
    return bool(params["state"] == "present" and params["step"] == "judge")


def _look(observer: Observer, params: t.Mapping[str, t.Any]) -> Answer:
    from ansible_collections.virtnet.rss.plugins.module_utils._module.host_look import look_at_host

    return look_at_host(observer, params)


def _changed(module: GuardedModule, observer: Observer) -> Answer:
    from ansible_collections.virtnet.rss.plugins.module_utils._module.host_change import changed

    return changed(module, observer)


def _judge(module: GuardedModule, observer: Observer) -> Answer:
    from ansible_collections.virtnet.rss.plugins.module_utils._host.record import Memory
    from ansible_collections.virtnet.rss.plugins.module_utils._host.window import moment

    params = module.params
    with looked_at(params["netns"]) as namespaces:
        memory = Memory(params["folder"], check=module.check_mode)
        verdict = rollout.judge(memory, moment(observer, namespaces), _limits(params))
    return {
        "changed": False,
        "worse": list(verdict.worse),
        "judged": verdict.judged,
        "not_judged": verdict.not_judged,
    }
