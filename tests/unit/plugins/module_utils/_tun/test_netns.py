# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import os
import typing as t

import pytest

from ansible_collections.virtnet.rss.plugins.module_utils._errors import DeviceError, InputError
from ansible_collections.virtnet.rss.plugins.module_utils._tun import netns
from ansible_collections.virtnet.rss.plugins.module_utils._tun.netns import Namespace, network_namespace
from ansible_collections.virtnet.rss.plugins.module_utils._tun.netns import entered as enter_found

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


@pytest.mark.parametrize("name", ["", ".", "..", "../blue", "a/b"])
def test_what_means_no_namespace(entered: list[str], name: str) -> None:
    with pytest.raises(InputError, match="by its name, as `ip netns` lists it, by a path"), network_namespace(name):
        pass
    assert entered == []


def test_a_path(entered: list[str], tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "green").touch()
    with network_namespace(str(tmp_path / "elsewhere" / "green")):
        assert entered == ["green"]


def test_a_process_and_an_inode(entered: list[str]) -> None:
    """Those that every process is in; a name comes first."""
    inode = os.stat("/proc/self/ns/net").st_ino
    for which in (str(os.getpid()), str(inode), f"ns:{inode}"):
        with network_namespace(which):
            assert entered.pop() == home()
        entered.clear()


def test_a_name_that_is_a_number(entered: list[str], tmp_path: Path) -> None:
    (tmp_path / str(os.getpid())).touch()
    with network_namespace(str(os.getpid())):
        assert entered == [str(os.getpid())]


@pytest.mark.parametrize("which", ["999999999", "4294967295", "ns:4294967295", "/run/nothing/here"])
def test_nothing_there(entered: list[str], which: str) -> None:
    with pytest.raises(InputError, match=which.replace("/", ".")), network_namespace(which):
        pass
    assert set(entered) <= {home()}


def test_a_namespace_whose_process_has_gone(entered: list[str]) -> None:
    """Another one has its number, and is in another namespace."""
    gone = Namespace(1, f"/proc/{os.getpid()}/ns/net")
    with pytest.raises(DeviceError, match="has gone"), enter_found(gone):
        pass
    assert set(entered) <= {home()}


def test_a_file_that_is_no_namespace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The kernel's own answer: EINVAL, or EPERM without privileges."""
    (tmp_path / "plain").touch()
    monkeypatch.setattr(netns, "NETNS_FOLDER", str(tmp_path))
    with pytest.raises(DeviceError, match="cannot enter network namespace plain") as refusal, network_namespace(
        "plain"
    ):
        pass
    assert refusal.value.errno
