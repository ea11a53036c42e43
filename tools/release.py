# SPDX-License-Identifier: GPL-3.0-or-later
"""What makes a release: the changelog, and a tarball that depends on nothing but the files in it."""

from __future__ import annotations

import gzip
import io
import os
import re
import shutil
import subprocess
import tarfile
from pathlib import Path

from tools.phase import PYTEST_PASSED, Phase
from tools.tree import BUILD, COLLECTION, ROOT, TREE, git_files, work_tree

# All that is in it, as git has it. Anything else is a leftover of building or testing, or needs a decision.
CONTENT = ["CHANGELOG.md", "CODE_OF_CONDUCT.md", "COPYING", "LICENSES", "README.md", "REUSE.toml", "SECURITY.md"]
CONTENT += ["bpf", "changelogs", "docs", "examples", "meta", "monitoring", "playbooks", "plugins", "roles"]


def changelog(run: Phase, tree: Path) -> None:
    """The version's release; as long as it has no tag, it may be made again with fragments that came after it."""
    version = re.search(r"^version: *(\S+)", (tree / "galaxy.yml").read_text(), re.MULTILINE)
    assert version
    known = f"  {version[1]}:" in (tree / "changelogs" / "changelog.yaml").read_text()
    late = [*(tree / "changelogs" / "fragments").glob("*.yml")]
    tagged = subprocess.check_output(["git", "tag", "--list", f"v{version[1]}"], cwd=tree)
    if known and tagged:
        run("antsibull-changelog", "generate", cwd=tree)
    elif late or not known:
        run("antsibull-changelog", "release", *(["--update-existing"] if known else []), cwd=tree)
    if f"v{version[1]}" not in (tree / "CHANGELOG.md").read_text().replace("\\", ""):
        run.failures.append(f"antsibull-changelog wrote no CHANGELOG.md with v{version[1]}")


def build(run: Phase, folder: Path) -> Path:
    """The tarball of a fresh copy in this folder, with one date: SOURCE_DATE_EPOCH, else the last commit's."""
    shutil.rmtree(folder, ignore_errors=True)
    work_tree(folder / COLLECTION)
    built = run("ansible-galaxy", "collection", "build", "--output-path", folder, cwd=folder / COLLECTION)
    archive = next(folder.glob("virtnet-rss-*.tar.gz"), folder / "no tarball")
    if built:
        _normalise(archive, _date())
    return archive


def packages(run: Phase) -> None:
    """They are tested as the tests build them, which is the same way."""
    folder = BUILD / "dist" / "packages"
    shutil.rmtree(folder, ignore_errors=True)
    run("python", "packaging/build.py", folder, SOURCE_DATE_EPOCH=str(_date()))
    run("pytest", "tests/packages", evidence=PYTEST_PASSED)
    if not run.failures:
        (ROOT / "dist").mkdir(exist_ok=True)
        for path in folder.iterdir():
            shutil.copy(path, ROOT / "dist")


def _date() -> int:
    """SOURCE_DATE_EPOCH, else the last commit's."""
    given = os.environ.get("SOURCE_DATE_EPOCH")
    return int(given or subprocess.check_output(["git", "log", "-1", "--format=%ct"], cwd=ROOT))


def dist(run: Phase) -> None:
    """Two copies in folders of their own give the same bytes; a changelog, which a release publishes, can be made."""
    first, second = (build(run, BUILD / "dist" / name) for name in ("first", "second"))
    if run.failures:
        return
    if first.read_bytes() != second.read_bytes():
        run.failures.append("two builds of the tarball differ")
    with tarfile.open(first) as opened:
        found = {member.name for member in opened if member.isfile()}
    run.say("\n".join(sorted(found)))
    wanted = {*git_files(TREE, "ls-files", *CONTENT), "FILES.json", "MANIFEST.json"}
    run.failures += [f"{name} is in the tarball or in git, not in both" for name in sorted(found ^ wanted)]
    (ROOT / "dist").mkdir(exist_ok=True)
    shutil.copy(first, ROOT / "dist")
    changelog(run, second.parent / COLLECTION)


def _normalise(archive: Path, date: int) -> None:
    """Give every member one date and owner, sort them, and keep name and date out of the gzip header.

    ansible-galaxy takes the dates from the work tree and the clock, which no two builds share.
    """
    plain = io.BytesIO()
    with tarfile.open(archive) as old, tarfile.open(fileobj=plain, mode="w", format=tarfile.PAX_FORMAT) as new:
        for member in sorted(old, key=lambda member: member.name):
            member.mtime, member.uid, member.gid, member.uname, member.gname = date, 0, 0, "", ""
            member.mode = 0o755 if member.isdir() or member.mode & 0o100 else 0o644
            member.pax_headers = {}
            new.addfile(member, old.extractfile(member) if member.isfile() else None)
    with archive.open("wb") as raw, gzip.GzipFile("", "wb", 9, raw, mtime=0) as packed:
        packed.write(plain.getvalue())
