# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import errno
import os
import typing as t

import pytest

from ansible_collections.virtnet.rss.plugins.module_utils._bpf import holder_search


def reads(answers: list[bytes | int]) -> t.Callable[[int, int], bytes]:
    """What the kernel says, one answer for each read: bytes, or an errno."""

    def read(_descriptor: int, _size: int) -> bytes:
        answer = answers.pop(0)
        if isinstance(answer, int):
            raise OSError(answer, os.strerror(answer))
        return answer

    return read


def test_a_read_that_a_million_open_files_break_off_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "read", reads([errno.EAGAIN, errno.EAGAIN, b"record", errno.EAGAIN, b""]))
    assert (holder_search._read(3), holder_search._read(3)) == (b"record", b"")


@pytest.mark.parametrize("answers", [[errno.EACCES], [errno.EAGAIN] * 2000])
def test_another_error_or_no_end_is_an_error(monkeypatch: pytest.MonkeyPatch, answers: list[int]) -> None:
    monkeypatch.setattr(os, "read", reads([*answers]))
    with pytest.raises(OSError, match=os.strerror(answers[0])):
        holder_search._read(3)
