# Copyright (c) 2026, virtnet.rss contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Imports point one way: modules, _module, _host, _service, _policy, _look, _steering, _tap, the libraries, _errors."""

from __future__ import annotations

import ast
import typing as t
from pathlib import Path

import pytest

PLUGINS = Path(__file__).resolve().parents[2] / "plugins"
COLLECTION = "ansible_collections.virtnet.rss.plugins"
UTILS = f"{COLLECTION}.module_utils"

# Which layers each layer may use besides itself; what is not listed here is a layer nobody has thought about.
LIBRARIES = ("_bpf", "_tun", "_names", "_rss", "_balance", "_probe")
ALLOWED: dict[str, tuple[str, ...]] = {
    "_text": (),
    "_files": (),
    "_errors": ("_text",),
    "_bpf": ("_errors", "_text"),
    "_tun": ("_errors", "_text"),
    "_names": ("_tun", "_errors", "_text"),
    "_rss": ("_errors", "_text"),
    "_balance": ("_rss", "_errors", "_text"),
    # it probes by doing, with what does the work later
    "_probe": ("_bpf", "_tun", "_errors", "_text"),
    "_tap": ("_tun", "_names", "_errors", "_text"),
    "_program": ("_bpf", "_tun", "_rss", "_probe", "_errors", "_text"),
    "_steering": ("_program", *LIBRARIES, "_errors", "_text"),
    "_look": ("_steering", "_program", *LIBRARIES, "_errors", "_text"),
    "_policy": ("_look", "_steering", "_program", *LIBRARIES, "_files", "_errors", "_text"),
    "_service": ("_policy", "_look", "_steering", "_program", *LIBRARIES, "_files", "_errors", "_text"),
    "_verdict": ("_errors", "_text"),
    "_host": (
        "_verdict",
        "_service",
        "_policy",
        "_look",
        "_steering",
        "_program",
        *LIBRARIES,
        "_files",
        "_errors",
        "_text",
    ),
    "_module": (
        "_host",
        "_service",
        "_policy",
        "_look",
        "_steering",
        "_program",
        "_tap",
        *LIBRARIES,
        "_errors",
        "_text",
    ),
    "modules": ("_module",),
    # on the controller: nothing there can reach a kernel
    "plugin_utils": ("_files", "_errors", "_text"),
    "action": ("plugin_utils",),
    "filter": ("plugin_utils", "_verdict", "_rss", "_errors", "_text"),
    "doc_fragments": (),
}
# Only there may a module's answer be given.
ANSWERING = {"_module"}
ANSWERS = {"exit_json", "fail_json"}


def layer_of(name: str) -> str:
    """The layer that a dotted name below plugins belongs to."""
    parts = name[len(COLLECTION) + 1 :].split(".")
    return parts[1] if parts[0] == "module_utils" else parts[0]


def imported(source: str) -> t.Iterator[str]:
    """Every name of this collection that the source imports, at the top or in a function."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            if node.level:
                yield "a relative import"
                continue
            # `from package import layer` names the layer only in the second half
            names = [f"{node.module}.{alias.name}" for alias in node.names]
        else:
            continue
        yield from (name for name in names if name.startswith("ansible_collections."))


def violations(layer: str, source: str) -> list[str]:
    """What this source imports although its layer must not."""
    if layer not in ALLOWED:
        return [f"{layer} is no layer"]
    may = {layer, *ALLOWED[layer]}
    return [name for name in imported(source) if not name.startswith(f"{COLLECTION}.") or layer_of(name) not in may]


def answers(source: str) -> set[str]:
    return {node.attr for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Attribute)} & ANSWERS


def sources() -> list[tuple[str, str]]:
    """The layer and the path below plugins of every file there."""
    paths = [path.relative_to(PLUGINS) for path in sorted(PLUGINS.rglob("*.py"))]
    return [(layer_of(".".join([COLLECTION, *path.with_suffix("").parts])), str(path)) for path in paths]


@pytest.mark.parametrize(("layer", "path"), sources())
def test_imports_point_down(layer: str, path: str) -> None:
    assert violations(layer, (PLUGINS / path).read_text(encoding="utf-8")) == []


@pytest.mark.parametrize(("layer", "path"), [row for row in sources() if row[0] not in ANSWERING])
def test_only_the_module_layer_answers(layer: str, path: str) -> None:
    assert answers((PLUGINS / path).read_text(encoding="utf-8")) == set()


def test_every_layer_has_files() -> None:
    """A moved or renamed folder must not make the tests above pass by having nothing to look at."""
    assert {layer for layer, _path in sources()} == set(ALLOWED)


@pytest.mark.parametrize(
    ("layer", "source"),
    [
        ("_errors", f"from {UTILS}._rss.toeplitz import toeplitz"),
        ("_rss", f"from {UTILS}._tun import ioctls"),
        ("_rss", f"import {UTILS}._bpf.libbpf"),
        ("_tun", f"from {UTILS} import _steering"),
        ("_bpf", f"def late():\n    from {UTILS}._steering.model import Device\n"),
        ("_steering", f"from {UTILS}._module.tap import run_module"),
        ("modules", f"from {UTILS}._steering.plan import plan"),
        ("filter", f"from {UTILS}._tun.devices import devices"),
        ("_steering", "from .model import Device"),
        ("_steering", "from ansible_collections.community.general.plugins.module_utils.x import y"),
        ("_leftovers", ""),
    ],
)
def test_a_wrong_import_is_found(layer: str, source: str) -> None:
    assert violations(layer, source)


@pytest.mark.parametrize(
    ("layer", "source"),
    [
        ("_steering", f"from {UTILS}._bpf import libbpf"),
        ("_steering", f"from {UTILS}._steering.model import Device"),
        ("_module", f"from {UTILS} import _errors"),
        ("modules", "from ansible.module_utils.basic import AnsibleModule"),
    ],
)
def test_a_right_import_passes(layer: str, source: str) -> None:
    assert violations(layer, source) == []


def test_an_answer_is_found() -> None:
    assert answers("def run(module):\n    module.fail_json(msg='no')\n") == {"fail_json"}
