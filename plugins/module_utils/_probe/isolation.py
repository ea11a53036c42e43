# Copyright (c) 2026, virtnet.rss contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to the collection: runs a probe in a child process. A seccomp filter may kill it, it may enter a namespace and
# raise limits, and whatever it has opened ends with it: nothing of that is the module's.

from __future__ import annotations

import json
import os
import resource
import signal
import typing as t

from ansible_collections.virtnet.rss.plugins.module_utils._errors import VirtnetRssError
from ansible_collections.virtnet.rss.plugins.module_utils._probe.finding import UNKNOWN, Finding, judge

__all__ = ("Findings", "isolated")

Findings = t.Dict[str, Finding]


def isolated(lacking: t.Mapping[str, t.Sequence[str]], probe: t.Callable[[], Findings]) -> Findings:
    """The findings of ``probe`` for the features that are the keys of ``lacking``, whatever becomes of it.

    ``lacking`` has the capabilities that this process lacks for each feature, which tell what an error means.
    """
    reader, writer = os.pipe()
    with os.fdopen(reader, "rb") as answer:
        try:
            child = os.fork()
        except OSError as exc:
            os.close(writer)
            return {name: judge(exc) for name in lacking}
        if child == 0:
            _run_and_exit(writer, lacking, probe)
        os.close(writer)
        content = answer.read()
    _child, status = os.waitpid(child, 0)
    if not content:
        return dict.fromkeys(lacking, Finding(UNKNOWN, _how_it_ended(status)))
    return {name: Finding(*pair) for name, pair in json.loads(content).items()}


def _run_and_exit(writer: int, lacking: t.Mapping[str, t.Sequence[str]], probe: t.Callable[[], Findings]) -> t.NoReturn:
    # Not sys.exit: what runs at the end of a process belongs to the parent, its temporary files for example.
    try:
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        pairs = {name: (found.answer, found.sentence) for name, found in _findings(lacking, probe).items()}
        with os.fdopen(writer, "wb") as answer:
            answer.write(json.dumps(pairs).encode())
    finally:
        os._exit(0)


def _findings(lacking: t.Mapping[str, t.Sequence[str]], probe: t.Callable[[], Findings]) -> Findings:
    try:
        return probe()
    except (VirtnetRssError, OSError) as exc:
        return {name: judge(exc, missing) for name, missing in lacking.items()}
    except Exception as exc:  # a probe that is wrong tells nothing about the host, and must not keep the other facts
        return dict.fromkeys(lacking, Finding(UNKNOWN, f"the probe itself failed: {exc!r}"))


def _how_it_ended(status: int) -> str:
    number = os.WTERMSIG(status) if os.WIFSIGNALED(status) else 0
    if number == signal.SIGSYS:
        return "a seccomp filter kills a process that tries it"
    return f"the process that tried it was killed by signal {number}" if number else "the probe gave no answer"
