# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import struct
import sys
import types
import typing as t

import pytest

from ansible_collections.virtnet.rss.plugins.module_utils._errors import CapabilityError, DeviceError
from ansible_collections.virtnet.rss.plugins.module_utils._tap.links import LinkState, PyrouteLinks, link_state


class Message(t.Dict[str, t.Any]):
    """As much of pyroute2's messages as is used: fields, and attributes that may be missing."""

    def get_attr(self, name: str) -> t.Any:
        return self.get("attrs", {}).get(name)


def message(index: int, name: str, *, flags: int = 0, **attributes: t.Any) -> Message:
    return Message(index=index, flags=flags, attrs={"IFLA_IFNAME": name, "IFLA_MTU": 1500, **attributes})


def info(kind: str, data: t.Any) -> Message:
    return Message(attrs={"IFLA_INFO_KIND": kind, "IFLA_INFO_DATA": data})


TUN = {
    "IFLA_TUN_OWNER": 0,
    "IFLA_TUN_TYPE": 2,
    "IFLA_TUN_PI": 0,
    "IFLA_TUN_VNET_HDR": 1,
    "IFLA_TUN_PERSIST": 1,
    "IFLA_TUN_MULTI_QUEUE": 1,
    "IFLA_TUN_NUM_QUEUES": 3,
    "IFLA_TUN_NUM_DISABLED_QUEUES": 1,
}


def hexdump(attributes: t.Sequence[tuple[int, int, int]]) -> str:
    """As pyroute2 0.5 gives what it cannot decode: number, size, value of each attribute."""
    data = b"".join(
        (struct.pack("=HH", 4 + size, number) + value.to_bytes(size, sys.byteorder)).ljust(8, b"\0")
        for number, size, value in attributes
    )
    return ":".join(f"{byte:02x}" for byte in data)


HEXDUMP = hexdump([(1, 4, 0), (3, 1, 2), (4, 1, 0), (5, 1, 1), (6, 1, 1), (7, 1, 1), (8, 4, 3), (9, 4, 1), (99, 4, 1)])
EXPECTED = LinkState("tap0", 7, "tun", 1500, True, True, 3, 0x5902, owner=0, group=None, queues=3, disabled_queues=1)


@pytest.mark.parametrize("data", [Message(attrs=TUN), HEXDUMP], ids=["decoded", "hex dump"])
def test_a_tap_device(data: t.Any) -> None:
    raw = message(7, "tap0", flags=0x1043, IFLA_CARRIER=1, IFLA_MASTER=3, IFLA_LINKINFO=info("tun", data))
    assert link_state(raw) == EXPECTED
    assert EXPECTED.is_tap
    assert not EXPECTED.is_tun


def test_a_single_queue_tun_device_with_packet_information() -> None:
    found = link_state(
        message(7, "tun0", IFLA_LINKINFO=info("tun", Message(attrs={"IFLA_TUN_TYPE": 1, "IFLA_TUN_PI": 1})))
    )
    assert found == LinkState("tun0", 7, "tun", tun_flags=1)
    assert found.is_tun
    assert found.queues is None


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        (message(1, "eth0"), LinkState("eth0", 1, "")),
        (message(1, "eth0", IFLA_MASTER=0), LinkState("eth0", 1, "")),
        (message(2, "br0", IFLA_LINKINFO=info("bridge", Message(attrs={}))), LinkState("br0", 2, "bridge")),
        # a port of a bridge has a LINKINFO without a kind of its own
        (message(3, "eth1", IFLA_LINKINFO=Message(attrs={"IFLA_INFO_SLAVE_KIND": "bridge"})), LinkState("eth1", 3, "")),
        (message(4, "tap0", IFLA_LINKINFO=info("tun", None)), LinkState("tap0", 4, "tun")),
    ],
)
def test_other_devices(raw: Message, expected: LinkState) -> None:
    assert link_state(raw) == expected
    assert not expected.is_tap


class NetlinkError(Exception):
    def __init__(self, code: int) -> None:
        super().__init__(code)
        self.code = code


class Script:
    """Exact calls in order; an integer answer is an errno."""

    def __init__(self, *script: tuple[str, dict[str, t.Any], t.Any]) -> None:
        self.script = list(script)
        self.closed = False

    def link(self, command: str, **arguments: t.Any) -> t.Any:
        expected, expected_arguments, answer = self.script.pop(0)
        assert (command, arguments) == (expected, expected_arguments)
        if isinstance(answer, int):
            raise NetlinkError(answer)
        return answer

    def close(self) -> None:
        self.closed = True


def scripted(monkeypatch: pytest.MonkeyPatch, script: Script) -> PyrouteLinks:
    module = types.SimpleNamespace(IPRoute=lambda: script, NetlinkError=NetlinkError)
    monkeypatch.setitem(sys.modules, "pyroute2", module)
    return PyrouteLinks()


def test_calls(monkeypatch: pytest.MonkeyPatch) -> None:
    script = Script(
        ("get", {"ifname": "eth0"}, (message(1, "eth0"),)),
        ("get", {"index": 1}, (message(1, "eth0"),)),
        ("get", {"ifname": "none"}, 19),
        ("set", {"index": 1, "mtu": 9000}, ()),
        ("set", {"index": 1, "master": 3}, ()),
        ("set", {"index": 1, "master": 0}, ()),
        ("set", {"index": 1, "state": "up"}, ()),
        ("set", {"index": 1, "state": "down"}, ()),
    )
    with scripted(monkeypatch, script) as links:
        assert links.find("eth0") == links.get(1) == LinkState("eth0", 1, "")
        assert links.find("none") is None
        links.set_mtu(1, 9000)
        links.set_master(1, 3)
        links.set_master(1, None)
        links.set_up(1, True)
        links.set_up(1, False)
    assert script.closed
    assert not script.script


def test_a_refusal_keeps_its_errno(monkeypatch: pytest.MonkeyPatch) -> None:
    links = scripted(monkeypatch, Script(("get", {"index": 1}, 1), ("set", {"index": 1, "mtu": 1}, 22)))
    with pytest.raises(DeviceError, match="not permitted") as refusal:
        links.get(1)
    assert refusal.value.errno == 1
    with pytest.raises(DeviceError, match="Invalid argument") as refusal:
        links.set_mtu(1, 1)
    assert refusal.value.errno == 22


def test_without_pyroute2(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyroute2", None)
    with pytest.raises(CapabilityError, match=r"install python3-pyroute2 \(its import failed: .*pyroute2"):
        PyrouteLinks()
