# SPDX-License-Identifier: GPL-3.0-or-later
"""A small part of `tests/robustness/run fuzz`: the same frames each time, beside QEMU 10's own program."""

from __future__ import annotations

from ansible_collections.virtnet.rss.tests.robustness.beside_qemu import CAUSES, beside_qemu
from ansible_collections.virtnet.rss.tests.support.qemu.image import qemu_10
from ansible_collections.virtnet.rss.tests.support.qemu.qemu_rss import rss_object

FRAMES = 20_000


def test_each_disagreement_has_a_known_cause() -> None:
    found = beside_qemu(rss_object(qemu_10()), 1, FRAMES)
    assert found.unexplained == []
    assert found.causes.keys() == CAUSES.keys(), "a cause that is never met excuses nothing"
    assert found.agreed > FRAMES / 2
