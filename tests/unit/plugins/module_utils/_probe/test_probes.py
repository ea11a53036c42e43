# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.virtnet.rss.plugins.module_utils._probe import probes
from ansible_collections.virtnet.rss.plugins.module_utils._probe.bpf import Trial
from ansible_collections.virtnet.rss.plugins.module_utils._probe.finding import Finding
from ansible_collections.virtnet.rss.plugins.module_utils._probe.host import CAPABILITIES
from ansible_collections.virtnet.rss.plugins.module_utils._probe.isolation import Findings
from ansible_collections.virtnet.rss.plugins.module_utils._probe.minimums import FEATURES
from ansible_collections.virtnet.rss.plugins.module_utils._probe.probes import probe_features

LOADED = ("socket_filter_load", "bounded_loops", "test_run", "direct_reads")
TRIAL = Trial(b"", 1, b"", 0)


@pytest.fixture
def script(monkeypatch: pytest.MonkeyPatch) -> t.Callable[..., dict[str, t.Sequence[str]]]:
    """Puts findings in the place of the probes: yes, but for those that a test says. Gives what each lacks."""

    def install(**answers: str) -> dict[str, t.Sequence[str]]:
        asked: dict[str, t.Sequence[str]] = {}

        def isolated(lacking: t.Mapping[str, t.Sequence[str]], _probe: t.Callable[[], Findings]) -> Findings:
            asked.update(lacking)
            return {name: Finding(answers.get(name, "yes"), f"about {name}") for name in lacking}

        monkeypatch.setattr(probes, "isolated", isolated)
        return asked

    return install


Script = t.Callable[..., t.Dict[str, t.Sequence[str]]]


def test_every_feature_is_probed_tun_first(script: Script) -> None:
    asked = script()
    found = probe_features(TRIAL, CAPABILITIES)
    assert list(found) == [feature.name for feature in FEATURES]
    # opening /dev/net/tun loads the module whose BTF the others look for
    assert next(iter(asked)) == "steering_ioctl"
    assert set(asked.values()) == {()}


def test_what_a_process_lacks_is_told_for_each_feature(script: Script) -> None:
    asked = script()
    probe_features(TRIAL, {"CAP_BPF", "CAP_NET_ADMIN"})
    assert {name: missing for name, missing in asked.items() if missing} == {
        **dict.fromkeys(LOADED, ("CAP_PERFMON",)),
        "task_file_iterator": ("CAP_PERFMON", "CAP_SYS_ADMIN"),
        "steering_ioctl": ("CAP_SYS_ADMIN",),
        "pidfd_getfd": ("CAP_SYS_PTRACE",),
    }


@pytest.mark.parametrize(
    ("iterator", "vmlinux", "tun", "answer"),
    [
        ("yes", "yes", "yes", "yes"),
        ("no", "yes", "yes", "no"),
        ("no", "yes", "no", "unknown"),
        ("no", "yes", "unknown", "unknown"),
        ("no", "no", "no", "no"),
        ("unknown", "yes", "no", "unknown"),
        # found by other means: doing counts
        ("yes", "no", "no", "yes"),
    ],
)
def test_the_iterator_is_not_blamed_for_missing_types(
    script: Script, iterator: str, vmlinux: str, tun: str, answer: str
) -> None:
    script(task_file_iterator=iterator, btf_vmlinux=vmlinux, btf_tun=tun)
    assert probe_features(TRIAL, CAPABILITIES)["task_file_iterator"].answer == answer


@pytest.mark.parametrize(("mode", "told"), [("none", False), ("integrity", False), ("confidentiality", True)])
def test_lockdown_is_told(monkeypatch: pytest.MonkeyPatch, script: Script, mode: str, told: bool) -> None:
    monkeypatch.setattr(probes, "lockdown", lambda: mode)
    script(task_file_iterator="no")
    found = probe_features(TRIAL, CAPABILITIES)["task_file_iterator"]
    assert found.answer == "no"
    assert ("lockdown" in found.sentence) is told
    assert found.sentence.endswith("about task_file_iterator")
