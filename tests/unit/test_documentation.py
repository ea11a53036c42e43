# Copyright (c) 2026, virtnet.rss contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What pages repeat of the code is what the code says."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

from ansible_collections.virtnet.rss.plugins.module_utils._policy.schema import MATCH, RULE
from ansible_collections.virtnet.rss.plugins.module_utils._service.metrics import HELP
from ansible_collections.virtnet.rss.plugins.module_utils._service.parser import parser
from ansible_collections.virtnet.rss.plugins.module_utils._service.version import VERSION
from ansible_collections.virtnet.rss.tests.support.vm.suites import SUITES
from ansible_collections.virtnet.rss.tests.unit.test_import_direction import ALLOWED

ROOT = Path(__file__).resolve().parents[2]
FILTERS = {"rollout_verdict"}  # named like a variable


def cells(page: str, heading: str) -> set[str]:
    """What stands in backquotes in the first column of the tables below a heading."""
    text = (ROOT / "docs" / page).read_text(encoding="utf-8")
    section = re.split(r"^#+ ", text.split(f"# {heading}\n", 1)[1], maxsplit=1, flags=re.MULTILINE)[0]
    columns = (line.split("|")[1] for line in section.splitlines() if line.startswith("| `"))
    return {word for column in columns for word in re.findall(r"`([^`]+)`", column)}


def test_the_program_is_of_the_release() -> None:
    galaxy = (ROOT / "galaxy.yml").read_text(encoding="utf-8")
    assert re.search(rf"^version: {re.escape(VERSION)}$", galaxy, re.MULTILINE)


def commands() -> set[str]:
    choices: set[str] = set()
    for action in parser()._actions:
        choices |= set(action.choices or ())
    return choices


@pytest.mark.parametrize(
    ("heading", "words"),
    [
        ("Metrics", set(HELP)),
        ("What a rule matches", set(MATCH)),
        (
            "What a rule wants",
            set(RULE) - {"name", "match"} | {f"indirection.{word}" for word in RULE["indirection"].options},
        ),
        ("Commands", commands()),
    ],
)
def test_the_tables_of_the_service_are_complete(heading: str, words: set[str]) -> None:
    assert cells("service.md", heading) == words


@pytest.mark.parametrize("name", ["audit", "rollback", "rollout", "steer"])
def test_the_variables_of_each_playbook_are_told(name: str) -> None:
    """Those that its first lines name."""
    text = (ROOT / "playbooks" / f"{name}.yml").read_text(encoding="utf-8")
    head = text.split("---")[0].replace("\n#", "")
    prefix = "steer(?:ing)?" if name == "steer" else name
    assert cells("playbooks.md", f"virtnet.rss.{name}") == set(re.findall(rf"\b{prefix}_\w+", head)) - FILTERS


def test_every_layer_is_on_the_architecture_page() -> None:
    assert cells("architecture.md", "The layers") == set(ALLOWED)


def test_the_readme_names_the_systems_that_are_tested() -> None:
    heading = "| system | kernel | libbpf | Python |\n|---|---|---|---|\n"
    table = (ROOT / "README.md").read_text(encoding="utf-8").split(heading)[1]
    rows = [f"| Debian {suite.name} | {suite.kernel} | {suite.libbpf} | {suite.python} |" for suite in SUITES]
    assert table.split("\n\n", 1)[0].splitlines() == rows


def test_the_action_group_has_the_modules_that_know_netns() -> None:
    """Defaults of a group go to every module in it, and one that does not know an option fails. The namespace that
    host_steering watches is not the one that a task works in."""
    groups = yaml.safe_load((ROOT / "meta" / "runtime.yml").read_text(encoding="utf-8"))["action_groups"]
    modules = (ROOT / "plugins" / "modules").glob("tap*.py")
    texts = {path.stem: path.read_text(encoding="utf-8").split('DOCUMENTATION = r"""')[1] for path in modules}
    documented = {name: yaml.safe_load(text.split('"""')[0]) for name, text in texts.items()}
    assert set(groups["tap"]) == {name for name, words in documented.items() if "netns" in words["options"]}
