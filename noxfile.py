# SPDX-License-Identifier: GPL-3.0-or-later
"""What is checked, each in a copy of the tree below .build: `make`, or `.venv/bin/nox --list`. TEST is `make test`."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from pathlib import Path

import antsibull_nox
import nox

# For tools/; only `python -m nox` does this itself.
sys.path.append(str(Path(__file__).resolve().parent))

from tools import release
from tools.phase import PYTEST_PASSED, Phase, phase, simple
from tools.tree import BIN, BUILD, ROOT, TREE, VENV, git_files, home, work_tree

# The quick ones first
TEST = ["lint", "types", "licences", "bpf", "dist", "galaxy", "environment", "installed"]
TEST += ["packages", "units", "page", "integration", "kernel", "service", "sanity"]
SCENARIOS = sorted(path.parent.name for path in Path("molecule").glob("*/molecule.yml"))
# Every Python that a supported ansible-core runs modules on, from the oldest that plugins/ are written for
PYTHONS = ("3.8", "3.9", "3.10", "3.11", "3.12", "3.13")
# Of each ansible-core the Python to run it with, and the oldest and newest that it runs modules on.
# 3.14, which 2.20 allows, and 3.15 of 2.22 are not on this machine: the phase tells. 2.18 ends with November 2026.
CORES = {
    "2.18": ("3.11", 8, 13),
    "2.19": ("3.11", 8, 13),
    "2.20": ("3.12", 9, 14),
    "2.21": ("3.13", 9, 14),
    "2.22": ("3.13", 9, 15),
}
# Where a release of this version is not to be had yet, its candidate.
CANDIDATE = "2.22"

# Of tests/fleet what runs each playbook and the role on every ansible-core: three minutes of the seven
PLAYBOOKS = [f"tests/fleet/test_{name}.py" for name in ("audit", "examples", "module_runs", "rollback", "secrets")]

nox.options.sessions = ["test"]
antsibull_nox.load_antsibull_nox_toml()  # extra-checks


@nox.session(python=False, requires=TEST)
def test(session: nox.Session) -> None:
    """all that is quick, as root on a fresh Debian 12"""


@phase(requires=())
def setup(run: Phase) -> None:
    """packages, .venv and the work tree in .build; every phase does this first"""
    work_tree(run.tree)
    home(run.home)


simple("licences", "an SPDX line in every file", "reuse lint")
simple("bpf", "a rebuild of the BPF objects gives the bytes in the tree", "make -C bpf check")
simple("page", "the report of virtnet.rss.audit, in a headless browser", "pytest tests/page")
simple("kernel", "what needs this host's kernel (root)", "make -C bpf variants", "pytest tests/kernel tests/robustness")
simple("service", "the service on real TAP devices (root)", "pytest tests/service")
simple("fleet", "the playbooks over network namespaces with busy guests (root)", "pytest tests/fleet")
simple("killed", "the same with a controller that is killed at each task, five minutes (root)", "pytest tests/killed")
simple("docs", "the documentation site, in .build/docs/html", f"docs/build {BUILD}/docs")
simple("documents", "every example and snippet of the documents, run as it is written (root)", "pytest tests/documents")
simple("guests", "real QEMU guests on TAP devices of this host (root)", "pytest tests/guests")


@phase()
def lint(run: Phase) -> None:
    """ruff, clang-format, yamllint, ansible-lint, shellcheck, the changelog's fragments, the workflows"""
    run("ruff", "check", "--quiet", ".")
    run("ruff", "format", "--check", "--quiet", "--diff", ".")
    run("clang-format", "--dry-run", "-Werror", *git_files(TREE, "ls-files", "*.c", "*.h"))
    run("yamllint", "--strict", ".")
    run("ansible-lint", HOME=run.home)
    # Scripts say so in their first line, whatever their name.
    run("shellcheck", *git_files(TREE, "grep", "--untracked", "-lIE", "-e", "^#!.*[/ ](ba)?sh( |$)"))
    run("antsibull-changelog", "lint")
    run("check-jsonschema", "--builtin-schema", "vendor.github-workflows", *git_files(TREE, "ls-files", ".github"))


@phase()
def types(run: Phase) -> None:
    """mypy --strict"""
    # Every file that git has, and from the top of the tree, so that each file has one name: the one it is imported by.
    ours = git_files(TREE, "ls-files", "noxfile.py", "tools/*.py")
    listing = BUILD / "python-files"
    listing.write_text("\n".join(str(TREE / name) for name in git_files(TREE, "ls-files", "*.py") if name not in ours))
    run("mypy", "--config-file", TREE / "pyproject.toml", f"@{listing}", cwd=BUILD)
    run("mypy", *ours)


@phase()
def dist(run: Phase) -> None:
    """the tarball into dist/, twice with the same bytes, and what is in it"""
    release.dist(run)


@phase()
def packages(run: Phase) -> None:
    """a .deb and an .rpm of the service into dist/; linted, installed, upgraded, removed (root)"""
    release.packages(run)


@phase()
def galaxy(run: Phase) -> None:
    """Galaxy's importer on the tarball, references in the documentation, action groups, no unwanted files"""
    run("python", "-m", "nox", "--sessions", "extra-checks")
    references = ("--validate-collection-refs", "all", "--check-extra-docs-refs")
    run("antsibull-docs", "lint-collection-docs", "--plugin-docs", "--skip-rstcheck", *references, ".")
    archive = release.build(run, BUILD / "dist" / "galaxy")
    importer = ("env", f"PYTHONPATH={VENV / 'importer'}", "python", "-m", "galaxy_importer.main")
    run(*importer, archive, cwd=archive.parent, evidence="completed successfully", HOME=run.home)


@phase()
def environment(run: Phase) -> None:
    """what ansible-builder makes of the execution environment"""
    run("ansible-builder", "introspect", BUILD, evidence=r"(?s)pyroute2.*libbpf1 \[platform:dpkg\]")
    to = ("--context", BUILD / "context", "--output-filename", "Containerfile")
    run("ansible-builder", "create", *to, cwd=TREE / "examples" / "execution-environment")


@phase()
def engines(run: Phase) -> None:
    """ansible-runner and ansible-rulebook with the examples, over network namespaces with busy guests (root)"""
    venv = BUILD / "engines"
    install = ("-m", "pip", "install", "--disable-pip-version-check", "--quiet")
    made = run("python", "-m", "venv", venv) and run(
        venv / "bin" / "python", *install, "-r", "requirements/engines.txt"
    )
    if made:
        run("pytest", "tests/engines", evidence=PYTEST_PASSED, ENGINES=venv / "bin")


@phase()
def installed(run: Phase) -> None:
    """the tarball in an empty environment: documentation, examples, real devices (root)"""
    run("tests/installed/run", release.build(run, BUILD / "dist" / "installed"), BUILD / "empty", evidence="failed=0")


@phase()
def units(run: Phase, pythons: Sequence[str] = PYTHONS) -> None:
    """ansible-test units, on every Python found"""
    targets = [word for version in _found(run, pythons) for word in ("--target-python", f"venv/{version}")]
    run("ansible-test", "units", "--color", "no", "--requirements", *targets, evidence=PYTEST_PASSED, HOME=run.home)


@phase()
def integration(run: Phase) -> None:
    """ansible-test integration, on real TAP devices of this host (root)"""
    # Modules run on the distribution's Python with its packages, as on a hypervisor.
    target = f"controller:python=3.{sys.version_info.minor}@{os.path.realpath(sys.executable)}"
    words = ("--color", "no", "--allow-destructive", "--controller", "origin:python=default", "--target", target)
    run("ansible-test", "integration", *words, evidence="Running .* integration test", HOME=run.home)


@phase()
def sanity(run: Phase, pythons: Sequence[str] = PYTHONS) -> None:
    """ansible-test sanity"""
    # Without --python: `compile` and `import` run on every Python found, the others on ours.
    _found(run, pythons)
    run("ansible-test", "sanity", "--color", "no", "--requirements", evidence="Running sanity test", HOME=run.home)


@phase()
@nox.parametrize("scenario", SCENARIOS, ids=SCENARIOS)
def vm(run: Phase, scenario: str) -> None:
    """molecule's scenarios, in VMs (root); vm-kernels is one of them"""
    run.seconds = 5400  # kernels takes most of an hour, and more beside other work
    run("molecule", "test", "-s", scenario, cwd=ROOT, evidence="1 successful")


@phase()
@nox.parametrize("core", [*CORES], ids=[*CORES])
def matrix(run: Phase, core: str) -> None:
    """ansible-test and playbooks on every maintained ansible-core (root, 30 minutes); CORES='2.18 2.20' on these"""
    controller, oldest, newest = CORES[core]
    if not _found(run, [controller]):
        run.session.skip(f"no Python {controller}")
    venv = BUILD / "matrix" / core / "venv"
    run.seconds = 1800
    run.place(venv.parent, venv)
    work_tree(run.tree)
    home(run.home)
    # Always the newest of the release: what was made before is brought up to date.
    install = ("-m", "pip", "install", "--disable-pip-version-check", "--quiet", "--upgrade")
    if run(BIN / f"python{controller}", "-m", "venv", venv) and run(
        venv / "bin" / "python", *install, f"ansible-core~={core}.0{'rc1' * (core == CANDIDATE)}", "pyroute2", "pytest"
    ):
        pythons = [f"3.{minor}" for minor in range(oldest, newest + 1)]
        sanity(run, pythons)
        units(run, pythons)
        integration(run)
        # Its own playbooks, action and filters, whose Python is the controller's
        run("python", "-m", "pytest", *PLAYBOOKS, evidence=PYTEST_PASSED)


@phase()
def changelog(run: Phase) -> None:
    """for a release: CHANGELOG.md of the checkout out of the fragments, for the version in galaxy.yml"""
    release.changelog(run, ROOT)


def _found(run: Phase, pythons: Sequence[str]) -> list[str]:
    """Those on this machine; the others are told."""
    found = [version for version in pythons if (BIN / f"python{version}").exists()]
    if missing := ", ".join(version for version in pythons if version not in found):
        run.not_run(f"{run.name} on Python {missing}: not on this machine")
    return found
