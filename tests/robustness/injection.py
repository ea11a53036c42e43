# SPDX-License-Identifier: GPL-3.0-or-later
"""Where the work of a module can break: real system calls that strace has fail, and libbpf's calls that
failing_libbpf.py has fail; and the process may be killed at each.

A step is a call that is not the same as the one before it. Of a run of the same calls (a hundred test vectors, one
counter after the other) the first and the last are taken: what is between breaks as they do.
"""

from __future__ import annotations

import itertools
import re
import tempfile
import typing as t
from dataclasses import dataclass
from pathlib import Path

from ansible_collections.virtnet.rss.tests.support import run_module

__all__ = ("Fault", "Injected", "faults", "run_with")

DEATH = "SIGKILL"
DEATH_AFTER = "SIGKILL after it"
# What the work does to the kernel, and errors that the manuals list for it; the end of the process can only be death.
SYSTEM_CALLS: dict[str, tuple[str, ...]] = {
    "bpf": ("EPERM", "EINVAL", "ENOMEM", "E2BIG", "EACCES", "EAGAIN", "EMFILE", "EBUSY", "EFAULT", "ENOENT"),
    "ioctl": ("EPERM", "EINVAL", "EBADFD", "ENODEV", "ENOMEM", "EBADF", "EFAULT", "EBUSY"),
    "pidfd_open": ("EINVAL", "ESRCH", "EMFILE", "ENFILE", "ENODEV", "ENOMEM"),
    "pidfd_getfd": ("EPERM", "EBADF", "ESRCH", "EMFILE", "ENFILE", "EINVAL"),
    "flock": ("EINTR", "ENOLCK", "EBADF", "EINVAL", "EWOULDBLOCK"),
    "sendto": ("ENOBUFS", "ENOMEM", "EINTR", "EPERM"),
    "recvfrom": ("ENOBUFS", "ENOMEM", "EINTR", "EAGAIN"),
    "socket": ("EMFILE", "ENFILE", "ENOMEM", "EACCES", "ENOBUFS"),
    "exit_group": (),
}
# Python's own: it asks every file that it opens whether it is a terminal, and glibc asks nscd for names.
NOT_OURS = ("TCGETS", "FIOCLEX", "AF_UNIX")
COMMAND = re.compile(r"(?:\d+ +)?(?P<call>\w+)\((?:\d+, )?(?P<command>[A-Z]\w+)?")
# By the beginning of the name: what libbpf's functions may give, its own errors among them (enum libbpf_errno).
LIBBPF_CALLS: dict[str, tuple[str, ...]] = {
    "bpf_object__open": ("ENOMEM", "EINVAL", "4000", "4001", "4003"),
    "bpf_object__find": ("ENOENT", "EINVAL"),
    "bpf_object__load": ("EPERM", "EINVAL", "ENOMEM", "E2BIG", "EACCES", "EMFILE", "4005", "4007"),
    "bpf_map__": ("EINVAL", "ENOMEM", "EBUSY", "EACCES"),
    "bpf_program__": ("EINVAL", "ENOENT", "ENOMEM", "EPERM"),
    "bpf_link__": ("EINVAL",),
    "libbpf_num_possible_cpus": ("EINVAL", "ENOENT"),
    "bpf_": SYSTEM_CALLS["bpf"],
}
FAILING_LIBBPF = f"{run_module.COLLECTION}.tests.robustness.failing_libbpf"


@dataclass(frozen=True)
class Fault:
    """The ``number``-th call of ``call``, counted from 1, fails with ``error``, or ends the process."""

    layer: str  # "kernel" or "libbpf"
    call: str
    number: int
    error: str

    def __str__(self) -> str:
        return f"{self.call} {self.number} {self.error}"

    @property
    def kills(self) -> bool:
        return self.error in (DEATH, DEATH_AFTER)


@dataclass(frozen=True)
class Injected:
    """What came of a run: the module's result, or None when it was killed; and whether the fault was met."""

    result: dict[str, t.Any] | None
    output: str
    hit: bool


def run_with(fault: Fault, options: dict[str, t.Any]) -> Injected:
    """Run tap_steering with it."""
    with tempfile.TemporaryDirectory() as folder:
        log = Path(folder) / "calls"
        try:
            answer = run_module.answer("tap_steering", options, wrapper=_wrapper(fault.layer, log, fault))
            result, output = answer.result, answer.output
        except AssertionError as exc:
            result, output = None, str(exc)
        text = _text(log)
    return Injected(result, output, "(INJECTED)" in text or f"killed by {DEATH}" in text)


def faults(options: dict[str, t.Any], begin: t.Callable[[], None], *, every: int = 1) -> list[Fault]:
    """Every step of the work with each of its errors, and with death; ``every`` leaves out all but each n-th fault.

    ``begin`` makes the beginning of the work, which is done once for each layer to learn its steps.
    """
    return list(itertools.islice(_all_faults(options, begin), 0, None, every))


def _all_faults(options: dict[str, t.Any], begin: t.Callable[[], None]) -> t.Iterator[Fault]:
    for layer in ("kernel", "libbpf"):
        begin()
        with tempfile.TemporaryDirectory() as folder:
            log = Path(folder) / "calls"
            run_module.answer("tap_steering", options, wrapper=_wrapper(layer, log))
            lines = _text(log).splitlines()
        for call, number in _steps(lines):
            for error in _errors(layer, call):
                yield Fault(layer, call, number, error)


def _steps(lines: t.Iterable[str]) -> t.Iterator[tuple[str, int]]:
    """The calls that are steps, each with its number among the calls of its name."""
    numbers: dict[str, int] = {}
    calls = []
    for line in lines:
        found = COMMAND.match(line)
        if found:
            call, command = found["call"], found["command"]
            numbers[call] = numbers.get(call, 0) + 1
            if command not in NOT_OURS:
                calls.append(((call, command), numbers[call]))
    for (call, _command), same in itertools.groupby(calls, key=lambda each: each[0]):
        of_the_run = [number for _call, number in same]
        for number in sorted({of_the_run[0], of_the_run[-1]}):
            yield call, number


def _errors(layer: str, call: str) -> tuple[str, ...]:
    if layer == "kernel":
        return (*SYSTEM_CALLS[call], DEATH)
    listed = next((errors for name, errors in LIBBPF_CALLS.items() if call.startswith(name)), ())
    return (*listed, DEATH, DEATH_AFTER)


def _wrapper(layer: str, log: Path, fault: Fault | None = None) -> list[str]:
    """The command in front of the module's that logs its calls, and has one of them fail."""
    if layer == "libbpf":
        where = [fault.call, str(fault.number), fault.error] if fault else ["", "0", ""]
        return [run_module.PYTHON, "-m", FAILING_LIBBPF, str(log), *where]
    what = ["-e", f"trace={','.join(SYSTEM_CALLS)}"]
    if fault:
        how = f"signal={DEATH}" if fault.kills else f"error={fault.error}"
        what += ["-e", f"inject={fault.call}:{how}:when={fault.number}"]
    return ["strace", "-f", "-qq", "-o", str(log), *what]


def _text(log: Path) -> str:
    return log.read_text(encoding="utf-8", errors="replace") if log.exists() else ""
