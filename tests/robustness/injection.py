# SPDX-License-Identifier: GPL-3.0-or-later
"""Real system calls that really fail: strace has the N-th one of a module's process fail, or kills it there."""

from __future__ import annotations

import re
import tempfile
import typing as t
from dataclasses import dataclass
from pathlib import Path

from ansible_collections.virtnet.rss.tests.kernel import module

__all__ = ("CALLS", "Fault", "Injected", "count_calls", "faults", "run_with")

# What an attach does to the kernel, and errors that the manuals list for it.
CALLS: dict[str, tuple[str, ...]] = {
    "bpf": ("EPERM", "EINVAL", "ENOMEM", "E2BIG", "EACCES", "EAGAIN", "EMFILE"),
    "ioctl": ("EPERM", "EINVAL", "EBADFD", "ENODEV", "ENOMEM"),
    "pidfd_open": ("ESRCH", "EMFILE", "ENODEV", "ENOMEM"),
    "pidfd_getfd": ("EPERM", "EBADF", "ESRCH", "EMFILE"),
    "flock": ("EINTR", "ENOLCK"),
    "sendto": ("ENOBUFS", "ENOMEM"),
    "recvfrom": ("ENOBUFS", "ENOMEM"),
    "socket": ("EMFILE", "ENOMEM"),
}
KILL = "SIGKILL"


@dataclass(frozen=True)
class Fault:
    """The ``number``-th call of ``call``, counted from 1, fails with ``error``, or ends the process."""

    call: str
    number: int
    error: str

    def __str__(self) -> str:
        return f"{self.call} {self.number} {self.error}"

    @property
    def injection(self) -> str:
        what = f"signal={KILL}" if self.error == KILL else f"error={self.error}"
        return f"inject={self.call}:{what}:when={self.number}"


@dataclass(frozen=True)
class Injected:
    """What came of a run: the module's result, or None when it was killed; and whether the fault was met."""

    result: dict[str, t.Any] | None
    output: str
    hit: bool


def run_with(fault: Fault | None, options: dict[str, t.Any]) -> Injected:
    """Run tap_steering under strace."""
    with tempfile.TemporaryDirectory() as folder:
        log = Path(folder) / "calls"
        trace = ["-e", f"trace={','.join(CALLS)}"] + (["-e", fault.injection] if fault else [])
        wrapper = ["strace", "-f", "-qq", "-o", str(log), *trace]
        try:
            answer = module.answer("tap_steering", options, wrapper=wrapper)
            result, output = answer.result, answer.output
        except AssertionError as exc:
            result, output = None, str(exc)
        text = log.read_text(encoding="utf-8", errors="replace") if log.exists() else ""
    return Injected(result, output, fault is None or "(INJECTED)" in text or f"killed by {KILL}" in text)


def count_calls(options: dict[str, t.Any]) -> dict[str, int]:
    """How many of each call a clean run makes."""
    with tempfile.TemporaryDirectory() as folder:
        log = Path(folder) / "calls"
        wrapper = ["strace", "-f", "-qq", "-o", str(log), "-e", f"trace={','.join(CALLS)}"]
        module.answer("tap_steering", options, wrapper=wrapper)
        lines = log.read_text(encoding="utf-8", errors="replace").splitlines()
    names = [match.group(1) for match in (re.match(r"(?:\d+ +)?(\w+)\(", line) for line in lines) if match]
    return {call: names.count(call) for call in CALLS}


def faults(counts: dict[str, int], *, every: int = 1) -> t.Iterator[Fault]:
    """Each call once with one of its errors in turn, and once with death; ``every`` leaves out all but each n-th."""
    number_of_all = 0
    for call, count in counts.items():
        for number in range(1, count + 1):
            for error in (CALLS[call][number % len(CALLS[call])], KILL):
                if number_of_all % every == 0:
                    yield Fault(call, number, error)
                number_of_all += 1
