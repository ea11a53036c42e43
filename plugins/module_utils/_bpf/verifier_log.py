# Copyright (c) 2026, virtnet.rss contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to the collection: makes one telling sentence of a verifier's log.

from __future__ import annotations

import re

__all__ = ("summarise", "verifier_log")

_LOG = re.compile(r"-- BEGIN (?:DUMP LOG|PROG LOAD LOG) ---?\n(.*?)(?:-- END|\Z)", re.DOTALL)
# Lines that every log ends with, or that show state instead of a cause.
_NOISE = re.compile(
    r"^(processed \d+ insns|verification time|stack depth|peak_states|mark_precise|last_idx|regs=|"
    r"parent |from \d+ to \d+|\d+: (R\d|safe|\()|; |R\d[_=]|\s*$|libbpf: --)"
)


def verifier_log(messages: list[str]) -> str:
    """The verifier's log inside libbpf's warnings; empty when the kernel gave none."""
    text = "".join(messages)
    match = _LOG.search(text.replace("libbpf: \n", ""))
    return match.group(1).strip() if match else ""


def summarise(log: str) -> str:
    """The line that says why, and how many lines were left out; empty for an empty log."""
    lines = [line.strip() for line in log.splitlines() if line.strip()]
    if not lines:
        return ""
    telling = next((line for line in reversed(lines) if not _NOISE.match(line)), lines[-1])
    return f"{telling} ({len(lines) - 1} more lines in the log)"
