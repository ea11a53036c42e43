# Copyright (c) 2026, virtnet.rss contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""noxfile.py has the one list of phases; make, CI and the contributor's page name what is in it, and CI all of it."""

from __future__ import annotations

import ast
import re
import subprocess
import typing as t
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
NOXFILE = ast.parse((ROOT / "noxfile.py").read_text(encoding="utf-8"))
SCENARIOS = {f"vm-{path.parent.name}" for path in (ROOT / "molecule").glob("*/molecule.yml")}
# Of a release and of machines with many Pythons, or done by every other one
NOT_IN_CI = {"setup", "changelog", "matrix"}
MAKE = re.compile(r"\bmake((?: [a-z][a-z-]*\b(?![=/.]))+)")


def called(node: ast.AST) -> str:
    """The name of the function that is called there, or nothing."""
    return node.func.id if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) else ""


def phases() -> set[str]:
    """The functions with the decorator and those that are only commands; for `vm` its scenarios."""
    names = {
        node.name
        for node in NOXFILE.body
        if isinstance(node, ast.FunctionDef) and any(called(decorator) == "phase" for decorator in node.decorator_list)
    }
    simple = [node.value for node in NOXFILE.body if isinstance(node, ast.Expr) and called(node.value) == "simple"]
    return (
        names - {"vm"} | SCENARIOS | {ast.literal_eval(call.args[0]) for call in simple if isinstance(call, ast.Call)}
    )


def of_make_test() -> set[str]:
    """TEST, which is assigned and then added to."""
    values = [
        node.value
        for node in NOXFILE.body
        for target in (getattr(node, "target", None), *getattr(node, "targets", []))
        if isinstance(node, (ast.Assign, ast.AugAssign)) and isinstance(target, ast.Name) and target.id == "TEST"
    ]
    return {name for value in values for name in ast.literal_eval(value)}


def of_make() -> set[str]:
    """All that `make` alone lists."""
    text = subprocess.run(["make", "-s", "help"], cwd=ROOT, stdout=subprocess.PIPE, check=True).stdout.decode()
    return set(re.findall(r"^  make ([a-z-]+) +\S", text, re.MULTILINE))


def workflow(name: str) -> t.Any:
    return yaml.safe_load((ROOT / ".github" / "workflows" / f"{name}.yml").read_text(encoding="utf-8"))


def test_make_lists_every_phase() -> None:
    assert phases() - SCENARIOS <= of_make()


def test_ci_runs_every_phase() -> None:
    rows = [row for job in workflow("ci")["jobs"].values() for row in job["strategy"]["matrix"]["phase"]]
    named = [name for row in rows for name in row.split()]
    assert sorted(named) == sorted(phases() - NOT_IN_CI)


def test_a_release_checks_what_it_publishes() -> None:
    commands = [step.get("run", "") for step in workflow("release")["jobs"]["release"]["steps"]]
    (named,) = (set(found[1].split()) for found in map(MAKE.match, commands) if found)
    assert {"bpf", "dist", "galaxy", "installed"} <= named <= phases()


def test_the_short_ci_runs_make_test_and_names_phases() -> None:
    command = (ROOT / ".ci" / "run").read_text(encoding="utf-8").splitlines()[-1]
    words = re.sub(r'"vm\(([a-z]+)\)"', r"vm-\1", command).split()
    assert words[:3] == ["exec", "tools/check", "test"]
    assert set(words[3:]) <= phases() - of_make_test()
    assert {"lint", "sanity"} <= of_make_test() <= phases()


def test_pages_name_targets_that_exist() -> None:
    known = of_make() | SCENARIOS
    for page in [*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")]:
        spans = re.findall(r"`(make [^`]+)`", page.read_text(encoding="utf-8"))
        assert {word for span in spans for words in MAKE.findall(span) for word in words.split()} <= known, page


def rows_of_where_to_go() -> list[list[str]]:
    text = (ROOT / "docs" / "contributing.md").read_text(encoding="utf-8").split("## I want to change")[1]
    table = text.split("\n## ")[0]
    return [line.strip("| ").split(" | ") for line in table.splitlines() if line.startswith("| ")][1:]


@pytest.mark.parametrize("row", rows_of_where_to_go(), ids=lambda row: row[0])
def test_where_to_go_is_there(row: list[str]) -> None:
    """Files and folders, and phases of `make` that the row's tests are run by."""
    _what, code, tests, check = row
    paths = re.findall(r"`([^`]+)`", code + tests)
    assert paths
    assert [path for path in paths if not (ROOT / path).exists()] == []
    (named,) = MAKE.findall(check)
    assert set(named.split()) <= phases()


def test_there_are_ten_rows() -> None:
    assert len(rows_of_where_to_go()) == 10
