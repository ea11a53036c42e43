# Copyright (c) 2026, virtnet.rss contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to the collection: makes one telling sentence of a verifier's log.

from __future__ import annotations

import re

__all__ = ("summarise", "verifier_log")

# libbpf before 0.7, and since.
_BEGIN = re.compile(r"-- BEGIN (?:DUMP LOG|PROG LOAD LOG) ---?\n")
_END = "-- END"
# A branch that the verifier follows; what comes next may stand in the same line.
_BRANCH = re.compile(r"^\d+: \([0-9a-f]{2}\) if .*? goto pc[+-]\d+ *")
# Lines that every log ends with, or that show state instead of a cause.
_NOISE = re.compile(
    r"^(processed \d+ insns|verification time|stack depth|peak_states|mark_precise|last_idx|regs=|parent |"
    r"from \d+ to \d+|\d+: (R\d|safe|\()|;|R\d+[_=]|frame\d+: |(old|cur) state: |"
    r"(returning from )?calle[re]:|to caller at|\.\.\. |$)"
)


def verifier_log(messages: list[str]) -> str:
    """The verifier's log inside libbpf's warnings; empty when the kernel gave none."""
    text = "".join(messages)
    begin = _BEGIN.search(text)
    if not begin:
        return ""
    log = text[begin.end() :].partition(_END)[0]
    # libbpf before 0.7 puts its name in front of every piece that it prints.
    return "\n".join(line for line in log.splitlines() if line.strip() not in ("", "libbpf:"))


def summarise(log: str) -> str:
    """The line that says why, and how many lines were left out; empty for a log that does not say why.

    ``!root`` in it is the verifier's word for a process without CAP_PERFMON.
    """
    lines = [_BRANCH.sub("", line.strip()) for line in log.splitlines()]
    telling = next((line for line in reversed(lines) if not _NOISE.match(line)), "")
    hint = "; CAP_PERFMON is missing" if "!root" in telling else ""
    return f"{telling} ({len(lines) - 1} more lines in the log{hint})" if telling else ""
