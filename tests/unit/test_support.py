# Copyright (c) 2026, virtnet.rss contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What tests share lies in tests/support and is imported in one way; no file bends the path to reach another."""

from __future__ import annotations

import ast
import typing as t
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
COLLECTION = "ansible_collections.virtnet.rss."
FOLDERS = ("tests", "bench", "molecule", "docs", "bpf")
# The list of layers is read where it is checked.
MAY = {("tests/unit/test_documentation.py", "tests.unit.test_import_direction.ALLOWED")}


def imported(tree: ast.AST) -> t.Iterator[str]:
    """Every name, at the top or in a function; dots in front for a relative import."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            module = "." * node.level + (node.module or "")
            yield from (f"{module}.{alias.name}" for alias in node.names)


def problems(name: str, source: str) -> list[str]:
    """In the file of this name below the collection."""
    tree, found = ast.parse(source), []
    for what in imported(tree):
        parts = what[len(COLLECTION) :].split(".") if what.startswith(COLLECTION) else [""]
        if what.startswith(".") and not name.startswith("tests/support/"):
            found.append(f"{name} imports {what} relatively")
        if any(part.startswith("test_") or part == "conftest" for part in parts) and (name, ".".join(parts)) not in MAY:
            found.append(f"{name} imports {what}, which is a file of tests")
    for node in ast.walk(tree):
        if isinstance(node, (ast.Assign, ast.Call)):
            changed = node.targets if isinstance(node, ast.Assign) else [node.func]
            if any(ast.unparse(each).startswith("sys.path") for each in changed):
                found.append(f"{name}, line {node.lineno}: sys.path is bent")
    return found


def test_helpers_come_from_one_place() -> None:
    paths = [path for folder in FOLDERS for path in sorted((ROOT / folder).rglob("*.py"))]
    sources = {path.relative_to(ROOT).as_posix(): path.read_text(encoding="utf-8") for path in paths}
    ours = {name: source for name, source in sources.items() if not name.startswith("tests/output/")}
    assert len(ours) > 100
    assert [problem for name, source in ours.items() for problem in problems(name, source)] == []


@pytest.mark.parametrize(
    ("name", "source"),
    [
        ("tests/kernel/test_x.py", "import sys\nsys.path.insert(0, 'x')"),
        ("bench/x.py", "import sys\nsys.path = []"),
        ("tests/kernel/test_x.py", f"from {COLLECTION}tests.kernel.test_y import helper"),
        ("tests/kernel/test_x.py", f"def f():\n    from {COLLECTION}tests.kernel.conftest import helper"),
        ("tests/service/test_x.py", "from .running import Running"),
    ],
)
def test_what_is_found(name: str, source: str) -> None:
    assert len(problems(name, source)) == 1


def test_what_is_right() -> None:
    assert problems("tests/kernel/test_x.py", f"from {COLLECTION}tests.support.held_tap import HeldTap") == []
    assert problems("tests/support/vm/x.py", "from ..cache import cached") == []
