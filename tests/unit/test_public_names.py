# Copyright (c) 2026, virtnet.rss contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What release 0.1.0 has promised is still so: its options, defaults, choices, return values and variables.

`release_0_1_0.json` is what `promises` gave in a checkout of 0.1.0. New ones may come; of those nothing may go or
change, unless DELIBERATE says why.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import typing as t
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
# The folder that holds ansible_collections, through links, as the loader sees it
TREE = Path(os.path.abspath(__file__)).parents[5]
RECORDED: dict[str, dict[str, t.Any]] = json.loads(
    Path(__file__).with_name("release_0_1_0.json").read_text(encoding="utf-8")
)
PLUGINS = {
    "module": ("capability_facts", "host_policy", "host_service", "tap", "tap_steering", "tap_steering_info"),
    "filter": (
        *("fleet_report", "fleet_text", "indirection_table", "rollout_verdict"),
        *("rss_key", "rss_queue", "toeplitz_hash"),
    ),
    "role": ("steering",),
}
PROMISED = ("type", "elements", "default", "choices", "required", "aliases")
# What is promised otherwise than in 0.1.0, and why: `what.field` -> reason
DELIBERATE = {
    "filter rss_queue _input.type": "a frame in hexadecimal digits is taken, too",
    "module tap_steering taps.required": "domain or mac choose devices as well",
    "module tap_steering hash_types.default": "nothing is spread less than by automatic selection (docs/protocols.md)",
    "module tap_steering indirection size.default": "128 up to 32 queues, then four entries a queue",
}


def promises() -> dict[str, dict[str, t.Any]]:
    """What is documented, by a name that leads there, as `module tap_steering indirection.equal`."""
    found: dict[str, dict[str, t.Any]] = {}
    for kind, names in PLUGINS.items():
        for name, told in _documentation(kind, names).items():
            title = f"{kind} {name.rpartition('.')[2]}"
            if kind == "role":
                told = {"doc": told["entry_points"]["main"]}
            _collect(found, title, told["doc"].get("options") or {}, "options", "suboptions")
            _collect(found, f"{title} returns", told.get("return") or {}, "contains", "contains")
    for variable, default in _variables():
        found[f"playbooks {variable}"] = {"default": default}
    for word in _service():
        found[f"service {word}"] = {}
    return found


def _documentation(kind: str, names: t.Iterable[str]) -> dict[str, t.Any]:
    """As ansible-doc shows it, fragments and all."""
    command = [sys.executable, "-m", "ansible.cli.doc", "--json", "-t", kind]
    done = subprocess.run(
        [*command, *(f"virtnet.rss.{name}" for name in names)],
        env={**os.environ, "ANSIBLE_COLLECTIONS_PATH": str(TREE), "ANSIBLE_DEPRECATION_WARNINGS": "false"},
        stdout=subprocess.PIPE,
        check=True,
    )
    return t.cast("dict[str, t.Any]", json.loads(done.stdout))


def _collect(found: dict[str, dict[str, t.Any]], title: str, words: dict[str, t.Any], *below: str) -> None:
    for word, told in words.items():
        name = f"{title} {word}"
        found[name] = {field: told[field] for field in PROMISED if field in told}
        for field in below:
            _collect(found, name, told.get(field) or {}, *below)


def _variables() -> t.Iterator[tuple[str, str]]:
    """Of the playbooks, with what the page says of their default."""
    for line in (ROOT / "docs" / "playbooks.md").read_text(encoding="utf-8").splitlines():
        row = re.match(r"\| `(\w+)` \|.*\|([^|]*)\|$", line)
        if row:
            yield row[1], row[2].strip()


def _service() -> t.Iterator[str]:
    """Options of rules, commands, metrics: what stands in backquotes in the first column of its tables."""
    for line in (ROOT / "docs" / "service.md").read_text(encoding="utf-8").splitlines():
        if line.startswith("| `"):
            yield from re.findall(r"`([\w.]+)`", line.split("|")[1])


@pytest.fixture(scope="module", name="now")
def _now() -> dict[str, dict[str, t.Any]]:
    return promises()


def differences(then: dict[str, dict[str, t.Any]], now: dict[str, dict[str, t.Any]]) -> dict[str, str]:
    """What a user of ``then`` would miss; more choices and more aliases are no difference."""
    found = {}
    for name, promised in then.items():
        if name not in now:
            found[name] = "is gone"
            continue
        for field in PROMISED:
            before, after = promised.get(field), now[name].get(field)
            if field in ("choices", "aliases") and before and after and set(before) <= set(after):
                continue
            if before != after:
                found[f"{name}.{field}"] = f"was {before!r}, is {after!r}"
    return found


def test_nothing_is_missing_or_changed(now: dict[str, dict[str, t.Any]]) -> None:
    assert {name: told for name, told in differences(RECORDED, now).items() if name not in DELIBERATE} == {}


def test_every_deliberate_change_is_one(now: dict[str, dict[str, t.Any]]) -> None:
    assert set(DELIBERATE) <= set(differences(RECORDED, now))


def test_every_plugin_of_then_is_there() -> None:
    kinds = {"module": ROOT / "plugins" / "modules", "filter": ROOT / "plugins" / "filter"}
    for kind, folder in kinds.items():
        assert {path.stem for path in folder.glob("*.py")} >= set(PLUGINS[kind])
    assert {path.name for path in (ROOT / "roles").iterdir()} >= set(PLUGINS["role"])


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({}, ["m a"]),
        ({"m a": {"type": "int", "default": 1}}, ["m a.default"]),
        ({"m a": {"type": "str", "default": 2}}, ["m a.type"]),
        ({"m a": {"type": "int", "default": 2, "choices": [1]}}, ["m a.choices"]),
    ],
)
def test_a_difference_is_found(change: dict[str, t.Any], told: list[str]) -> None:
    assert list(differences({"m a": {"type": "int", "default": 2}}, change)) == told


def test_more_choices_are_no_difference() -> None:
    assert not differences({"m a": {"choices": ["x"]}}, {"m a": {"choices": ["y", "x"]}, "m b": {}})


if __name__ == "__main__":
    lines = (f"{json.dumps(name)}: {json.dumps(told, sort_keys=True)}" for name, told in sorted(promises().items()))
    print("{\n" + ",\n".join(lines) + "\n}")
