# Copyright (c) 2026, virtnet.rss contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to the collection: reads network devices over rtnetlink: the only place that does. Not with pyroute2, whose
# import costs 130 ms, more than everything else that a run without a change does.

from __future__ import annotations

import errno
import os
import socket
import struct
import sys
import typing as t
from dataclasses import dataclass

from ansible_collections.virtnet.rss.plugins.module_utils._errors import DeviceError
from ansible_collections.virtnet.rss.plugins.module_utils._tun.ioctls import (
    IFF_MULTI_QUEUE,
    IFF_NO_PI,
    IFF_PERSIST,
    IFF_TAP,
    IFF_TUN,
    IFF_VNET_HDR,
)

__all__ = ("Link", "Traffic", "find_link", "list_links")

# include/uapi/linux/netlink.h, rtnetlink.h, if.h, if_link.h
NLMSG_ERROR, NLMSG_DONE = 2, 3
NLM_F_REQUEST, NLM_F_DUMP = 0x1, 0x300
RTM_NEWLINK, RTM_GETLINK = 16, 18
IFF_UP = 0x1
IFLA_ADDRESS, IFLA_IFNAME, IFLA_MTU, IFLA_MASTER, IFLA_LINKINFO, IFLA_IFALIAS = 1, 3, 4, 10, 18, 20
IFLA_STATS64, IFLA_EXT_MASK, IFLA_CARRIER, IFLA_PROP_LIST, IFLA_ALT_IFNAME = 23, 29, 33, 52, 53
RTEXT_FILTER_SKIP_STATS = 1 << 3  # those of IPv6: IFLA_STATS64 is told all the same
IFLA_INFO_KIND, IFLA_INFO_DATA = 1, 2
IFLA_TUN_OWNER, IFLA_TUN_GROUP, IFLA_TUN_TYPE, IFLA_TUN_PI = 1, 2, 3, 4
IFLA_TUN_VNET_HDR, IFLA_TUN_PERSIST, IFLA_TUN_MULTI_QUEUE = 5, 6, 7
IFLA_TUN_NUM_QUEUES, IFLA_TUN_NUM_DISABLED_QUEUES = 8, 9
OF_LINK = frozenset((IFLA_ADDRESS, IFLA_IFNAME, IFLA_MTU, IFLA_MASTER, IFLA_LINKINFO, IFLA_IFALIAS)) | frozenset(
    (IFLA_STATS64, IFLA_CARRIER, IFLA_PROP_LIST)
)
OF_KIND = (IFLA_INFO_KIND, IFLA_INFO_DATA)
OF_TUN = range(IFLA_TUN_OWNER, IFLA_TUN_NUM_DISABLED_QUEUES + 1)
NLMSG_HEADER = struct.Struct("=IHHII")  # length, type, flags, sequence, port
IFINFOMSG = struct.Struct("=BxHiII")  # family, device type, ifindex, flags, change
ATTRIBUTE = struct.Struct("=HH")  # length, type
NESTED_MASK = 0x3FFF
STATS64 = struct.Struct("=8Q")  # the beginning of struct rtnl_link_stats64
RECEIVE_SIZE = 1 << 18
NOTHING = memoryview(b"")


@dataclass(frozen=True)
class Traffic:
    """Packets of a TAP device since it was made; what the host transmits on it is what the guest receives."""

    to_guest: int
    from_guest: int
    dropped: int  # on the way to the guest: its queue was full, or nobody held it


@dataclass(frozen=True)
class Link:
    """A network device of the current network namespace; ``tun_flags`` to ``traffic`` are told of TUN/TAP devices only.

    Names are bytes to the kernel: what is no UTF-8 in them is kept as surrogates (os.fsdecode).
    """

    name: str
    ifindex: int
    kind: str  # as `ip -d link` prints it: tun, bridge, veth ...; empty for hardware and loopback
    tun_flags: int = 0  # as TUNGETIFF gives them, less IFF_NAPI and IFF_NAPI_FRAGS
    queues: int | None = None  # attached queues; None: the driver does not tell for single-queue devices
    disabled_queues: int = 0
    owner: int | None = None  # user id
    group: int | None = None
    traffic: Traffic | None = None
    mtu: int = 1500
    up: bool = False
    carrier: bool = False
    master: int | None = None  # ifindex of the bridge, bond ... that it is a port of
    address: str = ""  # of its hardware, as `ip link` prints it
    ifalias: str = ""  # what somebody wrote about it: `ip link set ... alias`
    altnames: tuple[str, ...] = ()  # the kernel finds it by these too

    @property
    def is_tap(self) -> bool:
        """A layer 2 device of the tun driver."""
        return bool(self.tun_flags & IFF_TAP)

    @property
    def is_tun(self) -> bool:
        """A layer 3 device of the tun driver."""
        return bool(self.tun_flags & IFF_TUN)

    @property
    def description(self) -> str:
        """What it is, for a sentence."""
        if self.is_tap:
            return "a TAP device"
        if self.is_tun:
            return "a layer 3 device of the tun driver (IFF_TUN)"
        return f"a device of kind {self.kind}" if self.kind else "a hardware or loopback device"


def list_links() -> list[Link]:
    """Every device of the current network namespace, in the kernel's order."""
    return list(_ask(NLM_F_DUMP, 0, _attribute(IFLA_EXT_MASK, RTEXT_FILTER_SKIP_STATS)))


def find_link(which: str | int) -> Link | None:
    """The device of the current network namespace with this ifindex, or that answers to this name: the kernel looks
    among alternative names too."""
    try:
        if isinstance(which, int):
            return next(_ask(0, which, b""))
        return next(_ask(0, 0, _attribute(IFLA_ALT_IFNAME, os.fsencode(which) + b"\0")))
    except DeviceError as exc:
        if exc.errno == errno.ENODEV:
            return None
        raise


def _attribute(kind: int, value: int | bytes) -> bytes:
    data = value if isinstance(value, bytes) else struct.pack("=I", value)
    return ATTRIBUTE.pack(ATTRIBUTE.size + len(data), kind) + data + bytes(-len(data) % 4)


def _ask(flags: int, ifindex: int, attributes: bytes) -> t.Iterator[Link]:
    """RTM_GETLINK; DeviceError with the kernel's errno."""
    request = IFINFOMSG.pack(0, 0, ifindex, 0, 0) + attributes
    header = NLMSG_HEADER.pack(NLMSG_HEADER.size + len(request), RTM_GETLINK, NLM_F_REQUEST | flags, 1, 0)
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_CLOEXEC, socket.NETLINK_ROUTE) as netlink:
        netlink.bind((0, 0))
        netlink.send(header + request)
        yield from map(_link, _messages(netlink))


def _messages(netlink: socket.socket) -> t.Iterator[memoryview]:
    """The payloads of the answer, up to the message that ends a dump."""
    while True:
        datagram = memoryview(netlink.recv(RECEIVE_SIZE))
        while datagram:
            length, kind, _flags, _sequence, _port = NLMSG_HEADER.unpack_from(datagram)
            payload = datagram[NLMSG_HEADER.size : length]
            if kind == NLMSG_DONE:
                return
            if kind == NLMSG_ERROR:
                number = -struct.unpack_from("=i", payload)[0]
                raise DeviceError(f"the kernel refused to tell of network devices: {os.strerror(number)}", errno=number)
            if kind == RTM_NEWLINK:
                yield payload
            datagram = datagram[(length + 3) & ~3 :]


def _attributes(data: memoryview, wanted: t.Container[int]) -> t.Iterator[tuple[int, memoryview]]:
    """Of some kinds: a device has some forty others."""
    unpack, place, last = ATTRIBUTE.unpack_from, 0, len(data) - ATTRIBUTE.size
    while place <= last:
        length, kind = unpack(data, place)
        if length < ATTRIBUTE.size:
            break
        kind &= NESTED_MASK
        if kind in wanted:
            yield kind, data[place + ATTRIBUTE.size : place + length]
        place += (length + 3) & ~3


def _text(value: memoryview) -> str:
    return os.fsdecode(bytes(value).rstrip(b"\0"))


def _number(value: memoryview | None) -> int | None:
    return None if value is None else int.from_bytes(value, sys.byteorder)


def _link(message: memoryview) -> Link:
    _family, _type, ifindex, flags, _change = IFINFOMSG.unpack_from(message)
    told = dict(_attributes(message[IFINFOMSG.size :], OF_LINK))
    info = dict(_attributes(told.get(IFLA_LINKINFO, NOTHING), OF_KIND))
    kind = _text(info.get(IFLA_INFO_KIND, NOTHING))
    return Link(
        _text(told[IFLA_IFNAME]),
        ifindex,
        kind,
        mtu=_number(told.get(IFLA_MTU)) or 0,
        up=bool(flags & IFF_UP),
        carrier=bool(_number(told.get(IFLA_CARRIER))),
        master=_number(told.get(IFLA_MASTER)) or None,
        address=bytes(told.get(IFLA_ADDRESS, NOTHING)).hex(":"),
        ifalias=_text(told.get(IFLA_IFALIAS, NOTHING)),
        altnames=tuple(
            _text(name) for _number, name in _attributes(told.get(IFLA_PROP_LIST, NOTHING), (IFLA_ALT_IFNAME,))
        ),
        **(_of_tun(info[IFLA_INFO_DATA], told.get(IFLA_STATS64)) if kind == "tun" and IFLA_INFO_DATA in info else {}),
    )


def _of_tun(data: memoryview, statistics: memoryview | None) -> dict[str, t.Any]:
    told = {kind: _number(value) for kind, value in _attributes(data, OF_TUN)}
    flags = (told.get(IFLA_TUN_TYPE) or 0) | (0 if told.get(IFLA_TUN_PI) else IFF_NO_PI)
    for attribute, flag in (
        (IFLA_TUN_VNET_HDR, IFF_VNET_HDR),
        (IFLA_TUN_PERSIST, IFF_PERSIST),
        (IFLA_TUN_MULTI_QUEUE, IFF_MULTI_QUEUE),
    ):
        flags |= flag if told.get(attribute) else 0
    return {
        "tun_flags": flags,
        "queues": told.get(IFLA_TUN_NUM_QUEUES),
        "disabled_queues": told.get(IFLA_TUN_NUM_DISABLED_QUEUES) or 0,
        "owner": told.get(IFLA_TUN_OWNER),  # both are only told where there is one
        "group": told.get(IFLA_TUN_GROUP),
        "traffic": _traffic(statistics),
    }


def _traffic(statistics: memoryview | None) -> Traffic | None:
    if statistics is None or len(statistics) < STATS64.size:
        return None
    received, sent, _rx_bytes, _tx_bytes, _rx_errors, _tx_errors, _rx_dropped, dropped = STATS64.unpack_from(statistics)
    return Traffic(to_guest=sent, from_guest=received, dropped=dropped)
