# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import errno
import fcntl
import os
import typing as t

import pytest

from ansible_collections.virtnet.rss.plugins.module_utils._errors import CapabilityError, DeviceError
from ansible_collections.virtnet.rss.plugins.module_utils._tap.device import TunDriver
from ansible_collections.virtnet.rss.plugins.module_utils._tun import ioctls
from ansible_collections.virtnet.rss.plugins.module_utils._tun.ioctls import TUNSETGROUP, TUNSETOWNER, TUNSETPERSIST


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> list[tuple[t.Any, ...]]:
    found: list[tuple[t.Any, ...]] = []
    monkeypatch.setattr(fcntl, "ioctl", lambda *arguments: found.append(arguments))
    return found


@pytest.mark.parametrize(
    ("owner", "group", "expected"),
    [
        (None, None, []),
        (0, None, [(5, TUNSETOWNER, 0)]),
        (None, 36, [(5, TUNSETGROUP, 36)]),
        (107, 36, [(5, TUNSETOWNER, 107), (5, TUNSETGROUP, 36)]),
        # fcntl.ioctl takes no more than a C int
        (0x7FFFFFFF, 0x80000000, [(5, TUNSETOWNER, 0x7FFFFFFF), (5, TUNSETGROUP, -0x80000000)]),
        (0xFFFFFFFE, None, [(5, TUNSETOWNER, -2)]),
    ],
)
def test_ownership(
    calls: list[tuple[t.Any, ...]], owner: int | None, group: int | None, expected: list[tuple[int, int, int]]
) -> None:
    TunDriver().set_ownership(5, owner=owner, group=group)
    assert calls == expected


def test_persistent(calls: list[tuple[t.Any, ...]]) -> None:
    TunDriver().set_persistent(5, True)
    TunDriver().set_persistent(5, False)
    assert calls == [(5, TUNSETPERSIST, 1), (5, TUNSETPERSIST, 0)]


def test_a_refusal_keeps_its_errno() -> None:
    with open(os.devnull, "rb") as stream, pytest.raises(DeviceError) as refusal:
        TunDriver().set_persistent(stream.fileno(), True)
    assert refusal.value.errno == errno.ENOTTY


def test_create_never_joins(monkeypatch: pytest.MonkeyPatch) -> None:
    joined: list[tuple[str, int]] = []
    monkeypatch.setattr(ioctls, "open_control", lambda: os.open(os.devnull, os.O_RDONLY))
    monkeypatch.setattr(ioctls, "join_device", lambda _descriptor, name, flags: joined.append((name, flags)))
    driver = TunDriver()
    driver.close(driver.create("tap0", 0x5102))
    assert joined == [("tap0", 0xD102)]  # IFF_TUN_EXCL


@pytest.mark.parametrize(
    ("number", "sentence"), [(errno.EBUSY, "meanwhile"), (errno.EPERM, "CAP_NET_ADMIN"), (errno.EINVAL, "Invalid")]
)
def test_create_refused(monkeypatch: pytest.MonkeyPatch, number: int, sentence: str) -> None:
    opened = os.open(os.devnull, os.O_RDONLY)

    def refuse(*_arguments: t.Any) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(ioctls, "open_control", lambda: opened)
    monkeypatch.setattr(ioctls, "join_device", refuse)
    with pytest.raises(DeviceError, match=sentence) as refusal:
        TunDriver().create("tap0", 0x5102)
    assert refusal.value.errno == number
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(opened)


def test_without_the_driver(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse() -> int:
        raise OSError(errno.ENODEV, os.strerror(errno.ENODEV))

    monkeypatch.setattr(ioctls, "open_control", refuse)
    with pytest.raises(CapabilityError, match="modprobe tun") as refusal:
        TunDriver().create("tap0", 0x5102)
    assert refusal.value.errno == errno.ENODEV
