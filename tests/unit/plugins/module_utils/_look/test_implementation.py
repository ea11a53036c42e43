# SPDX-License-Identifier: GPL-3.0-or-later
"""The table in QEMU's docs/devel/ebpf_rss.rst, and what it does not say."""

from __future__ import annotations

import errno

import pytest

from ansible_collections.virtnet.rss.plugins.module_utils._errors import DeviceError, StateError
from ansible_collections.virtnet.rss.plugins.module_utils._look import implementation
from ansible_collections.virtnet.rss.plugins.module_utils._look.implementation import Guests, Traces, decide
from ansible_collections.virtnet.rss.plugins.module_utils._look.qemu import Guest, Nic
from ansible_collections.virtnet.rss.plugins.module_utils._program.model import AttachedProgram
from ansible_collections.virtnet.rss.plugins.module_utils._steering.model import (
    AUTOMATIC,
    FOREIGN,
    STEERED,
    UNKNOWN,
    Device,
)
from ansible_collections.virtnet.rss.plugins.module_utils._tun.device_id import DeviceId
from ansible_collections.virtnet.rss.plugins.module_utils._tun.holders import Holder

PLAIN = Device("tap0", DeviceId(1, 7), 0x1102, queues=4)
DEVICES = {
    "nothing": PLAIN._replace(state=AUTOMATIC),
    "ours": PLAIN._replace(state=STEERED, program=AttachedProgram(1, "virtnet_rss", "t", owner="virtnet.rss")),
    "qemu's": PLAIN._replace(state=FOREIGN, program=AttachedProgram(2, "tun_rss_steerin", "t", owner="qemu")),
    "unknown": PLAIN._replace(state=UNKNOWN, reason="bpf() is refused"),
}
# vhost  rss   hash   QEMU has a program, header | attached -> who decides
ROWS = """
  off    off   off    no   12 | nothing automatic, ours ebpf, unknown unknown
  off    off   on     no   20 | nothing automatic, ours ebpf
  on     off   off    no   12 | nothing automatic, ours ebpf
  off    on    off    yes  12 | nothing automatic, ours ebpf, qemu's ebpf
  off    on    off    no   12 | nothing unknown, ours unknown
  off    on    off    no   10 | nothing automatic, ours ebpf
  off    on    off    yes  ?  | nothing automatic, ours ebpf
  on     on    off    no   12 | nothing automatic, ours ebpf
  on     on    off    yes  12 | nothing automatic, ours ebpf, qemu's ebpf
  off    on    on     yes  20 | nothing unknown, ours unknown, qemu's ebpf
  off    on    on     yes  ?  | nothing unknown, ours unknown
  off    on    on     yes  12 | nothing automatic, ours ebpf, qemu's ebpf
  off    on    on     no   20 | nothing unknown, ours unknown
  on     on    on     yes  12 | nothing automatic, ours ebpf, qemu's ebpf
  off    ?     off    no   12 | nothing unknown, ours unknown
"""
SWITCH = {"on": True, "off": False, "yes": True, "no": False, "?": None}
CASES = [
    (*line.partition("|")[0].split(), *answer.rsplit(" ", 1))
    for line in ROWS.strip().splitlines()
    for answer in line.partition("|")[2].strip().split(", ")
]


@pytest.mark.parametrize(("vhost", "rss", "hash_", "loaded", "header", "attached", "decides"), CASES)
def test_the_table(vhost: str, rss: str, hash_: str, loaded: str, header: str, attached: str, decides: str) -> None:
    nic = Nic(0, vhost=SWITCH[vhost], rss=SWITCH[rss], hash=SWITCH[hash_])
    found = decide(
        DEVICES[attached], nic, Traces(SWITCH[vhost], SWITCH[loaded], int(header) if header != "?" else None)
    )
    assert found.decides == decides
    assert (found.vhost, found.rss, found.hash) == (nic.vhost, nic.rss, nic.hash)
    assert found.reason or decides != "unknown"


def test_vhost_that_could_not_be_opened() -> None:
    """QEMU was told vhost=on and carries the packets itself all the same."""
    nic = Nic(0, vhost=True, rss=True)
    found = decide(DEVICES["ours"], nic, Traces(vhost=False, program=False, header=12))
    assert (found.decides, found.vhost) == ("unknown", False)
    assert "sorts its packets again" in found.reason


def test_files_that_cannot_be_looked_at() -> None:
    found = decide(DEVICES["ours"], Nic(0, vhost=True, rss=True), Traces())
    assert (found.decides, found.vhost) == ("ebpf", True)


def test_one_queue() -> None:
    """The driver does not ask the program then."""
    single = DEVICES["ours"]._replace(queues=1)
    assert "one queue" in decide(single, Nic(0), Traces()).reason


class Reads:
    """What is read of processes, which call themselves what they like."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.names = {10: "web-1"}
        self.count = 0
        monkeypatch.setattr(implementation, "read_guest", self._read)

    def _read(self, pid: int, _arguments: object) -> Guest | None:
        self.count += 1
        if self.names[pid] == "makes us wait":
            raise DeviceError("it takes too long", errno=errno.ETIMEDOUT)
        if self.names[pid] == "short of memory":
            raise MemoryError
        return Guest(pid, self.names[pid], (Nic(0, ifname="tap0"),)) if self.names[pid] else None


def held_by(*holders: tuple[int, tuple[int, int] | None]) -> Device:
    found = tuple(Holder(pid, "qemu", 7 + number, image) for number, (pid, image) in enumerate(holders))
    return PLAIN._replace(holders=found)


def begin_pass(guests: Guests) -> None:
    with guests.one_pass():
        pass


def test_a_guest_is_read_once_while_it_runs_one_program(monkeypatch: pytest.MonkeyPatch) -> None:
    """A number comes again, and a child of libvirt becomes QEMU."""
    reads, guests = Reads(monkeypatch), Guests()
    device = held_by((10, (1000, 3)), (10, (1000, 3)))
    for _pass in range(3):
        assert guests.card_of(device).domain == "web-1"
        guests.forget_all_but([device])
        begin_pass(guests)
    assert reads.count == 1
    reads.names[10] = "db-1"
    for other in ((1000, 4), (2000, 4)):
        assert guests.card_of(held_by((10, other))).domain == "db-1"
    assert reads.count == 3
    guests.forget_all_but([held_by((11, (1000, 3)))])
    assert guests.card_of(device).domain == "db-1" and reads.count == 4


@pytest.mark.parametrize(
    ("image", "name"),
    [(None, "web-1"), ((1000, 3), "short of memory"), ((1000, 3), "")],
    ids=["no image", "odd", "none"],
)
def test_what_is_read_again(monkeypatch: pytest.MonkeyPatch, image: tuple[int, int] | None, name: str) -> None:
    """Where nobody tells one image from the next, and what a passing shortage may have hidden."""
    reads, guests = Reads(monkeypatch), Guests()
    reads.names[10] = name
    guests.card_of(held_by((10, image)))
    begin_pass(guests)
    reads.names[10] = "web-2"
    assert guests.card_of(held_by((10, image))).domain == "web-2"


def test_one_that_makes_us_wait_is_left_for_a_while(monkeypatch: pytest.MonkeyPatch) -> None:
    """A pass that waits for each such process again keeps all others waiting."""
    reads, guests, now = Reads(monkeypatch), Guests(), [1000.0]
    monkeypatch.setattr("time.monotonic", lambda: now[0])
    reads.names[10], device = "makes us wait", held_by((10, (1000, 3)))
    for _pass in range(5):
        begin_pass(guests)
        assert "it takes too long" in guests.implementation_of(device).reason and guests.card_of(device).domain == ""
    assert reads.count == 1
    reads.names[10], now[0] = "web-1", now[0] + implementation.REST
    begin_pass(guests)
    assert guests.card_of(device).domain == "web-1" and reads.count == 2


def test_no_key_of_one_who_could_not_be_read(monkeypatch: pytest.MonkeyPatch) -> None:
    """The key of another identity would stay, and all flows move when it is found out (K2, 4)."""
    reads, guests = Reads(monkeypatch), Guests()
    reads.names[10], device = "short of memory", held_by((10, (1000, 3)))
    with pytest.raises(StateError, match="tap0: its arguments cannot be read"):
        guests.identity_of(device)
    begin_pass(guests)
    reads.names[10] = "web-1"
    assert "web-1" in guests.identity_of(device)
