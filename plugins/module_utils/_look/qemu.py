# Copyright (c) 2026, virtnet.rss contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to the collection: what a QEMU process was told about its virtio-net devices, read from its arguments.
#
# Both syntaxes are understood: key=value,... with doubled commas, and JSON, which libvirt uses with newer QEMU. What
# was plugged in later over QMP is not in the arguments.

from __future__ import annotations

import json
import os
import re
import typing as t
from dataclasses import dataclass, replace

__all__ = ("Guest", "Nic", "is_libvirt", "is_qemu", "parse_arguments", "read_guest")

TRUE, FALSE = ("on", "yes", "true", "y", "1"), ("off", "no", "false", "n", "0")
VIRTIO_NET = "virtio-net"
DESCRIPTOR = re.compile(r"[0-9]{1,7}")
Options = t.Dict[str, t.Any]


@dataclass(frozen=True)
class Nic:
    """One virtio-net device of a guest that is backed by a TAP device. None: the arguments do not tell."""

    index: int  # its place among the guest's -device options for network cards, from 0
    ifname: str | None = None  # the TAP device's name when QEMU opened it
    descriptors: tuple[int, ...] = ()  # or the descriptors that it was handed
    vhost: bool | None = False
    rss: bool | None = False
    hash: bool | None = False
    mac: str | None = None


@dataclass(frozen=True)
class Guest:
    """One QEMU process."""

    pid: int
    name: str = ""  # -name guest=, which is libvirt's domain
    nics: tuple[Nic, ...] = ()

    def nic_of(self, device: str, descriptors: t.Collection[int]) -> Nic | None:
        """The network card behind a TAP device that this process holds with these descriptors."""
        for nic in self.nics:
            if not set(descriptors).isdisjoint(nic.descriptors):
                return nic
        for nic in self.nics:
            if nic.ifname == device:
                return nic
        # QEMU lets the kernel choose a name when it was given none; with one card there is no doubt.
        unnamed = [nic for nic in self.nics if nic.ifname is None and not nic.descriptors]
        return unnamed[0] if len(unnamed) == len(self.nics) == 1 else None


def is_qemu(pid: int) -> bool:
    """Whether a process runs QEMU's binary, whatever it calls itself."""
    return _program(pid).startswith(("qemu-system-", "qemu-kvm", "kvm"))


def is_libvirt(pid: int) -> bool:
    """Whether a process runs libvirt's daemon. Its command does not tell: between fork and exec of a QEMU that is the
    name of a thread, such as rpc-libvirtd."""
    return _program(pid).split(" ")[0] in ("libvirtd", "virtqemud")  # " (deleted)" follows after an upgrade


def _program(pid: int) -> str:
    try:
        return os.path.basename(os.readlink(f"/proc/{pid}/exe"))
    except OSError:
        return ""


def read_guest(pid: int) -> Guest | None:
    """The guest of a process; None when that is no QEMU, or has gone."""
    if not is_qemu(pid):
        return None
    try:
        with open(f"/proc/{pid}/cmdline", "rb") as cmdline:
            arguments = os.fsdecode(cmdline.read()).rstrip("\0").split("\0")
    except OSError:
        return None
    return replace(parse_arguments(arguments), pid=pid)


def parse_arguments(arguments: t.Sequence[str]) -> Guest:
    """From an argument vector; what cannot be understood is left out."""
    given = [(option.lstrip("-"), value) for option, value in zip(arguments, arguments[1:]) if option.startswith("-")]
    netdevs = {}
    for option, value in given:
        options = parse_options(value, "type") if option == "netdev" else {}
        if options.get("type") == "tap" and "id" in options:
            netdevs[options["id"]] = options
    defaults = _global_defaults(value for option, value in given if option == "global")
    nics: list[Nic] = []
    for option, value in given:
        if option == "device":
            device = {**defaults, **parse_options(value, "driver")}
            if device.get("netdev") in netdevs and _is_virtio_net(device):
                nics.append(_nic(len(nics), netdevs[device["netdev"]], device))
        elif option == "nic":
            both = {**defaults, **parse_options(value, "type")}
            if both.get("type") == "tap" and VIRTIO_NET in both.get("model", ""):
                nics.append(_nic(len(nics), both, both))
    names = [parse_options(value, "guest").get("guest", "") for option, value in given if option == "name"]
    return Guest(0, names[-1] if names else "", tuple(nics))


def parse_options(text: str, first: str) -> Options:
    """One option's value; ``first`` is the key that may be left out in front. Of JSON the texts, numbers and switches
    are taken: nothing that we look for is a list or a dictionary, and the process may be anybody's."""
    if text.startswith("{"):
        try:
            decoded = json.loads(text)
        except (ValueError, RecursionError):
            return {}
        scalars = {key: value for key, value in decoded.items() if isinstance(value, (str, int, float))}
        return {key: value if isinstance(value, bool) else str(value) for key, value in scalars.items()}
    options: Options = {}
    for number, part in enumerate(text.replace(",,", "\0").split(",")):
        key, equals, value = part.replace("\0", ",").partition("=")
        if not equals:
            key, value = (first, key) if number == 0 else (key, "on")
        options[key] = value
    return options


def _global_defaults(values: t.Iterable[str]) -> Options:
    """``-global virtio-net-pci.rss=on``, as it holds for every virtio-net device."""
    defaults: Options = {}
    for value in values:
        driver, dot, setting = value.partition(".")
        if dot and driver.startswith(VIRTIO_NET):
            key, _equals, chosen = setting.partition("=")
            defaults[key] = chosen
    return defaults


def _is_virtio_net(device: Options) -> bool:
    return str(device.get("driver", "")).startswith(VIRTIO_NET)


def _nic(index: int, netdev: Options, device: Options) -> Nic:
    return Nic(
        index=index,
        ifname=netdev.get("ifname"),
        descriptors=_descriptors(netdev),
        vhost=_switch(netdev.get("vhost", bool(netdev.get("vhostfd") or netdev.get("vhostfds")))),
        rss=_switch(device.get("rss", False)),
        hash=_switch(device.get("hash", False)),
        mac=str(device["mac"]).lower() if "mac" in device else None,
    )


def _descriptors(netdev: Options) -> tuple[int, ...]:
    """Numbers only: a name stands for a descriptor that was handed over by QMP."""
    given = str(netdev.get("fds", netdev.get("fd", "")))
    return tuple(int(number) for number in given.split(":") if DESCRIPTOR.fullmatch(number))


def _switch(value: object) -> bool | None:
    if isinstance(value, bool):
        return value
    text = str(value).lower()
    return True if text in TRUE else False if text in FALSE else None
