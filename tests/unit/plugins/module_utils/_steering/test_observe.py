# Copyright (c) 2026, virtnet.rss contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What steers a device where the kernel does not tell it (no BTF): inferred of the programs that are loaded."""

from __future__ import annotations

import pytest

from ansible_collections.virtnet.rss.plugins.module_utils._program.model import AttachedProgram
from ansible_collections.virtnet.rss.plugins.module_utils._program.programs import OURS, Described
from ansible_collections.virtnet.rss.plugins.module_utils._program.rodata import Identity
from ansible_collections.virtnet.rss.plugins.module_utils._steering.model import AUTOMATIC, STEERED, UNKNOWN, Device
from ansible_collections.virtnet.rss.plugins.module_utils._steering.observe import Evidence, _infer
from ansible_collections.virtnet.rss.plugins.module_utils._tun.device_id import DeviceId

HERE, ELSEWHERE = DeviceId(1, 7), DeviceId(2, 7)
DEVICE = Device("tap0", HERE, 0x1102, queues=4)


def ours(number: int, device: DeviceId, load_time: int = 0) -> Described:
    program = AttachedProgram(number, "tun_steering", "0" * 16, load_time=load_time, owner=OURS)
    return Described(program, Identity("tap0", device))


def others(number: int, name: str) -> Described:
    return Described(AttachedProgram(number, name, "0" * 16), None)


def evidence(*found: Described) -> Evidence:
    return Evidence(programs={each.program.id: each for each in found})


@pytest.mark.parametrize(
    ("loaded", "state", "program"),
    [
        ((), AUTOMATIC, None),
        ((ours(1, HERE),), STEERED, 1),
        ((ours(1, HERE), others(2, "web")), STEERED, 1),
        ((ours(2, HERE, load_time=5), ours(1, HERE, load_time=9)), STEERED, 1),  # the one that was loaded last
        ((ours(1, DeviceId(1, 8)),), AUTOMATIC, None),  # of another device
        ((ours(1, ELSEWHERE),), UNKNOWN, None),  # the device may have been moved here
        ((others(1, "web"),), UNKNOWN, None),
    ],
)
def test_what_the_loaded_programs_tell(loaded: tuple[Described, ...], state: str, program: int | None) -> None:
    found = _infer(DEVICE, evidence(*loaded))
    assert (found.state, found.program and found.program.id) == (state, program)


def test_foreign_programs_are_named() -> None:
    found = _infer(DEVICE, evidence(others(1, "web"), others(2, "")))
    assert "2 foreign socket filters are loaded (no name, web)" in found.reason


def test_where_nothing_can_be_read() -> None:
    found = _infer(DEVICE, Evidence(reason="no libbpf"))
    assert (found.state, found.reason, found.program) == (UNKNOWN, "no libbpf", None)
