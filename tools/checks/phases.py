# SPDX-License-Identifier: GPL-3.0-or-later
"""What is checked, phase by phase, in the order of `make test`: the quick ones first."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import typing as t
from pathlib import Path

import paths
from links import broken_links
from matrix import matrix
from prepare import PYTHONS, found_pythons
from release import changelog, dist, environment, installed
from runner import Runner

ANSIBLE_TEST_HOME = {"HOME": str(paths.HOME)}
PYTEST_PASSED = r"\b[1-9]\d* passed"


def lint(run: Runner) -> None:
    run("ruff", "check", "--quiet", ".")
    run("ruff", "format", "--check", "--quiet", "--diff", ".")
    run("yamllint", "--strict", ".")
    run("ansible-lint", env=ANSIBLE_TEST_HOME)
    run("shellcheck", *_shell_scripts())
    run("antsibull-changelog", "lint")
    workflows = sorted((paths.TREE / ".github" / "workflows").glob("*.yml"))
    run("check-jsonschema", "--builtin-schema", "vendor.github-workflows", *workflows)


def types(run: Runner) -> None:
    """Every file that git has, from the top of the tree of collections, so that each has one name: the one it is
    imported by. Those of tools/checks are imported as a script's are."""
    here = paths.TREE / "tools" / "checks"
    files = [str(path) for path in _git_files("*.py") if here not in path.parents]
    listing = paths.BUILD / "python-files"
    listing.write_text("\n".join(files), encoding="utf-8")
    run("mypy", "--config-file", paths.TREE / "pyproject.toml", f"@{listing}", cwd=paths.BUILD)
    run("mypy", "--config-file", paths.TREE / "pyproject.toml", ".", cwd=here)


def licences(run: Runner) -> None:
    run("reuse", "lint")


def bpf(run: Runner) -> None:
    run("make", "-C", "bpf", "check")


def sanity(run: Runner) -> None:
    """Without --python: `compile` and `import` run on every Python found, the others on ours."""
    _missing_pythons(run, "compile and import")
    run(
        "ansible-test",
        "sanity",
        "--color",
        "no",
        "--requirements",
        env=ANSIBLE_TEST_HOME,
        evidence="Running sanity test",
    )


def units(run: Runner) -> None:
    _missing_pythons(run, "units")
    targets = [arg for version in found_pythons() for arg in ("--target-python", f"venv/{version}")]
    run(
        *("ansible-test", "units", "--color", "no", "--requirements", *targets),
        env=ANSIBLE_TEST_HOME,
        evidence=PYTEST_PASSED,
    )


def integration(run: Runner) -> None:
    """Modules run on the Python that runs this, the distribution's with its packages, as on a hypervisor."""
    if not _root(run):
        return
    target = f"controller:python=3.{sys.version_info.minor}@{sys.executable}"
    run(
        *("ansible-test", "integration", "--color", "no", "--allow-destructive"),
        *("--controller", "origin:python=default", "--target", target),
        env=ANSIBLE_TEST_HOME,
        evidence="Running .* integration test",
    )


def kernel(run: Runner) -> None:
    if not _root(run):
        return
    run("make", "-C", "bpf", "variants")
    run("pytest", "tests/kernel", "tests/robustness", evidence=PYTEST_PASSED)


def service(run: Runner) -> None:
    if _root(run):
        run("pytest", "tests/service", evidence=PYTEST_PASSED)


def page(run: Runner) -> None:
    """The report of virtnet.rss.audit in a browser."""
    run("pytest", "tests/page", evidence=PYTEST_PASSED)


def fleet(run: Runner) -> None:
    """The playbooks over hosts that are network namespaces, with guests that get packets all the time."""
    if _root(run):
        run("pytest", "tests/fleet", evidence=PYTEST_PASSED)


def guests(run: Runner) -> None:
    """Real QEMU guests, by software emulation."""
    if _root(run):
        run("pytest", "tests/guests", evidence=PYTEST_PASSED)


def _molecule(scenario: str) -> t.Callable[[Runner], None]:
    def phase(run: Runner) -> None:
        if _root(run):
            run("molecule", "test", "-s", scenario, cwd=paths.ROOT, evidence="1 successful", seconds=2400)

    return phase


def docs(run: Runner) -> None:
    """The site: the pages of docs/, one for each plugin, and one of what the probes know."""
    source, site = paths.BUILD / "docs" / "source", paths.BUILD / "docs" / "html"
    shutil.rmtree(source.parent, ignore_errors=True)
    shutil.copytree(paths.TREE / "docs", source)
    (source / "reference").mkdir(mode=0o755)
    words = ("--use-current", "--squash-hierarchy", "--fail-on-error", "--dest-dir", source / "reference")
    run("antsibull-docs", "collection", *words, "virtnet.rss", env={"ANSIBLE_COLLECTIONS_PATH": str(paths.BUILD)})
    run("python", source / "kernels.py", source / "kernels.md", env={"PYTHONPATH": str(paths.BUILD)})
    pages = [paths.TREE / name for name in ("README.md", "SECURITY.md")] + sorted((paths.TREE / "docs").glob("*.md"))
    run.failures += broken_links(pages, generated=[paths.TREE / "docs" / "kernels.md"])
    run("sphinx-build", "-q", "-W", "-n", "--keep-going", "-b", "html", source, site)
    print(f"the site is in {site.relative_to(paths.ROOT)}")


# What `make test` runs, and what is run by name.
QUICK_FIRST = (
    lint,
    types,
    licences,
    bpf,
    dist,
    environment,
    installed,
    units,
    page,
    integration,
    kernel,
    service,
    sanity,
)
PHASES: dict[str, t.Callable[[Runner], None]] = {phase.__name__: phase for phase in QUICK_FIRST}
BY_NAME = (changelog, docs, fleet, guests, matrix)
MORE: dict[str, t.Callable[[Runner], None]] = {phase.__name__: phase for phase in BY_NAME}
# The scenarios of molecule/, in VMs; the folder's name after `vm-` is the scenario's.
SCENARIOS = ("kernels", "default", "unsupported", "guest", "libvirt", "fleet")
MORE |= {f"vm-{scenario}": _molecule(scenario) for scenario in SCENARIOS}


def _root(run: Runner) -> bool:
    if os.geteuid():
        run.failures.append("needs root: it makes TAP devices and loads BPF programs")
    return not os.geteuid()


def _missing_pythons(run: Runner, what: str) -> None:
    missing = [version for version in PYTHONS if version not in found_pythons()]
    if missing:
        run.not_run.append(f"{what} on Python {', '.join(missing)}: not on this machine")


def _shell_scripts() -> list[str]:
    """Those that say so in their first line, whatever their name."""
    return _of_git("grep", "--untracked", "-lIE", "^#!.*[/ ](ba)?sh( |$)")


def _git_files(pattern: str) -> list[Path]:
    return [paths.TREE / name for name in _of_git("ls-files", pattern)]


def _of_git(*words: str) -> list[str]:
    found = subprocess.run(["git", *words], cwd=paths.TREE, stdout=subprocess.PIPE, text=True, check=True)
    return found.stdout.splitlines()
