# SPDX-License-Identifier: GPL-3.0-or-later
"""The table in QEMU's docs/devel/ebpf_rss.rst, and what it does not say."""

from __future__ import annotations

from dataclasses import replace

import pytest

from ansible_collections.virtnet.rss.plugins.module_utils._look.implementation import Traces, decide
from ansible_collections.virtnet.rss.plugins.module_utils._look.qemu import Nic
from ansible_collections.virtnet.rss.plugins.module_utils._program.model import AttachedProgram
from ansible_collections.virtnet.rss.plugins.module_utils._steering.model import (
    AUTOMATIC,
    FOREIGN,
    STEERED,
    UNKNOWN,
    Device,
)
from ansible_collections.virtnet.rss.plugins.module_utils._tun.device_id import DeviceId

PLAIN = Device("tap0", DeviceId(1, 7), 0x1102, queues=4)
DEVICES = {
    "nothing": replace(PLAIN, state=AUTOMATIC),
    "ours": replace(PLAIN, state=STEERED, program=AttachedProgram(1, "virtnet_rss", "t", owner="virtnet.rss")),
    "qemu's": replace(PLAIN, state=FOREIGN, program=AttachedProgram(2, "tun_rss_steerin", "t", owner="qemu")),
    "unknown": replace(PLAIN, state=UNKNOWN, reason="bpf() is refused"),
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
    single = replace(DEVICES["ours"], queues=1)
    assert "one queue" in decide(single, Nic(0), Traces()).reason
