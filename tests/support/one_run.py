# SPDX-License-Identifier: GPL-3.0-or-later
"""A loaded program on one frame, without a device (BPF_PROG_TEST_RUN)."""

from __future__ import annotations

import ctypes

from ansible_collections.virtnet.rss.plugins.module_utils._bpf.libbpf import TestRunOptions, load_libbpf

__all__ = ("answer",)


def answer(descriptor: int, data: bytes, repeat: int = 1) -> tuple[int, int]:
    """What the program returns, and the mean time of a run in nanoseconds. Of ``data`` it gets what is behind the first
    14 bytes, which it can still read as the MAC header; ObjectError EINVAL where that is nothing."""
    options = TestRunOptions(
        size=ctypes.sizeof(TestRunOptions),
        data_in=ctypes.cast(ctypes.c_char_p(data), ctypes.c_void_p),
        data_size_in=len(data),
        repeat=repeat,
    )
    load_libbpf().call("bpf_prog_test_run_opts", descriptor, ctypes.byref(options))
    return int(options.retval), int(options.duration)
