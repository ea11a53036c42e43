# Copyright (c) 2026, virtnet.rss contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The service's rounds, with devices that are made up; tests/service/test_balance.py has real ones."""

from __future__ import annotations

import math
import sys
import typing as t
from dataclasses import dataclass, field, replace

import pytest

from ansible_collections.virtnet.rss.plugins.module_utils._balance.options import Rebalance
from ansible_collections.virtnet.rss.plugins.module_utils._bpf.live_table import LiveMaps, Packets, Placement
from ansible_collections.virtnet.rss.plugins.module_utils._errors import ObjectError
from ansible_collections.virtnet.rss.plugins.module_utils._look.balance import Reading
from ansible_collections.virtnet.rss.plugins.module_utils._policy.rules import Match, Rule
from ansible_collections.virtnet.rss.plugins.module_utils._program.model import AttachedProgram, Configuration, Guard
from ansible_collections.virtnet.rss.plugins.module_utils._program.programs import Described
from ansible_collections.virtnet.rss.plugins.module_utils._rss.config import RssConfig
from ansible_collections.virtnet.rss.plugins.module_utils._service import balancing
from ansible_collections.virtnet.rss.plugins.module_utils._service.balancing import Balancing
from ansible_collections.virtnet.rss.plugins.module_utils._service.reconcile import Result
from ansible_collections.virtnet.rss.plugins.module_utils._steering.model import STEERED, Desired, Device
from ansible_collections.virtnet.rss.plugins.module_utils._tun.device_id import DeviceId
from ansible_collections.virtnet.rss.plugins.module_utils._tun.netns import Namespace

HERE = Namespace(1, "/proc/self/ns/net")
CONFIGURATION = Configuration(RssConfig(bytes(40), 0x3F, (0, 1, 2, 3) * 16), guard=Guard(8, 1000))
UNEVEN = [9000 if entry % 4 == 0 else 1000 for entry in range(64)]
LIVE = Desired(rebalance=Rebalance())


@dataclass
class Kernel:
    """Programs by id: what their entries have carried, and where these are."""

    now: float = 100.0
    packets: dict[int, list[int]] = field(default_factory=dict)
    tables: dict[int, bytearray] = field(default_factory=dict)
    broken: set[int] = field(default_factory=set)
    moves: list[dict[int, int]] = field(default_factory=list)

    def load(self, program: int) -> None:
        self.packets[program], self.tables[program] = (
            [0] * 512,
            bytearray(CONFIGURATION.rss.indirection).ljust(512, b"\0"),
        )

    def pass_time(self, seconds: float, carried: t.Sequence[int] = UNEVEN) -> None:
        self.now += seconds
        for packets in self.packets.values():
            for entry, count in enumerate(carried):
                packets[entry] += count

    def describe(self, _libbpf: object, number: int) -> Described | None:
        if number not in self.tables:
            return None
        maps = LiveMaps(number, number)
        return Described(AttachedProgram(number, "virtnet_rss", "", configuration=CONFIGURATION, live=maps))

    def read(self, _libbpf: object, program: AttachedProgram) -> Reading | None:
        if program.id in self.broken:
            raise ObjectError("no memory", errno=12)
        if program.id not in self.tables:
            return None
        packets = b"".join(count.to_bytes(8, sys.byteorder) for count in self.packets[program.id])
        table = bytes(self.tables[program.id])
        return Reading(Packets(int.from_bytes(packets, sys.byteorder)), (), Placement(table, table))

    def move(self, _libbpf: object, maps: LiveMaps, moves: dict[int, int]) -> bool:
        if maps.table not in self.tables:
            return False
        self.moves.append(dict(moves))
        for entry, queue in moves.items():
            self.tables[maps.table][entry] = queue
        return True


@pytest.fixture
def kernel(monkeypatch: pytest.MonkeyPatch) -> Kernel:
    made = Kernel()
    monkeypatch.setattr(balancing, "load_libbpf", lambda: None)
    monkeypatch.setattr(balancing, "describe", made.describe)
    monkeypatch.setattr(balancing, "read_load", made.read)
    monkeypatch.setattr(balancing, "move_entries", made.move)
    return made


def result(program: int = 5, *, ifindex: int = 7, desired: Desired = LIVE, queues: int = 4) -> Result:
    # as it is after an attachment: nobody has looked at its maps yet
    attached = AttachedProgram(program, "virtnet_rss", "", configuration=CONFIGURATION)
    device = Device(f"tap{ifindex}", DeviceId(1, ifindex), 0, queues=queues, state=STEERED, program=attached)
    return Result(HERE, device, Rule("guests", Match(), desired))


def followed(kernel: Kernel, *results: Result) -> Balancing:
    made = Balancing(lambda: kernel.now)
    follow(made, *results)
    return made


def follow(of: Balancing, *results: Result) -> None:
    of.follow({each.device.id: each for each in results})


def test_the_first_round_looks_and_the_second_moves(kernel: Kernel, capsys: pytest.CaptureFixture[str]) -> None:
    kernel.load(5)
    made = followed(kernel, result())
    assert made.due_in() == 0 and made.turn() is False and made.due_in() == 1
    kernel.pass_time(1)
    assert made.due_in() == 0 and made.turn() is True
    ((_inode, _ifindex, told),) = made.report()
    assert told["moves"] == len(kernel.moves[0]) > 0 and told["last"][1] < told["last"][0]
    assert capsys.readouterr().out.startswith(
        f"balance: {told['moves']} entries moved; the busiest queue over its share: tap7"
    )


def test_nothing_is_balanced_that_no_rule_asks_for(kernel: Kernel) -> None:
    kernel.load(5)
    fixed = result()
    assert fixed.device.program
    plain = replace(fixed.device.program, configuration=replace(CONFIGURATION, guard=None))
    others = [
        result(desired=Desired()),
        replace(result(), rule=None),
        replace(fixed, device=fixed.device._replace(program=plain)),
        replace(fixed, device=fixed.device._replace(program=None)),
    ]
    for each in others:
        made = followed(kernel, each)
        assert made.due_in() == math.inf and made.report() == [] and made.turn() is False


def test_a_dry_run_writes_nothing(kernel: Kernel) -> None:
    kernel.load(5)
    made = followed(kernel, result(desired=Desired(rebalance=Rebalance(dry_run=True))))
    for _round in range(5):
        made.turn()
        kernel.pass_time(20)
    assert kernel.moves == []
    assert made.report()[0][2]["planned"] > 0 and made.report()[0][2]["moves"] == 0


def test_another_program_begins_anew(kernel: Kernel) -> None:
    kernel.load(5)
    made = followed(kernel, result())
    made.turn()
    del kernel.tables[5], kernel.packets[5]
    kernel.load(6)
    kernel.pass_time(1)
    assert made.turn() is False and made.trouble == ""  # gone, and no look has told it yet
    follow(made, result(6))
    assert made.turn() is False and kernel.moves == []
    kernel.pass_time(1)
    assert made.turn() is True and made.report()[0][2]["moves"] == len(kernel.moves[0])


def test_replaced_in_the_middle_of_a_round(kernel: Kernel, monkeypatch: pytest.MonkeyPatch) -> None:
    kernel.load(5)
    made = followed(kernel, result())
    made.turn()
    kernel.pass_time(1)
    monkeypatch.setattr(balancing, "move_entries", lambda *_arguments: False)
    assert made.turn() is False and made.trouble == ""


def test_a_device_that_fails_costs_no_other_one_its_round(kernel: Kernel) -> None:
    kernel.load(5)
    kernel.load(6)
    kernel.broken = {5}
    made = followed(kernel, result(5), result(6, ifindex=8))
    made.turn()
    kernel.pass_time(1)
    assert made.turn() is True
    assert made.trouble == "tap7 is not balanced: no memory"
    assert made.due_in() > 0
    kernel.broken = set()
    kernel.pass_time(8)
    made.turn()
    assert made.trouble == ""


def test_fewer_queues_get_numbers_that_the_driver_takes_for_them(kernel: Kernel) -> None:
    kernel.load(5)
    made = followed(kernel, result(queues=2))
    made.turn()
    kernel.pass_time(1)
    assert made.turn() is True
    assert {queue for moves in kernel.moves for queue in moves.values()} <= {0, 1}


def test_one_queue_has_nothing_to_balance(kernel: Kernel) -> None:
    kernel.load(5)
    made = followed(kernel, result(queues=1))
    for _round in range(3):
        assert made.turn() is False
        kernel.pass_time(10)
    assert kernel.moves == []
