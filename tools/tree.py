# SPDX-License-Identifier: GPL-3.0-or-later
"""Where things lie, and the work tree that everything runs in. All but ROOT is made here and ignored by git."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
VENV = ROOT / ".venv"
BUILD = ROOT / ".build"
# A copy of what git knows or could add, at the path that Ansible derives the collection's name from.
COLLECTION = Path("ansible_collections", "virtnet", "rss")
TREE = BUILD / COLLECTION
# Links to the interpreters found, made by tools/check
BIN = BUILD / "bin"

# With an index, the tools that ask git tell a folder of sources from one of build products.
COPY = """git init --quiet "$1"
export GIT_DIR="$1/.git" checkout="$1/.git/checkout"
(cd "$2" && GIT_INDEX_FILE=$checkout git --work-tree="$2" add --all)
cd "$1" && git read-tree --reset -u "$(GIT_INDEX_FILE=$checkout git write-tree)"
git clean -d --force --quiet"""


def git_files(top: Path, *words: str) -> list[str]:
    """The files that `git WORDS` names."""
    return sorted(filter(None, subprocess.check_output(["git", *words, "-z"], cwd=top, text=True).split("\0")))


def work_tree(tree: Path) -> None:
    """Bring the copy up to date; git writes what differs only, and what tests left there under ignored names stays."""
    tree.parent.mkdir(parents=True, exist_ok=True)
    subprocess.run(["flock", f"{tree}.lock", "sh", "-ec", COPY, "sh", tree, ROOT], check=True)


def home(path: Path) -> None:
    """A home that ansible-test may fill; pip's settings and downloads are the user's, its chatter is left out."""
    for name in (".config/pip", ".cache/pip"):
        link = path / name
        link.parent.mkdir(parents=True, exist_ok=True)
        if not link.is_symlink():
            link.symlink_to(Path("~", name).expanduser())
    (path / "ansible.cfg").touch()
    (path / ".pip").mkdir(exist_ok=True)
    (path / ".pip" / "pip.conf").write_text("[global]\nquiet = 2\n")
    cache = path / ".ansible" / "test" / "cache"
    cache.mkdir(parents=True, exist_ok=True)
    # pip's version as ansible-test wants it (see `get_venv_packages` in it): 2.18 and 2.19, 2.20 to 2.22
    for version in ("24_2", "25_2"):
        shutil.copy(Path(__file__).with_name("get_pip.py"), cache / f"get_pip_{version}.py")
