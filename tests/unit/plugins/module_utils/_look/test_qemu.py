# SPDX-License-Identifier: GPL-3.0-or-later
"""Arguments as QEMU 5 to 10 and libvirt 7 to 11 write them."""

from __future__ import annotations

import json
import shlex

import pytest

from ansible_collections.virtnet.rss.plugins.module_utils._look.qemu import Guest, Nic, mac_of_card, parse_arguments
from ansible_collections.virtnet.rss.plugins.module_utils._policy.rules import Match, Policy, Rule, Subject

LIBVIRT = [
    "/usr/bin/qemu-system-x86_64",
    "-name",
    "guest=web,,1,debug-threads=on",
    "-netdev",
    json.dumps({"type": "tap", "fds": "30:31:32:33", "vhost": True, "vhostfds": "34:35:36:37", "id": "hostnet0"}),
    "-device",
    json.dumps(
        {
            "driver": "virtio-net-pci",
            "mq": True,
            "netdev": "hostnet0",
            "id": "net0",
            "mac": "52:54:00:AA:BB:01",
            "rss": True,
            "hash": True,
        }
    ),
]
CARDS: list[tuple[str, list[Nic]]] = [
    (
        "-netdev tap,id=n0,ifname=tap7,script=no -device virtio-net-pci,netdev=n0,mq=on,vectors=10",
        [Nic(0, ifname="tap7")],
    ),
    (
        "-netdev tap,id=n0,ifname=tap7,vhost=on -device virtio-net-pci,netdev=n0,rss=on,hash=off",
        [Nic(0, ifname="tap7", vhost=True, rss=True)],
    ),
    (
        "-netdev tap,fds=30:31,id=n0,vhostfds=40:41 -device virtio-net,rss=yes,hash=1,netdev=n0,mac=52:54:0:1:2:A",
        [Nic(0, descriptors=(30, 31), vhost=True, rss=True, hash=True, mac="52:54:00:01:02:0a")],
    ),
    ("-netdev tap,fd=30,id=n0 -device virtio-net-device,netdev=n0", [Nic(0, descriptors=(30,))]),
    ("-netdev tap,fds=from-qmp,id=n0 -device virtio-net-device,netdev=n0", [Nic(0)]),
    (
        "-device virtio-net-pci,netdev=n0,rss -netdev tap,id=n0,ifname=a,,b",  # a switch alone is on; the order is free
        [Nic(0, ifname="a,b", rss=True)],
    ),
    ("-nic tap,model=virtio-net-pci,ifname=tap1", [Nic(0, ifname="tap1")]),
    ("-global virtio-net-pci.rss=on -netdev tap,id=n0 -device virtio-net-pci,netdev=n0", [Nic(0, rss=True)]),
    (
        "-global virtio-net-pci.rss=on -netdev tap,id=n0 -device virtio-net-pci,netdev=n0,rss=off",
        [Nic(0, rss=False)],
    ),
    ("-netdev tap,id=n0 -device virtio-net-pci,netdev=n0,rss=perhaps", [Nic(0, rss=None)]),
    (
        "-netdev tap,id=a,ifname=t0 -netdev tap,id=b,ifname=t1 "
        "-device virtio-net-pci,netdev=b -device virtio-net-pci,netdev=a",
        [Nic(0, ifname="t1"), Nic(1, ifname="t0")],
    ),
    ("-netdev user,id=n0 -device virtio-net-pci,netdev=n0", []),
    ("-netdev tap,id=n0 -device e1000,netdev=n0", []),
    ("-netdev {broken -device virtio-net-pci,netdev=n0", []),
    ("-netdev", []),
    (  # Proxmox VE
        "-netdev type=tap,id=net0,ifname=tap8006i0,script=/usr/libexec/qemu-server/pve-bridge,vhost=on,queues=2 "
        "-device virtio-net-pci,mac=A2:C0:43:77:08:A0,netdev=net0,bus=pci.0,addr=0x12,id=net0,vectors=6,mq=on",
        [Nic(0, ifname="tap8006i0", vhost=True, mac="a2:c0:43:77:08:a0")],
    ),
    # other forms (K7, row 10)
    ("-nic tap,model=virtio,ifname=tap1", [Nic(0, ifname="tap1")]),
    ("-nic bridge,br=br0,model=virtio-net-pci,mac=52:54:00:00:00:01", [Nic(0, mac="52:54:00:00:00:01")]),
    ("-netdev bridge,id=n0,br=br0 -device virtio-net-pci,netdev=n0", [Nic(0)]),
    (
        "-net nic,model=virtio,macaddr=52:54:00:00:00:02 -net tap,ifname=tap2",
        [Nic(0, ifname="tap2", mac="52:54:00:00:00:02")],
    ),
    ("-net nic,model=virtio -net nic,model=virtio -net tap,ifname=a -net tap,ifname=b", []),  # one hub: who knows
    ("-net nic,model=e1000 -net tap", []),
    ("--nic tap,model=virtio,ifname=tap1", [Nic(0, ifname="tap1")]),
]


@pytest.mark.parametrize(("arguments", "nics"), CARDS, ids=[arguments for arguments, _nics in CARDS])
def test_cards(arguments: str, nics: list[Nic]) -> None:
    assert list(parse_arguments(shlex.split("qemu-system-x86_64 " + arguments)).nics) == nics


ODD: list[object] = [True, False, None, 5, 1.5, -1, 10**40, [], ["a"], [["a"]], {}, {"a": ["b"]}, "\ud800", ""]
# A process may call itself QEMU and have any arguments; found by tests/robustness/run parsers.
HOSTILE = [
    ["-netdev", '{"type":"tap","id":[1]}'],
    ["-netdev", "tap,id=a,fds=\u00b2:3", "-device", "virtio-net-pci,netdev=a"],
    ["-netdev", "tap,id=a,fd=" + "9" * 5000, "-device", "virtio-net-pci,netdev=a"],
    ["-netdev", '{"type":' + "[" * 100_000],
    ["-nic", '{"type":"tap","model":5}'],
    ["-netdev", "tap,id=a", "-device", '{"driver":"virtio-net-pci","netdev":["a"]}'],
    ["-name", '{"guest":["a"]}'],
    # texts, numbers, switches, null and nested lists where others belong (K1, row 1)
    *(["-nic", json.dumps({"type": "tap", "model": odd})] for odd in ODD),
    *(["-name", json.dumps({"guest": odd})] for odd in ODD),
    *(["-netdev", json.dumps({"type": odd, "id": odd, "fds": odd, "vhost": odd})] for odd in ODD),
    *(
        [
            "-netdev",
            json.dumps({"type": "tap", "id": "a", "ifname": odd, "fd": odd}),
            "-device",
            json.dumps({"driver": "virtio-net-pci", "netdev": "a", "mac": odd, "rss": odd, word: odd}),
        ]
        for odd in ODD
        for word in ("driver", "netdev", "id")
    ),
]


@pytest.mark.parametrize("arguments", HOSTILE, ids=range(len(HOSTILE)))
def test_hostile_arguments(arguments: list[str]) -> None:
    guest = parse_arguments(["qemu-system-x86_64", *arguments])
    assert len(guest.name) <= 16 and all(nic.descriptors in ((), (3,), (5,)) for nic in guest.nics)
    texts = [text for nic in guest.nics for text in (nic.ifname, nic.mac) if text is not None]
    assert all(isinstance(text, str) for text in (guest.name, *texts))
    # and rules may be asked about it
    policy = Policy((Rule("", Match(domain="web*", mac="52:*"), None),))
    macs = [nic.mac for nic in guest.nics] or [None]
    assert not policy.ask(Subject("tap0", domain=guest.name, mac=macs[0])).rule


def test_limits() -> None:
    card = ["-nic", "tap,model=virtio"]
    assert parse_arguments(["qemu", *card * 256]).oddity == ""
    many = parse_arguments(["qemu", *card * 300])
    assert len(many.nics) == 256 and "more than 256 network cards" in many.oddity
    assert "more than 4096 options" in parse_arguments(["qemu", *["-device", "x"] * 5000]).oddity
    long = parse_arguments(["qemu", "-name", "a" * 256])
    assert long.name == "" and "its name has more than 255 letters" in long.oddity


def test_libvirt() -> None:
    nic = Nic(0, descriptors=(30, 31, 32, 33), vhost=True, rss=True, hash=True, mac="52:54:00:aa:bb:01")
    assert parse_arguments(LIBVIRT) == Guest(0, "web,1", (nic,))


class TestWhichCard:
    guest = Guest(1, "", (Nic(0, ifname="tap0"), Nic(1, descriptors=(30, 31))))

    def test_by_descriptors(self) -> None:
        assert self.guest.nic_of("vnet9", [31, 30]) == self.guest.nics[1]

    def test_not_by_some_of_its_descriptors(self) -> None:
        """It was unplugged, and the next card got a number of its (K2, row 4)."""
        assert self.guest.nic_of("vnet9", [31]) is None
        assert self.guest.nic_of("vnet9", [31, 32]) is None

    def test_by_its_own_address(self) -> None:
        cards = tuple(Nic(n, descriptors=(30 + n,), mac=f"52:54:00:00:00:0{n}") for n in range(2))
        guest = Guest(1, "web", cards, by_libvirt=True)
        assert guest.nic_of("vnet1", [40], "fe:54:00:00:00:01") == cards[1]
        # hot-unplug and hot-plug: the numbers are those of the first card, the address is not
        assert guest.nic_of("vnet2", [30], "fe:54:00:00:00:09") is None
        assert mac_of_card("fe:54:00:00:00:09") == "52:54:00:00:00:09" and mac_of_card("fe:11:00:00:00:09") is None

    def test_a_random_address_that_looks_like_libvirts(self) -> None:
        guest = Guest(1, "", (Nic(0, descriptors=(30,), mac="52:54:00:00:00:01"),))
        assert guest.nic_of("tap5", [30], "fe:12:34:56:78:9a") == guest.nics[0]

    def test_by_name(self) -> None:
        assert self.guest.nic_of("tap0", [9]) == self.guest.nics[0]

    def test_renamed_or_plugged_in_later(self) -> None:
        assert self.guest.nic_of("tap1", [9]) is None

    def test_the_only_card_without_a_name(self) -> None:
        guest = Guest(1, "", (Nic(0),))
        assert guest.nic_of("tap5", [9]) == guest.nics[0]
