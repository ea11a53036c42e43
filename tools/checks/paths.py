# SPDX-License-Identifier: GPL-3.0-or-later
"""Where things lie. All but ROOT is made by these tools and ignored by git."""

from __future__ import annotations

from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
VENV = ROOT / ".venv"
DIST = ROOT / "dist"
BUILD = ROOT / ".build"
# A copy of what git knows or could add, at the path that Ansible derives the collection's name from.
TREE = BUILD / "ansible_collections" / "virtnet" / "rss"
# HOME of ansible-test, which keeps its caches below it
HOME = BUILD / "home"
# Links to the Python interpreters found
BIN = BUILD / "bin"
LOGS = BUILD / "logs"
