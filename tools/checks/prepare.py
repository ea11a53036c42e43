# SPDX-License-Identifier: GPL-3.0-or-later
"""Makes the machine ready: packages, .venv, other interpreters, and the work tree. Cheap when nothing is to do."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

import paths
from runner import Runner

PACKAGES = (
    "bpftool",
    "chromium",
    "clang-14",
    "ethtool",
    "git",
    "iproute2",
    "libbpf-dev",
    "libbpf1",
    "linux-libc-dev",
    "llvm-14",
    "make",
    "python3-dpkt",
    "python3-pyelftools",
    "python3-pyroute2",
    "python3-scapy",
    "python3-venv",
    "shellcheck",
    "strace",
)
# Every Python that a supported ansible-core runs modules on, from the oldest that plugins/ are written for.
PYTHONS = ("3.8", "3.9", "3.10", "3.11", "3.12", "3.13")
# The name has pip's version as ansible-test wants it (see `get_venv_packages` in it): 2.17, then 2.18 and 2.19, then
# 2.20 and 2.21.
GET_PIP = ("get_pip_23_1_2.py", "get_pip_24_2.py", "get_pip_25_2.py")


def setup(run: Runner) -> None:
    for step in (_packages, _venv, _pythons):
        step(run)
        if run.failures:
            return
    work_tree(run, paths.TREE)
    home(paths.HOME)


def found_pythons() -> list[str]:
    here = f"3.{sys.version_info.minor}"
    return [version for version in PYTHONS if version == here or (paths.BIN / f"python{version}").exists()]


def _packages(run: Runner) -> None:
    if not shutil.which("dpkg-query"):
        run.failures.append(f"no dpkg: this is not Debian. Needed are its packages {' '.join(PACKAGES)}")
        return
    known = subprocess.run(
        ["dpkg-query", "-W", "-f", "${Package} ${db:Status-Status}\n", *PACKAGES],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        check=False,  # it fails for names it has never heard of, which are missing
    ).stdout.splitlines()
    missing = [name for name in PACKAGES if f"{name} installed" not in known]
    if not missing:
        return
    if os.geteuid():
        run.failures.append(f"not root, so please: apt-get install {' '.join(missing)}")
        return
    quiet = {"DEBIAN_FRONTEND": "noninteractive"}
    if run("apt-get", "update", cwd=paths.ROOT):
        run("apt-get", "install", "-y", "--no-install-recommends", *missing, cwd=paths.ROOT, env=quiet)


def _venv(run: Runner) -> None:
    requirements = paths.ROOT / "requirements"
    wanted = [requirements / "development.txt", requirements / "constraints.txt"]
    digest = hashlib.sha256(b"".join(path.read_bytes() for path in wanted)).hexdigest()
    stamp = paths.VENV / "requirements.sha256"
    if stamp.exists() and stamp.read_text() == digest:
        return
    install = ("-m", "pip", "install", "--disable-pip-version-check", "-r", wanted[0], "-c", wanted[1])
    if run(sys.executable, "-m", "venv", "--clear", paths.VENV, cwd=paths.ROOT) and run(
        paths.VENV / "bin" / "python", *install, cwd=paths.ROOT
    ):
        stamp.write_text(digest)


def _pythons(run: Runner) -> None:
    """Link the other interpreters: of the system, or of pyenv, whose own commands work for the chosen version only."""
    shutil.rmtree(paths.BIN, ignore_errors=True)
    paths.BIN.mkdir(parents=True)
    pyenv = Path(os.environ.get("PYENV_ROOT", "~/.pyenv")).expanduser() / "versions"
    for version in PYTHONS:
        name = f"python{version}"
        candidates = [Path(f"/usr/bin/{name}"), Path(f"/usr/local/bin/{name}"), *pyenv.glob(f"{version}.*/bin/{name}")]
        for candidate in candidates:
            if candidate.exists():
                (paths.BIN / name).symlink_to(candidate)
                run.say(f"Python {version}: {candidate}")
                break


def work_tree(run: Runner, tree: Path) -> None:
    """Bring the copy up to date; what tests left there under ignored names (caches) stays."""
    tree.mkdir(parents=True, exist_ok=True)
    if not run("git", "init", "--quiet", tree, cwd=tree):
        return
    wanted = _git_files(paths.ROOT)
    for name in _git_files(tree) - wanted:
        (tree / name).unlink()
    for name in wanted:
        target = tree / name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(paths.ROOT / name, target, follow_symlinks=False)
    # With an index, the tools that ask git tell a folder of sources from one of build products.
    run("git", "add", "--all", cwd=tree)


def _git_files(top: Path) -> set[str]:
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=top,
        stdout=subprocess.PIPE,
        check=True,
    ).stdout.decode()
    return {name for name in listed.split("\0") if name and os.path.lexists(top / name)}


def home(path: Path) -> None:
    """A home that ansible-test may fill; pip's settings and downloads are the user's, its chatter is left out."""
    for name in (".config", ".cache"):
        link = path / name / "pip"
        link.parent.mkdir(parents=True, exist_ok=True)
        if not link.is_symlink():
            link.symlink_to(Path(f"~/{name}/pip").expanduser())
    (path / "ansible.cfg").touch()
    (path / ".pip").mkdir(exist_ok=True)
    (path / ".pip" / "pip.conf").write_text("[global]\nquiet = 2\n")
    cache = path / ".ansible" / "test" / "cache"
    cache.mkdir(parents=True, exist_ok=True)
    for name in GET_PIP:
        shutil.copy(Path(__file__).with_name("get_pip.py"), cache / name)
