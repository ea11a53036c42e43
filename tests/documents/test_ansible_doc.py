# SPDX-License-Identifier: GPL-3.0-or-later
"""The EXAMPLES of every plugin, as ansible-doc shows them: in their order, check mode first, on real devices."""

from __future__ import annotations

import ast
import contextlib
import subprocess
import typing as t
from pathlib import Path

import pytest
import yaml

from ansible_collections.virtnet.rss.tests.support.desk import Desk
from ansible_collections.virtnet.rss.tests.support.held_tap import HeldTap
from ansible_collections.virtnet.rss.tests.support.libvirt import Libvirt

ROOT = Path(__file__).parents[2]
PLUGINS = sorted(path for kind in ("modules", "filter") for path in (ROOT / "plugins" / kind).glob("*.py"))
# Guests that are there before, by plugin; web-1 with its vnet0 always is.
GUESTS = {"tap_steering": ["tap-web1", "tap-fw1"]}
# What an example takes from the reader's vault
VARIABLES = {"vault_rss_seed": "from a vault", "rss_secret": "from a vault"}
# Of a whole playbook, which is where it is run: tests/fleet
PART_OF = {name: ROOT / "playbooks" / f"{name.partition('_')[0]}.yml" for name in ("audit_report", "rollout_batch")}


def examples(path: Path) -> list[dict[str, t.Any]]:
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name) and node.targets[0].id == "EXAMPLES":
            return t.cast("list[dict[str, t.Any]]", yaml.safe_load(ast.literal_eval(node.value)))
    raise AssertionError(f"{path} has no EXAMPLES")


def prepare(desk: Desk, stack: contextlib.ExitStack, *guests: str) -> None:
    libvirt = Libvirt(desk.folder, "libvirtd", "vnet0")
    stack.callback(libvirt.end)
    libvirt.start_guest("web-1")
    for name in guests:
        stack.enter_context(HeldTap(name, 4))
    for bridge in ("br0", "br1"):
        subprocess.run(["ip", "link", "add", bridge, "mtu", "9000", "type", "bridge"], check=True)
    desk.host.run("useradd", "--system", "libvirt-qemu")


@pytest.mark.parametrize("path", PLUGINS, ids=[path.stem for path in PLUGINS])
def test_the_examples_run(desk: Desk, path: Path) -> None:
    tasks = examples(path)
    if path.stem in PART_OF:
        (play,) = yaml.safe_load(PART_OF[path.stem].read_text(encoding="utf-8"))
        assert [task for task in tasks if task not in play["tasks"]] == []
        return
    with contextlib.ExitStack() as stack:
        prepare(desk, stack, *GUESTS.get(path.stem, []))
        output = desk.tasks(tasks, **VARIABLES)
    assert "ok=" in output and "failed=0" in output


def test_what_the_examples_promise_in_comments(desk: Desk) -> None:
    """A number in a comment or a name is the number that is printed."""
    for name, promised in (("indirection_table", "0, 0, 0, 1, 1, 1, 2, 3"), ("toeplitz_hash", "0x51ccc178")):
        output = desk.tasks(examples(ROOT / "plugins" / "filter" / f"{name}.py"))
        assert promised in " ".join(output.split())
