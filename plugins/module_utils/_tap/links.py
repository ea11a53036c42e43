# Copyright (c) 2026, virtnet.rss contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to the collection: changes network devices over rtnetlink, with pyroute2; _tun.links reads them.

from __future__ import annotations

import abc
import os
import typing as t

from ansible_collections.virtnet.rss.plugins.module_utils._errors import CapabilityError, DeviceError

__all__ = ("Links", "PyrouteLinks")

NO_MASTER = 0


class Links(abc.ABC):
    """Network devices of one network namespace. Every method raises DeviceError with the kernel's errno."""

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

    def set_mtu(self, ifindex: int, mtu: int) -> None:
        self._set(ifindex, mtu=mtu)

    def set_master(self, ifindex: int, master: int | None) -> None:
        self._set(ifindex, master=NO_MASTER if master is None else master)

    def set_up(self, ifindex: int, up: bool) -> None:
        self._set(ifindex, state="up" if up else "down")

    def _set(self, ifindex: int, **what: str | int) -> None:
        try:
            self._netlink.link("set", index=ifindex, **what)
        except self._refusal as exc:
            number = int(getattr(exc, "code", 0))
            raise DeviceError(os.strerror(number), errno=number) from exc


def _import_pyroute2() -> t.Any:
    """Only when it is needed: it is not on every host that imports this file, and it takes 130 ms."""
    try:
        import pyroute2
    except ImportError as exc:
        raise CapabilityError(
            "pyroute2 is needed on the hypervisor to make and change network devices; "
            f"install python3-pyroute2 (its import failed: {exc})"
        ) from exc
    return pyroute2
