# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import errno
import typing as t

import pytest

from ansible_collections.virtnet.rss.plugins.module_utils._errors import (
    CapabilityError,
    ObjectError,
    VerifierError,
)
from ansible_collections.virtnet.rss.plugins.module_utils._probe import bpf
from ansible_collections.virtnet.rss.plugins.module_utils._probe.bpf import Trial, probe_bpf_syscall, probe_program

TRIAL = Trial(rodata=b"configuration", queues=4, frame=b"frame", queue=3)


class Program:
    """A steering program that a kernel made of three answers loads and runs."""

    load_error: t.ClassVar[Exception | None] = None
    run_error: t.ClassVar[Exception | None] = None
    queue: t.ClassVar[int] = 3
    reads: t.ClassVar[str] = "direct"
    refusal: t.ClassVar[str] = ""

    def __init__(self, _libbpf: object, rodata: bytes, *, queues: int) -> None:
        assert (rodata, queues) == (TRIAL.rodata, TRIAL.queues)
        raise_any(self.load_error)

    def __enter__(self) -> Program:
        return self

    def __exit__(self, *_exception: object) -> None:
        pass

    def run(self, frame: bytes) -> tuple[int, int]:
        assert frame == TRIAL.frame
        raise_any(self.run_error)
        return self.queue, 100


def raise_any(error: Exception | None) -> None:
    if error is not None:
        raise error


def back_edge(errno_: int = errno.EINVAL) -> VerifierError:
    return VerifierError("refused: back-edge from insn 40 to 12", log="back-edge from insn 40 to 12", errno=errno_)


OTHER = VerifierError("refused: unknown func", log="unknown func bpf_skb_load_bytes#26", errno=errno.EINVAL)
# load error, run error, queue, what the process lacks, the answers to load, loops and run
KERNELS: list[tuple[Exception | None, Exception | None, int, tuple[str, ...], tuple[str, str, str]]] = [
    (None, None, 3, (), ("yes", "yes", "yes")),
    (None, None, 2, (), ("yes", "yes", "no")),
    (None, ObjectError("run", errno=errno.EINVAL), 3, (), ("yes", "yes", "no")),
    (None, ObjectError("run", errno=errno.EPERM), 3, (), ("yes", "yes", "unknown")),
    (back_edge(), None, 3, (), ("no", "no", "unknown")),
    # without CAP_BPF, today's kernels refuse loops too
    (back_edge(), None, 3, ("CAP_BPF",), ("unknown", "unknown", "unknown")),
    (OTHER, None, 3, (), ("no", "unknown", "unknown")),
    (ObjectError("load", errno=errno.ENOSYS), None, 3, (), ("no", "unknown", "unknown")),
    (ObjectError("load", errno=errno.EPERM), None, 3, ("CAP_BPF",), ("unknown", "unknown", "unknown")),
]


@pytest.mark.parametrize(("load_error", "run_error", "queue", "lacking", "answers"), KERNELS)
def test_program(
    monkeypatch: pytest.MonkeyPatch,
    load_error: Exception | None,
    run_error: Exception | None,
    queue: int,
    lacking: tuple[str, ...],
    answers: tuple[str, str, str],
) -> None:
    monkeypatch.setattr(Program, "load_error", load_error)
    monkeypatch.setattr(Program, "run_error", run_error)
    monkeypatch.setattr(Program, "queue", queue)
    monkeypatch.setattr(bpf, "SteeringProgram", Program)
    monkeypatch.setattr(bpf, "load_libbpf", object)
    found = probe_program(TRIAL, lacking)
    names = ("socket_filter_load", "bounded_loops", "test_run")
    assert tuple(found) == (*names, "direct_reads")
    assert tuple(found[name].answer for name in names) == answers
    assert found["direct_reads"].answer == ("unknown" if load_error else "yes")


def test_a_kernel_without_direct_reads_says_why(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Program, "reads", "helper")
    monkeypatch.setattr(Program, "refusal", "extern bpf_rdonly_cast was not found")
    monkeypatch.setattr(bpf, "SteeringProgram", Program)
    monkeypatch.setattr(bpf, "load_libbpf", object)
    found = probe_program(TRIAL, ())["direct_reads"]
    assert (found.answer, found.sentence) == ("no", "extern bpf_rdonly_cast was not found")


def test_without_libbpf_nothing_of_bpf_is_known(monkeypatch: pytest.MonkeyPatch) -> None:
    def load() -> t.NoReturn:
        raise CapabilityError("libbpf was not found")

    monkeypatch.setattr(bpf, "load_libbpf", load)
    found = probe_program(TRIAL, ())
    assert {finding.answer for finding in found.values()} == {"unknown"}
    assert found["socket_filter_load"].sentence == "libbpf was not found"


class Libbpf:
    """A libbpf whose calls all fail with one errno."""

    def __init__(self, number: int) -> None:
        self.number = number

    def call(self, name: str, *_arguments: object) -> t.NoReturn:
        raise ObjectError(name, errno=self.number)


def test_the_system_call_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bpf, "load_libbpf", lambda: Libbpf(errno.EBADF))
    assert probe_bpf_syscall()["bpf_syscall"].answer == "yes"


@pytest.mark.parametrize("number", [errno.ENOSYS, errno.EPERM])
def test_what_else_it_says_is_for_the_judge(monkeypatch: pytest.MonkeyPatch, number: int) -> None:
    monkeypatch.setattr(bpf, "load_libbpf", lambda: Libbpf(number))
    with pytest.raises(ObjectError) as refusal:
        probe_bpf_syscall()
    assert refusal.value.errno == number
