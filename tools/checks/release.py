# SPDX-License-Identifier: GPL-3.0-or-later
"""What makes a release: the changelog, the tarball, its installation where nothing else is."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import paths
from prepare import work_tree
from runner import Runner
from tarball import names, normalise, problems

CONTENT = ("bpf", "examples", "plugins", "roles", "playbooks", "meta", "docs")
# Made in a folder that holds nothing else: `installed` must find nothing of the work tree.
EMPTY = paths.BUILD / "empty"


def changelog(run: Runner) -> None:
    """CHANGELOG.md and changelogs/changelog.yaml in the checkout itself: they are part of the release's commit."""
    _changelog(run, paths.ROOT)


def dist(run: Runner) -> None:
    """Two copies in folders of their own give the same bytes; a changelog can be made in one."""
    built = [_build(run, paths.BUILD / "dist" / name) for name in ("first", "second")]
    if run.failures:
        return
    first, second = built
    if first.read_bytes() != second.read_bytes():
        run.failures.append("two builds of the tarball differ")
    git = subprocess.run(["git", "ls-files", *CONTENT], cwd=paths.TREE, stdout=subprocess.PIPE, text=True, check=True)
    run.failures += problems(first, set(git.stdout.split()))
    run.say("\n".join(names(first)))
    paths.DIST.mkdir(exist_ok=True)
    shutil.copy(first, paths.DIST)
    _release_works(run)


def environment(run: Runner) -> None:
    """What ansible-builder reads out of meta/, and the context it would build the example's image from."""
    collections = paths.BUILD / "ansible_collections"
    run("ansible-builder", "introspect", collections.parent, evidence=r"(?s)pyroute2.*libbpf1 \[platform:dpkg\]")
    run(
        *("ansible-builder", "create", "--file", "execution-environment.yml"),
        *("--context", paths.BUILD / "context", "--output-filename", "Containerfile"),
        cwd=paths.TREE / "examples" / "execution-environment",
    )


def installed(run: Runner) -> None:
    """The tarball with ansible-core alone, an empty home and no network; then real devices."""
    if os.geteuid():
        run.failures.append("needs root: it makes TAP devices and loads BPF programs")
        return
    archive = _build(run, paths.BUILD / "dist" / "first")
    if run.failures or not _venv(run):
        return
    shutil.rmtree(EMPTY / "home", ignore_errors=True)
    (EMPTY / "home").mkdir(parents=True)
    tool = _Installed(run)
    if not tool("ansible-galaxy", "collection", "install", "--offline", archive):
        return
    for kind in ("module", "filter", "role"):
        tool("ansible-doc", "--type", kind, *_plugins(kind), evidence=r"(?i)virtnet\.rss\.|steering")
    for path in sorted((tool.collection / "examples").glob("*.yml")):
        tool("ansible-playbook", "--syntax-check", path)
    tool("ansible-playbook", paths.TREE / "tests" / "installed" / "playbook.yml", evidence="failed=0")


class _Installed:
    """Commands of the empty environment, which knows neither the work tree nor .venv."""

    def __init__(self, run: Runner) -> None:
        self._run = run
        self.collection = EMPTY / "home" / ".ansible" / "collections" / "ansible_collections" / "virtnet" / "rss"

    def __call__(self, name: str, *words: str | Path, evidence: str | None = None) -> bool:
        settings = {
            "HOME": str(EMPTY / "home"),
            "PATH": f"{EMPTY / 'venv' / 'bin'}:{os.defpath}:/usr/sbin:/sbin",
            "LC_ALL": "C.UTF-8",
            "ANSIBLE_LOCALHOST_WARNING": "false",
            "ANSIBLE_INVENTORY_UNPARSED_WARNING": "false",
        }
        words = ("-i", *(f"{key}={value}" for key, value in settings.items()), EMPTY / "venv" / "bin" / name, *words)
        return self._run("env", *words, cwd=EMPTY, evidence=evidence)


def _venv(run: Runner) -> bool:
    """With the ansible-core of development.txt, and nothing but that."""
    pinned = re.search(r"^ansible-core==\S+", (paths.ROOT / "requirements" / "development.txt").read_text(), re.M)
    assert pinned
    install = ("-m", "pip", "install", "--disable-pip-version-check", "--quiet", pinned[0])
    EMPTY.mkdir(parents=True, exist_ok=True)
    return run(sys.executable, "-m", "venv", EMPTY / "venv", cwd=EMPTY) and run(
        EMPTY / "venv" / "bin" / "python", *install, cwd=EMPTY
    )


def _plugins(kind: str) -> list[str]:
    """Every one of a kind that users may call."""
    folder, suffix = {
        "module": (paths.TREE / "plugins" / "modules", ".py"),
        "filter": (paths.TREE / "plugins" / "filter", ".py"),
        "role": (paths.TREE / "roles", ""),
    }[kind]
    found = sorted(path for path in folder.iterdir() if path.suffix == suffix and path.name != "__pycache__")
    return [f"virtnet.rss.{path.stem}" for path in found]


def _build(run: Runner, folder: Path) -> Path:
    """The tarball of a fresh copy in this folder."""
    shutil.rmtree(folder, ignore_errors=True)
    tree = folder / "ansible_collections" / "virtnet" / "rss"
    work_tree(run, tree)
    run("ansible-galaxy", "collection", "build", "--force", "--output-path", folder, cwd=tree)
    archive = next(folder.glob("virtnet-rss-*.tar.gz"), folder / "no tarball")
    if not run.failures:
        normalise(archive, _date())
    return archive


def _date() -> int:
    """SOURCE_DATE_EPOCH, else the date of the last commit."""
    if "SOURCE_DATE_EPOCH" in os.environ:
        return int(os.environ["SOURCE_DATE_EPOCH"])
    command = ["git", "log", "-1", "--format=%ct"]
    return int(subprocess.run(command, cwd=paths.ROOT, stdout=subprocess.PIPE, check=True).stdout)


def _release_works(run: Runner) -> None:
    """A release needs CHANGELOG.md, which the release workflow publishes: make it in the second copy."""
    tree = paths.BUILD / "dist" / "second" / "ansible_collections" / "virtnet" / "rss"
    _changelog(run, tree)
    if not (tree / "CHANGELOG.md").exists() or f"v{_version()}" not in _unescaped(tree / "CHANGELOG.md"):
        run.failures.append(f"antsibull-changelog wrote no CHANGELOG.md with v{_version()}")


def _changelog(run: Runner, tree: Path) -> None:
    """`release` for a version that has none yet; for one that has, the page again."""
    known = f"  {_version()}:" in (tree / "changelogs" / "changelog.yaml").read_text()
    run("antsibull-changelog", "generate" if known else "release", cwd=tree)


def _version() -> str:
    found = re.search(r"^version: *(\S+)", (paths.ROOT / "galaxy.yml").read_text(), re.M)
    assert found
    return found[1]


def _unescaped(page: Path) -> str:
    return page.read_text().replace("\\", "")
