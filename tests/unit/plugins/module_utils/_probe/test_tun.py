# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import errno
import os
import typing as t
from pathlib import Path

import pytest

from ansible_collections.virtnet.rss.plugins.module_utils._errors import DeviceError
from ansible_collections.virtnet.rss.plugins.module_utils._probe import tun
from ansible_collections.virtnet.rss.plugins.module_utils._probe.tun import probe_pidfd_getfd


def refuse(number: int) -> t.Callable[[int, int], int]:
    def duplicate(pid: int, descriptor: int) -> int:
        # a child of ours, alive, with that very descriptor
        assert pid != os.getpid() and os.path.exists(f"/proc/{pid}/fd/{descriptor}")
        raise DeviceError("cannot copy", errno=number)

    return duplicate


@pytest.mark.parametrize("lacking", [(), ("CAP_SYS_PTRACE",)])
def test_a_copy_says_yes_and_what_else_a_guest_takes(monkeypatch: pytest.MonkeyPatch, lacking: tuple[str, ...]) -> None:
    monkeypatch.setattr(tun, "duplicate_descriptor", lambda _pid, _descriptor: os.open("/dev/null", os.O_RDONLY))
    before = os.listdir("/proc/self/fd")
    found = probe_pidfd_getfd(lacking)["pidfd_getfd"]
    assert found.answer == "yes"
    assert ("CAP_SYS_PTRACE" in found.sentence) is bool(lacking)
    assert os.listdir("/proc/self/fd") == before


def test_yama_that_forbids_it_to_everybody_is_a_no(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    scope = tmp_path / "ptrace_scope"
    scope.write_text("3\n")
    monkeypatch.setattr(tun, "duplicate_descriptor", refuse(errno.EPERM))
    found = probe_pidfd_getfd((), str(scope))["pidfd_getfd"]
    assert found.answer == "no" and "Yama" in found.sentence


@pytest.mark.parametrize(
    ("number", "scope"), [(errno.EPERM, "2"), (errno.EPERM, None), (errno.ENOSYS, "3"), (errno.ENOSYS, None)]
)
def test_every_other_error_is_for_the_judge(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, number: int, scope: str | None
) -> None:
    path = tmp_path / "ptrace_scope"
    if scope:
        path.write_text(scope)
    monkeypatch.setattr(tun, "duplicate_descriptor", refuse(number))
    with pytest.raises(DeviceError) as error:
        probe_pidfd_getfd((), str(path))
    assert error.value.errno == number
    with pytest.raises(ChildProcessError):
        os.waitpid(-1, os.WNOHANG)
