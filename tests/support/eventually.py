# SPDX-License-Identifier: GPL-3.0-or-later
"""Waiting for what another process or the kernel does in its own time."""

from __future__ import annotations

import time
import typing as t

__all__ = ("eventually", "settled")


def eventually(condition: t.Callable[[], t.Any], seconds: float = 5, *, told: str = "it did not happen") -> t.Any:
    """What the condition gives as soon as it is true; AssertionError with ``told`` when the time is over."""
    found = settled(condition, seconds)
    assert found, told
    return found


def settled(condition: t.Callable[[], t.Any], seconds: float) -> t.Any:
    """What the condition gives as soon as it is true, or when the time is over."""
    deadline = time.monotonic() + seconds
    while True:
        in_time, found = time.monotonic() < deadline, condition()
        if found or not in_time:
            return found
        time.sleep(0.01)
