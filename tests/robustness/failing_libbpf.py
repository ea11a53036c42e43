# SPDX-License-Identifier: GPL-3.0-or-later
"""`-m ….failing_libbpf LOG CALL NUMBER ERROR PYTHON -m ….run_module NAME` runs a module as
tests/support/run_module.py does, and has the NUMBER-th call of one of libbpf's functions fail, as libbpf 1.x tells a
failure, or kills the process there. Writes all calls into LOG, as strace would.

It stands between our binding and the library: what the binding makes of a failure is what is tested.
"""

from __future__ import annotations

import ctypes
import errno
import os
import runpy
import signal
import sys
import typing as t
from pathlib import Path

from ansible_collections.virtnet.rss.plugins.module_utils._bpf import libbpf

DEATH, DEATH_AFTER = "SIGKILL", "SIGKILL after it"
# What has no result cannot fail, and what only asks for the library's name is no step of the work.
NO_STEPS = ("bpf_object__close", "bpf_link__destroy", "libbpf_set_print", "libbpf_version_string")


class FailingLibrary:
    """A libbpf in which one call fails."""

    def __init__(self, library: ctypes.CDLL, log: t.TextIO, call: str, number: int, error: str) -> None:
        self._library = library
        self._log = log
        self._fault = (call, number)
        self._error = error
        self._numbers: dict[str, int] = {}

    def __getattr__(self, name: str) -> t.Any:
        function = getattr(self._library, name)
        return function if name in NO_STEPS else lambda *arguments: self._call(name, function, arguments)

    def _call(self, name: str, function: t.Any, arguments: tuple[t.Any, ...]) -> t.Any:
        self._numbers[name] = self._numbers.get(name, 0) + 1
        if (name, self._numbers[name]) != self._fault:
            self._say(f"{name}()")
            return function(*arguments)
        if self._error == DEATH_AFTER:
            function(*arguments)
        if self._error in (DEATH, DEATH_AFTER):
            self._say(f"{name}() killed by SIGKILL")
            os.kill(os.getpid(), signal.SIGKILL)
        self._say(f"{name}() (INJECTED)")
        number = int(self._error) if self._error.isdigit() else getattr(errno, self._error)
        ctypes.set_errno(number)
        return None if function.restype is ctypes.c_void_p else -number

    def _say(self, line: str) -> None:
        print(line, file=self._log, flush=True)


def main(log: str, call: str, number: str, error: str, _python: str, _switch: str, program: str, *words: str) -> None:
    load = libbpf.Libbpf.__init__
    # For all of the process: some calls come at its very end.
    stream = Path(log).open("w", encoding="ascii")  # noqa: SIM115  # pylint: disable=consider-using-with

    def load_failing(self: libbpf.Libbpf, library: ctypes.CDLL, name: str) -> None:
        load(self, library, name)
        self._library = FailingLibrary(self._library, stream, call, int(number), error)  # type: ignore[assignment]

    libbpf.Libbpf.__init__ = load_failing  # type: ignore[method-assign]
    sys.argv = [program, *words]
    runpy.run_module(program, run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
