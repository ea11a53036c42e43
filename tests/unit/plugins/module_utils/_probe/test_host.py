# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import resource
from pathlib import Path

import pytest

from ansible_collections.virtnet.rss.plugins.module_utils._probe import host


@pytest.mark.parametrize(
    ("mask", "names"),
    [
        ("000001ffffffffff", set(host.CAPABILITIES)),
        ("0000000000000000", set()),
        ("0000008000000000", {"CAP_BPF"}),
        ("0000004000001000", {"CAP_PERFMON", "CAP_NET_ADMIN"}),
        # Linux before 5.8 ends at CAP_AUDIT_READ, 37
        ("0000003fffffffff", {"CAP_NET_ADMIN", "CAP_SYS_PTRACE", "CAP_SYS_ADMIN"}),
    ],
)
def test_effective(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, mask: str, names: set[str]) -> None:
    status = tmp_path / "status"
    status.write_text(f"Name:\tpython3\nCapPrm:\t000001ffffffffff\nCapEff:\t{mask}\nCapBnd:\t000001ffffffffff\n")
    monkeypatch.setattr(host, "STATUS", str(status))
    assert host.effective_capabilities() == names


def test_without_proc_nothing_is_held(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(host, "STATUS", str(tmp_path / "status"))
    assert host.effective_capabilities() == frozenset()


@pytest.mark.parametrize(
    ("held", "missing"),
    [
        ({"CAP_SYS_ADMIN"}, ("CAP_NET_ADMIN",)),
        ({"CAP_BPF", "CAP_PERFMON"}, ("CAP_NET_ADMIN",)),
        ({"CAP_BPF", "CAP_NET_ADMIN"}, ("CAP_PERFMON",)),
        (set(), ("CAP_BPF", "CAP_PERFMON", "CAP_NET_ADMIN")),
    ],
)
def test_lacking(held: set[str], missing: tuple[str, ...]) -> None:
    assert host.lacking(("CAP_BPF", "CAP_PERFMON", "CAP_NET_ADMIN"), held) == missing


def test_memory_lock_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resource, "getrlimit", lambda _which: (65536, resource.RLIM_INFINITY))
    assert host.memory_lock_limit() == {"soft": 65536, "hard": "unlimited"}


@pytest.mark.parametrize("mode", ["none", "integrity", "confidentiality"])
def test_lockdown(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, mode: str) -> None:
    monkeypatch.setattr(host, "SECURITY", str(tmp_path))
    modes = ("none", "integrity", "confidentiality")
    (tmp_path / "lockdown").write_text(" ".join(f"[{name}]" if name == mode else name for name in modes) + "\n")
    assert host.lockdown() == mode


def test_a_kernel_without_lockdown_is_told_from_a_file_system_that_is_not_mounted(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(host, "SECURITY", str(tmp_path))
    assert host.lockdown() == "unknown"
    (tmp_path / "lsm").write_text("capability,yama")
    assert host.lockdown() == "none"


@pytest.mark.parametrize(
    ("content", "jit", "disabled"),
    [
        ("0\n", "disabled", "no"),
        ("1\n", "enabled", "yes"),
        ("2\n", "debug", "yes"),
        ("7\n", "unknown", "unknown"),
        ("", "unknown", "unknown"),
        (None, "unknown", "unknown"),
    ],
)
def test_settings(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, content: str | None, jit: str, disabled: str
) -> None:
    setting = tmp_path / "setting"
    if content is not None:
        setting.write_text(content)
    monkeypatch.setattr(host, "JIT_ENABLE", str(setting))
    monkeypatch.setattr(host, "UNPRIVILEGED_BPF_DISABLED", str(setting))
    assert (host.jit(), host.unprivileged_bpf_disabled()) == (jit, disabled)
