# SPDX-License-Identifier: GPL-3.0-or-later
"""Arguments as QEMU 5 to 10 and libvirt 7 to 11 write them."""

from __future__ import annotations

import json
import shlex

import pytest

from ansible_collections.virtnet.rss.plugins.module_utils._look.qemu import Guest, Nic, parse_arguments

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
        [Nic(0, descriptors=(30, 31), vhost=True, rss=True, hash=True, mac="52:54:0:1:2:a")],
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
]


@pytest.mark.parametrize(("arguments", "nics"), CARDS, ids=[arguments for arguments, _nics in CARDS])
def test_cards(arguments: str, nics: list[Nic]) -> None:
    assert list(parse_arguments(shlex.split("qemu-system-x86_64 " + arguments)).nics) == nics


# A process may call itself QEMU and have any arguments; found by tests/robustness/run parsers.
HOSTILE = [
    ["-netdev", '{"type":"tap","id":[1]}'],
    ["-netdev", "tap,id=a,fds=\u00b2:3", "-device", "virtio-net-pci,netdev=a"],
    ["-netdev", "tap,id=a,fd=" + "9" * 5000, "-device", "virtio-net-pci,netdev=a"],
    ["-netdev", '{"type":' + "[" * 100_000],
    ["-nic", '{"type":"tap","model":5}'],
    ["-netdev", "tap,id=a", "-device", '{"driver":"virtio-net-pci","netdev":["a"]}'],
    ["-name", '{"guest":["a"]}'],
]


@pytest.mark.parametrize("arguments", HOSTILE, ids=range(len(HOSTILE)))
def test_hostile_arguments(arguments: list[str]) -> None:
    guest = parse_arguments(["qemu-system-x86_64", *arguments])
    assert guest.name == "" and all(nic.descriptors in ((), (3,)) for nic in guest.nics)


def test_libvirt() -> None:
    nic = Nic(0, descriptors=(30, 31, 32, 33), vhost=True, rss=True, hash=True, mac="52:54:00:aa:bb:01")
    assert parse_arguments(LIBVIRT) == Guest(0, "web,1", (nic,))


class TestWhichCard:
    guest = Guest(1, "", (Nic(0, ifname="tap0"), Nic(1, descriptors=(30, 31))))

    def test_by_descriptor(self) -> None:
        assert self.guest.nic_of("vnet9", [31]) == self.guest.nics[1]

    def test_by_name(self) -> None:
        assert self.guest.nic_of("tap0", [9]) == self.guest.nics[0]

    def test_renamed_or_plugged_in_later(self) -> None:
        assert self.guest.nic_of("tap1", [9]) is None

    def test_the_only_card_without_a_name(self) -> None:
        guest = Guest(1, "", (Nic(0),))
        assert guest.nic_of("tap5", [9]) == guest.nics[0]
