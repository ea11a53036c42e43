# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest

from ansible_collections.virtnet.rss.plugins.module_utils._probe.facts import verdict
from ansible_collections.virtnet.rss.plugins.module_utils._probe.finding import Finding
from ansible_collections.virtnet.rss.plugins.module_utils._probe.minimums import FEATURES

YES = Finding("yes", "it works")
ALL = {feature.name: YES for feature in FEATURES}


def test_supported_without_a_word() -> None:
    assert verdict(ALL) == (True, [])


@pytest.mark.parametrize("answer", ["no", "unknown"])
@pytest.mark.parametrize("name", ["bpf_syscall", "socket_filter_load", "bounded_loops", "test_run", "steering_ioctl"])
def test_what_attaching_needs(name: str, answer: str) -> None:
    supported, reasons = verdict({**ALL, name: Finding(answer, "because")})
    assert not supported
    assert reasons == [f"tap_steering needs {name}, and the answer is {answer}: because"]


@pytest.mark.parametrize("name", ["task_file_iterator", "pidfd_getfd"])
def test_what_is_done_in_another_way(name: str) -> None:
    supported, reasons = verdict({**ALL, name: Finding("no", "because")})
    assert supported
    assert len(reasons) == 1 and reasons[0].startswith(f"{name} is no, so ") and reasons[0].endswith(": because")


@pytest.mark.parametrize("name", ["btf_vmlinux", "btf_tun"])
def test_types_matter_to_the_iterator_alone(name: str) -> None:
    assert verdict({**ALL, name: Finding("no", "because")}) == (True, [])


def test_one_cause_is_told_once() -> None:
    without = Finding("unknown", "libbpf was not found")
    names = ("bpf_syscall", "socket_filter_load")
    _supported, reasons = verdict({**ALL, **dict.fromkeys(names, without), "test_run": Finding("unknown", "else")})
    assert reasons == [
        "tap_steering needs bpf_syscall and socket_filter_load, and the answer is unknown: libbpf was not found",
        "tap_steering needs test_run, and the answer is unknown: else",
    ]
