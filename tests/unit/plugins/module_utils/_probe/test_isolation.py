# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import errno
import os
import resource
import signal
import typing as t

import pytest

from ansible_collections.virtnet.rss.plugins.module_utils._errors import ObjectError
from ansible_collections.virtnet.rss.plugins.module_utils._probe.finding import Finding
from ansible_collections.virtnet.rss.plugins.module_utils._probe.isolation import Findings, isolated

LACKING: dict[str, tuple[str, ...]] = {"one": (), "two": ("CAP_BPF",)}
BOTH = {"one": Finding("yes", "it is"), "two": Finding("no", "it is not \u2013 whatever the letters")}


def die(number: int) -> Findings:
    os.kill(os.getpid(), number)
    return {}


def test_findings_come_back() -> None:
    assert isolated(LACKING, lambda: BOTH) == BOTH


def test_a_large_answer_comes_back() -> None:
    long = {"one": Finding("no", "x" * 300000)}
    assert isolated({"one": ()}, lambda: long) == long


def test_an_error_is_judged_for_each_feature() -> None:
    def probe() -> t.NoReturn:
        raise ObjectError("load: invalid", errno=errno.EINVAL)

    found = isolated(LACKING, probe)
    assert found["one"] == Finding("no", "load: invalid")
    assert found["two"] == Finding("unknown", "load: invalid; this process lacks CAP_BPF")


def test_a_wrong_probe_is_unknown() -> None:
    def probe() -> t.NoReturn:
        raise KeyError("nonsense")

    assert isolated(LACKING, probe) == dict.fromkeys(
        LACKING, Finding("unknown", "the probe itself failed: KeyError('nonsense')")
    )


@pytest.mark.parametrize(
    ("number", "sentence"),
    [
        (signal.SIGSYS, "a seccomp filter kills a process that tries it"),
        (signal.SIGKILL, "the process that tried it was killed by signal 9"),
    ],
)
def test_a_killed_probe_is_unknown(number: int, sentence: str) -> None:
    assert isolated(LACKING, lambda: die(number)) == dict.fromkeys(LACKING, Finding("unknown", sentence))


def test_a_probe_that_just_ends_is_unknown() -> None:
    def probe() -> Findings:
        os._exit(0)

    assert isolated({"one": ()}, probe) == {"one": Finding("unknown", "the probe gave no answer")}


def test_no_process_to_be_had_is_unknown(monkeypatch: pytest.MonkeyPatch) -> None:
    def fork() -> t.NoReturn:
        raise OSError(errno.EAGAIN, "Resource temporarily unavailable")

    before = os.listdir("/proc/self/fd")
    monkeypatch.setattr(os, "fork", fork)
    assert isolated({"one": ()}, lambda: BOTH) == {"one": Finding("unknown", "Resource temporarily unavailable")}
    assert os.listdir("/proc/self/fd") == before


def test_nothing_of_the_probe_is_left() -> None:
    def probe() -> Findings:
        os.open("/dev/null", os.O_RDONLY)
        resource.setrlimit(resource.RLIMIT_NOFILE, (100, 100))
        os.environ["PROBE"] = "was here"
        return {"one": Finding("yes", str(os.getpid()))}

    before = (os.listdir("/proc/self/fd"), resource.getrlimit(resource.RLIMIT_NOFILE), dict(os.environ))
    found = isolated({"one": ()}, probe)
    assert int(found["one"].sentence) != os.getpid()
    after = (os.listdir("/proc/self/fd"), resource.getrlimit(resource.RLIMIT_NOFILE), dict(os.environ))
    assert after == before
    with pytest.raises(ChildProcessError):
        os.waitpid(-1, os.WNOHANG)
