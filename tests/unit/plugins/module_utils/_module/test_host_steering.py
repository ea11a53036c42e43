# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import ast
import typing as t
from pathlib import Path

PLUGINS = Path(__file__).parents[5] / "plugins"
UTILS = PLUGINS / "module_utils"
PACKAGE = "ansible_collections.virtnet.rss.plugins.module_utils."


def imported_at_once(name: str) -> set[str]:
    """The files of ours that are imported with this one: what a function, or only the type checker, imports is not."""
    found: set[str] = set()
    waiting = [name]
    while waiting:
        each = waiting.pop()
        if each not in found and (path := UTILS.joinpath(*each.split(".")).with_suffix(".py")).exists():
            found.add(each)
            waiting += _imports(ast.parse(path.read_text(encoding="utf-8")))
    return found


def _imports(module: ast.Module) -> t.Iterator[str]:
    for node in module.body:
        if isinstance(node, ast.ImportFrom) and f"{node.module}.".startswith(PACKAGE):
            path = f"{node.module}."[len(PACKAGE) :]
            yield path.rstrip(".")
            yield from (f"{path}{alias.name}" for alias in node.names)


def test_a_run_that_only_judges_imports_nothing_that_changes_a_host() -> None:
    """What is imported is compiled at each visit to each host."""
    judging = set().union(*map(imported_at_once, ("_module.host_steering", "_host.record", "_host.window")))
    heavy = {"_host.host", "_service.reconcile", "_steering.apply", "_look.qemu", "_probe.facts"}
    assert not judging & heavy
    assert heavy - {"_probe.facts"} <= imported_at_once("_module.host_change")
    assert heavy - {"_host.host"} <= imported_at_once("_module.host_look")
