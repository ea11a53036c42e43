# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import sys
import typing as t
from pathlib import Path

import pytest

from ansible_collections.virtnet.rss.plugins.module_utils._errors import CapabilityError
from ansible_collections.virtnet.rss.plugins.module_utils._probe import libraries
from ansible_collections.virtnet.rss.plugins.module_utils._probe.libraries import Library, find_libbpf, find_pyroute2


def test_no_libbpf(monkeypatch: pytest.MonkeyPatch) -> None:
    def load() -> t.NoReturn:
        raise CapabilityError("libbpf was not found: libbpf.so.1: cannot open shared object file")

    monkeypatch.setattr(libraries, "load_libbpf", load)
    found = find_libbpf()
    assert found == Library(False, reason="libbpf was not found: libbpf.so.1: cannot open shared object file")


def test_libbpf(monkeypatch: pytest.MonkeyPatch) -> None:
    class Loaded:
        version, path = "1.5", "/lib/libbpf.so.1.5.0"

    monkeypatch.setattr(libraries, "load_libbpf", Loaded)
    assert find_libbpf() == Library(True, "1.5", "/lib/libbpf.so.1.5.0")


@pytest.fixture
def site(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """The only folder that Python looks for packages in."""
    monkeypatch.setattr(sys, "path", [str(tmp_path)])
    monkeypatch.delitem(sys.modules, "pyroute2", raising=False)
    return tmp_path


def install(site: Path, distribution: str | None, version: str = "0.7.2") -> None:
    (site / "pyroute2").mkdir()
    (site / "pyroute2" / "__init__.py").write_text("raise SystemExit('it must not be imported')")
    if distribution:
        information = site / f"{distribution.replace('-', '_')}-{version}.dist-info"
        information.mkdir()
        (information / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {distribution}\nVersion: {version}\n")


@pytest.mark.parametrize("distribution", ["pyroute2", "pyroute2-minimal"])
def test_pyroute2(site: Path, distribution: str) -> None:
    install(site, distribution)
    assert find_pyroute2() == Library(True, "0.7.2")


@pytest.mark.parametrize(
    "information",
    ["pyroute2-0.7.2.egg-info", "pyroute2-0.7.2-py3.9.egg-info", "pyroute2.core-0.7.2.dist-info"],
)
def test_the_version_by_the_name_of_what_tells_of_it(site: Path, information: str) -> None:
    install(site, None)
    (site / "pyroute2extra-1.dist-info").mkdir()
    (site / information).mkdir()
    assert find_pyroute2() == Library(True, "0.7.2")


def test_pyroute2_without_metadata(site: Path) -> None:
    install(site, None)
    assert find_pyroute2() == Library(True)


def test_no_pyroute2(site: Path) -> None:
    found = find_pyroute2()
    assert (found.present, found.version) == (False, None)
    assert "python3-pyroute2" in found.reason
