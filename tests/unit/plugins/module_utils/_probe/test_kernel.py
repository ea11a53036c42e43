# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import os

import pytest

from ansible_collections.virtnet.rss.plugins.module_utils._probe.kernel import Kernel, parse_release, running_kernel

RELEASES = [
    ("6.18.44", (6, 18, 44), True),
    ("5.10.0-28-amd64", (5, 10, 0), True),
    ("5.14.0-427.13.1.el9_4.x86_64", (5, 14, 0), True),
    ("6.1-rc3", (6, 1), True),
    ("6.11-amd64", (6, 11), True),
    ("5.8", (5, 8), True),
    ("5.8.0", (5, 8, 0), True),
    ("5.7.19", (5, 7, 19), False),
    ("5.4.0-200-generic", (5, 4, 0), False),
    ("4.18.0-553.el8_10.x86_64", (4, 18, 0), False),
    ("2.6.78", (2, 6, 78), False),
    ("10.0.1", (10, 0, 1), True),
    ("5", (), False),
    ("unknown", (), False),
    ("", (), False),
]


@pytest.mark.parametrize(("release", "numbers", "meets"), RELEASES)
def test_release(release: str, numbers: tuple[int, ...], meets: bool) -> None:
    kernel = Kernel(release)
    assert parse_release(release) == numbers
    assert kernel.version == ".".join(map(str, numbers))
    assert kernel.meets_minimum is meets


def test_running_kernel() -> None:
    assert running_kernel().release == os.uname().release
