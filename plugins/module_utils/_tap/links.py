# Copyright (c) 2026, virtnet.rss contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to the collection: reads and changes single network devices over rtnetlink, with pyroute2.

from __future__ import annotations

import abc
import errno
import os
import struct
import sys
import typing as t
from dataclasses import dataclass

from ansible_collections.virtnet.rss.plugins.module_utils._errors import CapabilityError, DeviceError
from ansible_collections.virtnet.rss.plugins.module_utils._tun.ioctls import (
    IFF_MULTI_QUEUE,
    IFF_NO_PI,
    IFF_PERSIST,
    IFF_TAP,
    IFF_TUN,
    IFF_VNET_HDR,
)

__all__ = ("LinkState", "Links", "PyrouteLinks", "link_state")

IFF_UP = 0x1  # include/uapi/linux/if.h
NO_MASTER = 0
# include/uapi/linux/if_link.h, numbered from 1
TUN_ATTRIBUTES = (
    "IFLA_TUN_OWNER",
    "IFLA_TUN_GROUP",
    "IFLA_TUN_TYPE",
    "IFLA_TUN_PI",
    "IFLA_TUN_VNET_HDR",
    "IFLA_TUN_PERSIST",
    "IFLA_TUN_MULTI_QUEUE",
    "IFLA_TUN_NUM_QUEUES",
    "IFLA_TUN_NUM_DISABLED_QUEUES",
)
ATTRIBUTE = struct.Struct("=HH")  # length, number


@dataclass(frozen=True)
class LinkState:
    """A network device as it is now; what follows ``master`` is only told of TUN/TAP devices."""

    name: str
    ifindex: int
    kind: str  # as `ip -d link` prints it: tun, bridge, veth ...; empty for hardware and loopback
    mtu: int = 1500
    up: bool = False
    carrier: bool = False
    master: int | None = None  # ifindex of the bridge, bond ... that it is a port of
    tun_flags: int = 0  # as TUNGETIFF gives them, less IFF_NAPI and IFF_NAPI_FRAGS
    owner: int | None = None
    group: int | None = None
    queues: int | None = None  # attached queues; None: the driver does not tell for single-queue devices
    disabled_queues: int = 0

    @property
    def is_tap(self) -> bool:
        """A layer 2 device of the tun driver."""
        return bool(self.tun_flags & IFF_TAP)

    @property
    def is_tun(self) -> bool:
        """A layer 3 device of the tun driver."""
        return bool(self.tun_flags & IFF_TUN)


class Links(abc.ABC):
    """Network devices of one network namespace. Every method raises DeviceError with the kernel's errno."""

    @abc.abstractmethod
    def find(self, name: str) -> LinkState | None:
        """The device that answers to ``name``; the kernel looks among alternative names too."""

    @abc.abstractmethod
    def get(self, ifindex: int) -> LinkState | None:
        """The device with this index."""

    @abc.abstractmethod
    def set_mtu(self, ifindex: int, mtu: int) -> None:
        """Set the MTU."""

    @abc.abstractmethod
    def set_master(self, ifindex: int, master: int | None) -> None:
        """Make it a port of ``master``, or of nothing."""

    @abc.abstractmethod
    def set_up(self, ifindex: int, up: bool) -> None:
        """Bring it up or down."""


class PyrouteLinks(Links):
    """Devices of the network namespace in which it is made; wherever the thread goes later, it stays there."""

    def __init__(self) -> None:
        pyroute2 = _import_pyroute2()
        self._refusal: type[Exception] = pyroute2.NetlinkError
        self._netlink = pyroute2.IPRoute()

    def __enter__(self) -> PyrouteLinks:
        return self

    def __exit__(self, *_exception: object) -> None:
        self._netlink.close()

    def find(self, name: str) -> LinkState | None:
        return self._get(ifname=name)

    def get(self, ifindex: int) -> LinkState | None:
        return self._get(index=ifindex)

    def set_mtu(self, ifindex: int, mtu: int) -> None:
        self._link("set", index=ifindex, mtu=mtu)

    def set_master(self, ifindex: int, master: int | None) -> None:
        self._link("set", index=ifindex, master=NO_MASTER if master is None else master)

    def set_up(self, ifindex: int, up: bool) -> None:
        self._link("set", index=ifindex, state="up" if up else "down")

    def _get(self, **which: str | int) -> LinkState | None:
        try:
            answer = self._link("get", **which)
        except DeviceError as exc:
            if exc.errno == errno.ENODEV:
                return None
            raise
        return link_state(answer[0])

    def _link(self, command: str, **arguments: str | int) -> t.Any:
        try:
            return self._netlink.link(command, **arguments)
        except self._refusal as exc:
            number = int(getattr(exc, "code", 0))
            raise DeviceError(os.strerror(number), errno=number) from exc


def link_state(message: t.Any) -> LinkState:
    """From pyroute2's message; anything that offers ``[field]`` and ``get_attr`` will do."""
    name, kind, data = message.get_attr("IFLA_IFNAME"), "", None
    info = message.get_attr("IFLA_LINKINFO")
    if info:
        kind, data = info.get_attr("IFLA_INFO_KIND") or "", info.get_attr("IFLA_INFO_DATA")
    common: dict[str, t.Any] = {
        "mtu": message.get_attr("IFLA_MTU"),
        "up": bool(message["flags"] & IFF_UP),
        "carrier": bool(message.get_attr("IFLA_CARRIER")),
        "master": message.get_attr("IFLA_MASTER") or None,
    }
    if kind != "tun" or not data:
        return LinkState(name, message["index"], kind, **common)
    tun = _tun_attributes(data)
    flags = tun.get("IFLA_TUN_TYPE", 0) | (0 if tun.get("IFLA_TUN_PI") else IFF_NO_PI)
    for attribute, flag in (
        ("IFLA_TUN_VNET_HDR", IFF_VNET_HDR),
        ("IFLA_TUN_PERSIST", IFF_PERSIST),
        ("IFLA_TUN_MULTI_QUEUE", IFF_MULTI_QUEUE),
    ):
        flags |= flag if tun.get(attribute) else 0
    return LinkState(
        name,
        message["index"],
        kind,
        **common,
        tun_flags=flags,
        owner=tun.get("IFLA_TUN_OWNER"),
        group=tun.get("IFLA_TUN_GROUP"),
        queues=tun.get("IFLA_TUN_NUM_QUEUES"),
        disabled_queues=tun.get("IFLA_TUN_NUM_DISABLED_QUEUES", 0),
    )


def _tun_attributes(data: t.Any) -> dict[str, int]:
    """Those that the kernel sent: an owner, for one, is only told of where there is one."""
    if isinstance(data, str):
        return _decoded(bytes.fromhex(data.replace(":", "")))
    found = ((name, data.get_attr(name)) for name in TUN_ATTRIBUTES)
    return {name: value for name, value in found if value is not None}


def _decoded(data: bytes) -> dict[str, int]:
    """pyroute2 before 0.6 does not know the driver's attributes and hands them over as a hex dump."""
    found, offset = {}, 0
    while offset + ATTRIBUTE.size <= len(data):
        length, number = ATTRIBUTE.unpack_from(data, offset)
        if length < ATTRIBUTE.size:
            break
        if 1 <= number <= len(TUN_ATTRIBUTES):
            value = data[offset + ATTRIBUTE.size : offset + length]
            found[TUN_ATTRIBUTES[number - 1]] = int.from_bytes(value, sys.byteorder)
        offset += (length + 3) & ~3
    return found


def _import_pyroute2() -> t.Any:
    """Only when it is needed: it is not on every host that imports this file, and it takes 300 ms."""
    try:
        import pyroute2
    except ImportError as exc:
        raise CapabilityError(
            "pyroute2 is needed on the hypervisor to make and change network devices; "
            f"install python3-pyroute2 (its import failed: {exc})"
        ) from exc
    return pyroute2
