# Copyright (c) 2026, virtnet.rss contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to the collection: functions of the C library that Python does not offer.

from __future__ import annotations

import ctypes
import functools
import os
import typing as t

__all__ = ("CLONE_NEWNET", "CLONE_NEWUSER", "c_call")

CLONE_NEWUSER, CLONE_NEWNET = 0x10000000, 0x40000000  # include/uapi/linux/sched.h


def c_call(name: str, *arguments: int) -> int:
    """A function that takes whole numbers and gives one that fits an int; OSError with its errno for a negative one."""
    result: int = _function(name, len(arguments))(*arguments)
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
    return result


@functools.lru_cache(maxsize=None)
def _function(name: str, count: int) -> t.Callable[..., int]:
    """A new one each time: syscall() takes any number of arguments."""
    function: t.Any = getattr(ctypes.CDLL(None, use_errno=True), name)
    function.argtypes, function.restype = (ctypes.c_long,) * count, ctypes.c_int
    return t.cast("t.Callable[..., int]", function)
