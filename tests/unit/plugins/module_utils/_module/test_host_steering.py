# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import ast
import typing as t
from pathlib import Path

import pytest

from ansible_collections.virtnet.rss.plugins.module_utils._errors import InputError
from ansible_collections.virtnet.rss.plugins.module_utils._module import host_steering

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


def check(**given: object) -> None:
    defaults = {name: option.get("default") for name, option in host_steering.create_argument_spec().items()}
    host_steering._check({**defaults, **given})


@pytest.mark.parametrize("option", ["program", "folder"])
def test_places_that_a_unit_can_have(option: str) -> None:
    for place in ("/etc/virtnet-rss", "/etc/virtnet-rss/", "/opt/a-b_c/d.e"):
        check(**{option: place})
    for place in (
        "",
        "/",
        "relative",
        "/with blank",
        "/a//b",
        "/a/../b",
        "/a/./b",
        "/a%h",
        "/a$b",
        "/a\\b",
        "/a'b",
        "/a\nb",
    ):
        with pytest.raises(InputError, match=f"^{option}: "):
            check(**{option: place})


@pytest.mark.parametrize("option", ["wait", "observe"])
def test_seconds_that_end(option: str) -> None:
    check(**{option: 0.0})
    for seconds in (-1.0, 3601.0, float("inf"), float("nan")):
        with pytest.raises(InputError, match=f"^{option}: "):
            check(**{option: seconds})
