# Copyright (c) 2026, virtnet.rss contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to the collection: lists network devices over rtnetlink, for callers that cannot wait for pyroute2. Importing
# its IPRoute costs 300 ms, which is more than everything else that a run without a change does; making devices uses it.

from __future__ import annotations

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

__all__ = ("Link", "Traffic", "list_links")

# include/uapi/linux/netlink.h, rtnetlink.h, if_link.h
NLMSG_ERROR, NLMSG_DONE = 2, 3
NLM_F_REQUEST_DUMP = 0x301
RTM_NEWLINK, RTM_GETLINK = 16, 18
IFLA_IFNAME, IFLA_LINKINFO, IFLA_STATS64, IFLA_EXT_MASK = 3, 18, 23, 29
RTEXT_FILTER_SKIP_STATS = 1 << 3
IFLA_INFO_KIND, IFLA_INFO_DATA = 1, 2
IFLA_TUN_TYPE, IFLA_TUN_PI, IFLA_TUN_VNET_HDR, IFLA_TUN_PERSIST = 3, 4, 5, 6
IFLA_TUN_MULTI_QUEUE, IFLA_TUN_NUM_QUEUES, IFLA_TUN_NUM_DISABLED_QUEUES = 7, 8, 9
NLMSG_HEADER = struct.Struct("=IHHII")  # length, type, flags, sequence, port
IFINFOMSG = struct.Struct("=BxHiII")  # family, device type, ifindex, flags, change
ATTRIBUTE = struct.Struct("=HH")  # length, type
NESTED_MASK = 0x3FFF
STATS64 = struct.Struct("=8Q")  # the beginning of struct rtnl_link_stats64
RECEIVE_SIZE = 1 << 18


@dataclass(frozen=True)
class Traffic:
    """Packets of a TAP device since it was made; what the host transmits on it is what the guest receives."""

    to_guest: int
    from_guest: int
    dropped: int  # on the way to the guest: its queue was full, or nobody held it


@dataclass(frozen=True)
class Link:
    """A network device of the current network namespace; the last three are only told of TUN/TAP devices."""

    name: str
    ifindex: int
    kind: str  # as `ip -d link` prints it: tun, bridge, veth ...; empty for hardware
    tun_flags: int = 0  # as TUNGETIFF gives them, less IFF_NAPI and IFF_NAPI_FRAGS
    queues: int | None = None  # attached queues; None: the driver does not tell for single-queue devices
    disabled_queues: int = 0
    traffic: Traffic | None = None

    @property
    def is_tap(self) -> bool:
        """A layer 2 device of the tun driver."""
        return bool(self.tun_flags & IFF_TAP)

    @property
    def is_tun(self) -> bool:
        """A layer 3 device of the tun driver."""
        return bool(self.tun_flags & IFF_TUN)


def list_links(*, traffic: bool = False) -> list[Link]:
    """Every device of the current network namespace, in the kernel's order; ``traffic`` is told of TAP devices."""
    left_out = 0 if traffic else RTEXT_FILTER_SKIP_STATS
    request = IFINFOMSG.pack(0, 0, 0, 0, 0) + ATTRIBUTE.pack(8, IFLA_EXT_MASK) + struct.pack("=I", left_out)
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_CLOEXEC, socket.NETLINK_ROUTE) as netlink:
        netlink.bind((0, 0))
        netlink.send(
            NLMSG_HEADER.pack(NLMSG_HEADER.size + len(request), RTM_GETLINK, NLM_F_REQUEST_DUMP, 1, 0) + request
        )
        return [_link(message) for message in _messages(netlink)]


def _messages(netlink: socket.socket) -> t.Iterator[memoryview]:
    """The payloads of the answer, up to the message that ends the dump."""
    while True:
        datagram = memoryview(netlink.recv(RECEIVE_SIZE))
        while datagram:
            length, kind, _flags, _sequence, _port = NLMSG_HEADER.unpack_from(datagram)
            payload = datagram[NLMSG_HEADER.size : length]
            if kind == NLMSG_DONE:
                return
            if kind == NLMSG_ERROR:
                number = -struct.unpack_from("=i", payload)[0]
                raise DeviceError(f"the kernel refused to list network devices: {os.strerror(number)}", errno=number)
            if kind == RTM_NEWLINK:
                yield payload
            datagram = datagram[(length + 3) & ~3 :]


def _attributes(data: memoryview) -> dict[int, memoryview]:
    found = {}
    while len(data) >= ATTRIBUTE.size:
        length, kind = ATTRIBUTE.unpack_from(data)
        if length < ATTRIBUTE.size:
            break
        found[kind & NESTED_MASK] = data[ATTRIBUTE.size : length]
        data = data[(length + 3) & ~3 :]
    return found


def _text(value: memoryview) -> str:
    return os.fsdecode(bytes(value).rstrip(b"\0"))


def _link(message: memoryview) -> Link:
    ifindex = IFINFOMSG.unpack_from(message)[2]
    attributes = _attributes(message[IFINFOMSG.size :])
    info = _attributes(attributes.get(IFLA_LINKINFO, memoryview(b"")))
    name, kind = _text(attributes[IFLA_IFNAME]), _text(info.get(IFLA_INFO_KIND, memoryview(b"")))
    if kind != "tun" or IFLA_INFO_DATA not in info:
        return Link(name, ifindex, kind)
    data = _attributes(info[IFLA_INFO_DATA])

    def number(attribute: int) -> int:
        return int.from_bytes(data.get(attribute, b""), sys.byteorder)

    flags = number(IFLA_TUN_TYPE) | (0 if number(IFLA_TUN_PI) else IFF_NO_PI)
    for attribute, flag in (
        (IFLA_TUN_VNET_HDR, IFF_VNET_HDR),
        (IFLA_TUN_PERSIST, IFF_PERSIST),
        (IFLA_TUN_MULTI_QUEUE, IFF_MULTI_QUEUE),
    ):
        flags |= flag if number(attribute) else 0
    queues = number(IFLA_TUN_NUM_QUEUES) if IFLA_TUN_NUM_QUEUES in data else None
    return Link(
        name, ifindex, kind, flags, queues, number(IFLA_TUN_NUM_DISABLED_QUEUES), _traffic(attributes.get(IFLA_STATS64))
    )


def _traffic(statistics: memoryview | None) -> Traffic | None:
    if statistics is None or len(statistics) < STATS64.size:
        return None
    rx_packets, tx_packets, _rx_bytes, _tx_bytes, _rx_errors, _tx_errors, _rx_dropped, tx_dropped = STATS64.unpack_from(
        statistics
    )
    return Traffic(to_guest=tx_packets, from_guest=rx_packets, dropped=tx_dropped)
