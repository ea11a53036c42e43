# SPDX-License-Identifier: GPL-3.0-or-later
"""The man page and the completions are what the parser says, and shells and man take them."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import typing as t
from pathlib import Path

import pytest

from ansible_collections.virtnet.rss.plugins.module_utils._service.commands import COMMANDS

ROOT = Path(__file__).parents[2]
SHARE = ROOT / "roles" / "steering" / "files" / "share"
BASH = SHARE / "bash-completion" / "completions" / "virtnet-rss"


def made() -> dict[str, str]:
    spec = importlib.util.spec_from_file_location("command_line", ROOT / "docs" / "command_line.py")
    assert spec and spec.loader
    module: t.Any = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    found: dict[str, str] = module.files()
    return found


def test_the_files_are_up_to_date() -> None:
    """Otherwise: PYTHONPATH=.build .venv/bin/python docs/command_line.py"""
    files = {
        str(path.relative_to(SHARE)): path.read_text(encoding="utf-8") for path in SHARE.rglob("*") if path.is_file()
    }
    assert files == made()


def complete(*words: str) -> set[str]:
    """What bash offers for the last of these words."""
    typed = " ".join(f'"{word}"' for word in words)
    script = f"""
        . {BASH}
        COMP_WORDS=({typed}); COMP_CWORD={len(words) - 1}
        $(complete -p virtnet-rss | sed 's/.*-F \\([^ ]*\\).*/\\1/')
        printf '%s\\n' "${{COMPREPLY[@]}}"
    """
    done = subprocess.run(["bash", "--norc", "-c", script], capture_output=True, text=True, check=True)
    return set(done.stdout.split())


def test_bash_completes_commands_and_options() -> None:
    assert complete("virtnet-rss", "") >= set(COMMANDS)
    assert complete("virtnet-rss", "ad") == {"advise"}
    assert complete("virtnet-rss", "advise", "--se") == {"--seconds"}


def test_bash_completes_devices() -> None:
    """Those of /sys, which shows the namespace that it was mounted in: a fresh one for this one."""
    script = f"""
        mount -t sysfs sysfs /sys
        ip tuntap add tapfoo mode tap; ip tuntap add tapbar mode tap
        . {BASH}
        _virtnet_rss_taps tapf; _virtnet_rss_taps ''
    """
    done = subprocess.run(
        ["unshare", "--net", "--mount", "bash", "--norc", "-c", script], capture_output=True, text=True, check=True
    )
    assert sorted(done.stdout.split()) == ["tapbar", "tapfoo", "tapfoo"]


def test_the_man_page_is_without_fault() -> None:
    page = SHARE / "man" / "man8" / "virtnet-rss.8"
    done = subprocess.run(
        ["man", "--warnings", "-l", str(page)],
        env={**os.environ, "MANWIDTH": "80"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stderr == "" and "EXIT STATUS" in done.stdout


@pytest.mark.parametrize("command", list(COMMANDS))
def test_help_of_each_command_fits_a_terminal(command: str) -> None:
    program = "import sys; from ansible_collections.virtnet.rss.plugins.module_utils._service.cli import main; main()"
    tree = str(ROOT.parents[2])
    done = subprocess.run(
        ["/usr/bin/python3", "-c", program, command, "--help"],
        env={"PYTHONPATH": tree, "COLUMNS": "80"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.startswith(f"usage: virtnet-rss {command}") or done.stdout.startswith("usage: -c")
    assert max(map(len, done.stdout.splitlines())) <= 80
