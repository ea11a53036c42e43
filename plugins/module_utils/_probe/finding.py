# Copyright (c) 2026, virtnet.rss contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to the collection: what a probe found out, and what an error that it met says.

from __future__ import annotations

import errno
import typing as t
from dataclasses import dataclass

from ansible_collections.virtnet.rss.plugins.module_utils._errors import CapabilityError, VerifierError, VirtnetRssError

__all__ = ("NO", "UNKNOWN", "YES", "Finding", "judge")

YES, NO, UNKNOWN = "yes", "no", "unknown"
REFUSED = (errno.EPERM, errno.EACCES)
# They tell of this moment, not of the kernel.
PASSING = (errno.EAGAIN, errno.EINTR, errno.EMFILE, errno.ENFILE, errno.ENOMEM)


@dataclass(frozen=True)
class Finding:
    """The answer of a probe, and one sentence that says what it rests on."""

    answer: str
    sentence: str


def judge(error: VirtnetRssError | OSError, lacking: t.Sequence[str] = ()) -> Finding:
    """What an error says about the kernel, met by a process without the capabilities in ``lacking``.

    No is only what the kernel itself denies. A refusal tells that this process may not, so it leaves the answer open.
    """
    text = _text(error)
    if isinstance(error, CapabilityError):
        return Finding(UNKNOWN, text)
    if error.errno == errno.ENOSYS:
        return Finding(NO, f"{text}: the kernel, or a seccomp filter in its place, knows no such call")
    if lacking:
        return Finding(UNKNOWN, f"{text}; this process lacks {', '.join(lacking)}")
    if isinstance(error, VerifierError):
        return Finding(NO, text)
    if error.errno in REFUSED:
        return Finding(
            UNKNOWN,
            f"{text}, although this process has the capabilities: a seccomp filter, a security module or a user "
            "namespace forbids it",
        )
    return Finding(UNKNOWN if error.errno in PASSING else NO, text)


def _text(error: VirtnetRssError | OSError) -> str:
    if isinstance(error, OSError):
        what = f"{error.filename}: " if error.filename else ""
        return f"{what}{error.strerror or error}"
    return str(error)
