# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import sys
import types
import typing as t
from pathlib import Path

import pytest

from ansible_collections.virtnet.rss.plugins.module_utils._errors import CapabilityError, InputError, StateError
from ansible_collections.virtnet.rss.plugins.module_utils._look.implementation import Implementation
from ansible_collections.virtnet.rss.plugins.module_utils._look.look import Sighting
from ansible_collections.virtnet.rss.plugins.module_utils._program.model import AttachedProgram, Configuration
from ansible_collections.virtnet.rss.plugins.module_utils._rss.config import Pin, RssConfig
from ansible_collections.virtnet.rss.plugins.module_utils._service import pcap
from ansible_collections.virtnet.rss.plugins.module_utils._service.explain import (
    explain_capture,
    explain_flow,
    explain_frame,
    parse_flow,
)
from ansible_collections.virtnet.rss.plugins.module_utils._steering.model import Device
from ansible_collections.virtnet.rss.plugins.module_utils._tun.device_id import DeviceId
from ansible_collections.virtnet.rss.tests.packets.builder import (
    ESP,
    FOUR,
    ethernet,
    inner4,
    ipv4,
    over_udp,
    tcp,
    vxlan,
)

KEY = bytes.fromhex("6d5a56da255b0ec24167253d43a38fb0d0ca2bcbae7b30b477cb2da38030f20c6a42b73bbeac01fa")
RSS = RssConfig(
    KEY,
    0x1FF | 1 << 12,
    tuple(entry % 4 for entry in range(128)),
    default_queue=3,
    tunnel_types=1 << 4,
    pins=(Pin(queue=2, flow_type="ip4", dscp=46), Pin(queue=1, vlan=7)),
)
ARP = ethernet(bytes(28), 0x0806)


def sighting(rss: RssConfig | None = RSS, *, queues: int = 4) -> Sighting:
    configuration = None if rss is None else Configuration(rss)
    program = AttachedProgram(11, "virtnet_rss", "t", configuration=configuration)
    device = Device("tap0", DeviceId(1, 7), 0x1102, queues, state="steered", program=program)
    return Sighting(t.cast("t.Any", None), device, Implementation("ebpf"))


FLOWS: list[tuple[str, dict[str, str]]] = [
    ("192.0.2.1 192.0.2.2", {"src": "192.0.2.1", "dst": "192.0.2.2"}),
    (
        "tcp 192.0.2.1:1 192.0.2.2:2",
        {"proto": "tcp", "src": "192.0.2.1", "sport": "1", "dst": "192.0.2.2", "dport": "2"},
    ),
    ("UDP [::1]:1 [::2]:2", {"proto": "UDP", "src": "::1", "sport": "1", "dst": "::2", "dport": "2"}),
    (
        "132 192.0.2.1:1 192.0.2.2:2 vlan 7",
        {"proto": "132", "src": "192.0.2.1", "sport": "1", "dst": "192.0.2.2", "dport": "2", "vlan": "7"},
    ),
    (
        "esp 192.0.2.1 192.0.2.2 spi 0x10 dscp 46",
        {"proto": "esp", "src": "192.0.2.1", "dst": "192.0.2.2", "spi": "0x10", "dscp": "46"},
    ),
    ("::1 ::2 flow_label 9", {"src": "::1", "dst": "::2", "flow_label": "9"}),
]


@pytest.mark.parametrize(("text", "flow"), FLOWS, ids=[text for text, _flow in FLOWS])
def test_flows(text: str, flow: dict[str, str]) -> None:
    assert parse_flow(text) == flow


@pytest.mark.parametrize(
    "text", ["", "tcp", "udp ", "tcp 192.0.2.1 192.0.2.2", "a b c", "a b vlan", "a b src c", "tcp a:1 b:2 colour 3"]
)
def test_no_flows(text: str) -> None:
    with pytest.raises(InputError, match="FLOW"):
        parse_flow(text)


def test_a_hashed_flow() -> None:
    assert explain_flow("tcp 66.9.149.187:2794 161.142.100.80:1766", sighting()).splitlines() == [
        "tap0 is steered by program 11",
        "it is hashed as tcpv4: 0x51ccc178",
        "entry 120 of 128 in the indirection table names queue 0",
    ]


def test_an_inner_header() -> None:
    frame = ipv4(over_udp(vxlan(inner4()), 4789), 17)
    assert explain_frame(frame.hex(":"), sighting()).splitlines()[1] == (
        "it is hashed as tcpv4 of its inner vxlan header: 0x51ccc178"
    )
    with pytest.raises(InputError, match=r"flow.proto: .*vxlan.*frame"):
        explain_flow("udp 192.0.2.1:1 192.0.2.2:4789", sighting())


def test_pins() -> None:
    line = "pin 0 (flow_type ip4, dscp 46) takes it to queue 2, before anything is hashed"
    assert explain_flow("tcp 192.0.2.1:1 192.0.2.2:2 dscp 46", sighting()).splitlines()[1] == line
    line = "pin 1 (flow_type ether, vlan 7) takes it to queue 1, before anything is hashed"
    assert explain_flow("192.0.2.1 192.0.2.2 vlan 7", sighting()).splitlines()[1] == line


def test_what_is_not_hashed() -> None:
    assert "none of its hash types" in explain_frame(ARP.hex(), sighting())
    off = RssConfig(KEY, 0x3F, (0,), default_queue=3, redirect=False)
    assert "redirect is off; so it goes to the default queue, 3" in explain_frame(ARP.hex(), sighting(off))
    assert "so the driver takes it modulo 2: queue 1" in explain_frame(ARP.hex(), sighting(queues=2))


def test_only_ours_can_be_asked() -> None:
    with pytest.raises(StateError, match="tap0 is steered: only a program of this collection"):
        explain_flow("192.0.2.1 192.0.2.2", sighting(None))


@pytest.mark.parametrize("text", ["0", "0x12", "zz", "tcp"])
def test_no_frames(text: str) -> None:
    with pytest.raises(InputError, match=r"frame: .*hexadecimal digits"):
        explain_frame(text, sighting())


FRAMES = [inner4(), ARP, ipv4(FOUR, ESP), ipv4(over_udp(vxlan(inner4()), 4789), 17), ipv4(tcp(), dscp=46)]


def test_a_capture_of_a_guest_that_has_enabled_fewer_queues() -> None:
    """The driver takes the answer modulo these."""
    four, two = (explain_capture(FRAMES, 14, sighting(queues=queues)).splitlines() for queues in (4, 2))
    numbers = [[int(line.split()[2]) for line in lines[:-1]] for lines in (four, two)]
    assert numbers[1] == [queue % 2 for queue in numbers[0]] and max(numbers[0]) == 3
    assert two[-1] == f"queue 0: {numbers[1].count(0)}, queue 1: {numbers[1].count(1)}"


def test_a_capture() -> None:
    lines = explain_capture(FRAMES, 14, sighting()).splitlines()
    assert lines[0] == "1 queue 0 tcpv4 0x51ccc178"
    assert lines[1] == "2 queue 3 not hashed"
    assert lines[2].startswith("3 queue ") and " esp 0x" in lines[2]
    assert lines[3] == "4 queue 0 tcpv4 0x51ccc178 inner vxlan"
    assert lines[4] == "5 queue 2 pin 0"
    assert len(lines) == 6 and "queue 2: 1" in lines[5]


def test_without_a_library(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """tests/service/test_explain.py reads captures with each of them."""
    for name in ("dpkt", "scapy", "scapy.utils"):
        monkeypatch.setitem(sys.modules, name, t.cast(types.ModuleType, None))  # an ImportError for who imports it
    with pytest.raises(CapabilityError, match="dpkt or scapy, and neither is there: install python3-dpkt"):
        pcap.read_pcap(str(tmp_path / "a.pcap"))
