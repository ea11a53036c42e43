# SPDX-License-Identifier: GPL-3.0-or-later
"""`tools/checks [PHASE]...`: run these phases and sum up; `test`, the default, stands for those of `make test`."""

from __future__ import annotations

import sys
import time
import typing as t

import paths
from phases import MORE, PHASES
from prepare import setup
from runner import Runner

SHOWN_LINES = 200


class Result(t.NamedTuple):
    phase: str
    passed: bool
    seconds: float
    not_run: list[str]


def main(names: list[str]) -> int:
    phases = {**PHASES, **MORE}
    if unknown := [name for name in names if name not in (*phases, "setup", "test")]:
        print(f"no such phase: {', '.join(unknown)}; there are: test setup {' '.join(phases)}", file=sys.stderr)
        return 2
    wanted = [phase for name in names or ["test"] for phase in (PHASES if name == "test" else [name])]
    paths.LOGS.mkdir(parents=True, exist_ok=True)
    results = [_one("setup", setup)]
    if results[0].passed:
        results += [_one(name, phases[name]) for name in wanted if name != "setup"]
    _summary(results)
    return 0 if all(result.passed for result in results) else 1


def _one(name: str, phase: t.Callable[[Runner], None]) -> Result:
    begin = time.monotonic()
    path = paths.LOGS / f"{name}.log"
    with path.open("wb") as log:
        run = Runner(log)
        phase(run)
    result = Result(name, not run.failures, time.monotonic() - begin, run.not_run)
    print(_line(result), flush=True)
    if run.failures:
        print(*path.read_text(errors="replace").splitlines()[-SHOWN_LINES:], sep="\n")
        for failure in run.failures:
            print(f"{name}: {failure}")
        print(f"{name}: the whole output is in {path.relative_to(paths.ROOT)}", flush=True)
    return result


def _line(result: Result) -> str:
    return f"{result.phase:12} {'passed' if result.passed else 'FAILED'} {result.seconds:6.0f} s"


def _summary(results: list[Result]) -> None:
    print()
    for result in results:
        print(_line(result))
    print(f"{'in all':12}        {sum(result.seconds for result in results):6.0f} s")
    for reason in dict.fromkeys(reason for result in results for reason in result.not_run):
        print(f"not run: {reason}")
    passed = sum(result.passed for result in results)
    print(f"{passed} passed, {len(results) - passed} failed")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
