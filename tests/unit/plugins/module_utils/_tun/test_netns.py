# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import os
import typing as t

import pytest

from ansible_collections.virtnet.rss.plugins.module_utils._errors import DeviceError, InputError
from ansible_collections.virtnet.rss.plugins.module_utils._tun import netns
from ansible_collections.virtnet.rss.plugins.module_utils._tun.netns import network_namespace

if t.TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def entered(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> t.Iterator[list[str]]:
    """The files of the namespaces that the thread went into; at the end no descriptor is left."""
    (tmp_path / "blue").touch()
    found: list[str] = []
    monkeypatch.setattr(netns, "NETNS_FOLDER", str(tmp_path))
    monkeypatch.setattr(
        netns,
        "_enter",
        lambda descriptor, _name: found.append(os.path.basename(os.readlink(f"/proc/self/fd/{descriptor}"))),
    )
    before = len(os.listdir("/proc/self/fd"))
    yield found
    assert len(os.listdir("/proc/self/fd")) == before


def home() -> str:
    return os.path.basename(os.readlink("/proc/thread-self/ns/net"))


def test_there_and_back(entered: list[str]) -> None:
    with network_namespace("blue"):
        assert entered == ["blue"]
    assert entered == ["blue", home()]


def test_back_after_a_failure(entered: list[str]) -> None:
    with pytest.raises(ZeroDivisionError), network_namespace("blue"):
        raise ZeroDivisionError
    assert entered == ["blue", home()]


def test_no_name_stays_here(entered: list[str]) -> None:
    with network_namespace(None):
        pass
    assert entered == []


def test_a_missing_namespace(entered: list[str]) -> None:
    with pytest.raises(InputError, match="there is no such network namespace"), network_namespace("green"):
        pass
    assert entered == []


@pytest.mark.parametrize("name", ["", ".", "..", "../blue", "/run/netns/blue", "a/b"])
def test_a_name_is_no_path(entered: list[str], name: str) -> None:
    with pytest.raises(InputError, match="the name of a network namespace"), network_namespace(name):
        pass
    assert entered == []


def test_a_file_that_is_no_namespace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The kernel's own answer: EINVAL, or EPERM without privileges."""
    (tmp_path / "plain").touch()
    monkeypatch.setattr(netns, "NETNS_FOLDER", str(tmp_path))
    with pytest.raises(DeviceError, match="cannot enter network namespace plain") as refusal, network_namespace(
        "plain"
    ):
        pass
    assert refusal.value.errno
