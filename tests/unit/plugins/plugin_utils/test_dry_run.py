# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest

from ansible_collections.virtnet.rss.plugins.plugin_utils._dry_run import DryRun, read_dry_run

PLAN = '[{"name": "a=b", "action": "attach"}]\n'
STEPS = [{"name": "a=b", "action": "attach"}]
UNIT = "LoadState=loaded\nActiveState=active\n"
ANSWERS = [
    ("both", PLAN + UNIT, "", DryRun(STEPS, "", "running")),
    ("no systemd", PLAN, "", DryRun(STEPS, "", "")),
    ("no unit", PLAN + "LoadState=not-found\nActiveState=inactive\n", "", DryRun(STEPS, "", "")),
    ("no program", UNIT, "", DryRun([], "", "running")),
    ("neither", "", "", DryRun([], "", "")),
    ("nothing to steer", "[]\n", "a warning", DryRun([], "", "")),
    ("refused", UNIT, "virtnet-rss: not JSON", DryRun([], "virtnet-rss: not JSON", "running")),
    ("cut off", PLAN[:20], "", DryRun([], "the program's answer is no JSON", "")),
]


@pytest.mark.parametrize(("stdout", "stderr", "wanted"), [row[1:] for row in ANSWERS], ids=[row[0] for row in ANSWERS])
def test_answers(stdout: str, stderr: str, wanted: DryRun) -> None:
    assert read_dry_run({"stdout": stdout, "stderr": stderr}) == wanted


@pytest.mark.parametrize(
    ("load", "active", "service"),
    [
        ("loaded", "active", "running"),
        ("loaded", "reloading", "running"),
        ("loaded", "inactive", "stopped"),
        ("loaded", "failed", "stopped"),
        ("loaded", "activating", "stopped"),
        ("masked", "inactive", "stopped"),
        ("not-found", "inactive", ""),
    ],
)
def test_the_service(load: str, active: str, service: str) -> None:
    assert read_dry_run({"stdout": f"LoadState={load}\nActiveState={active}\n"}).service == service


def test_a_host_that_was_not_asked() -> None:
    assert read_dry_run({"skipped": True}) == DryRun([], "", "")
