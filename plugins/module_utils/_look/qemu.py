# Copyright (c) 2026, virtnet.rss contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to the collection: what a QEMU process was told about its virtio-net devices, read from its arguments.
#
# Both syntaxes are understood: key=value,... with doubled commas, and JSON, which libvirt uses with newer QEMU. What
# was plugged in later over QMP is not in the arguments. The process may be anybody's and call itself what it likes:
# every word has a type, everything has a limit, and what is beyond it is told in ``Guest.oddity``.

from __future__ import annotations

import json
import os
import re
import typing as t
from dataclasses import dataclass, replace

from ansible_collections.virtnet.rss.plugins.module_utils._look.processes import LARGEST

if t.TYPE_CHECKING:
    from ansible_collections.virtnet.rss.plugins.module_utils._look.processes import Processes

__all__ = ("Guest", "Nic", "is_libvirt", "mac_of_card", "parse_arguments", "read_guest")

TRUE, FALSE = ("on", "yes", "true", "y", "1"), ("off", "no", "false", "n", "0")
VIRTIO_NET = "virtio-net"
DESCRIPTOR = re.compile(r"[0-9]{1,7}")
MAC = re.compile(r"[0-9a-f]{1,2}(?::[0-9a-f]{1,2}){5}")
# libvirt gives the host's end the guest's address with another first byte (virNetDevTapCreateInBridgePort).
LIBVIRT_TAP = "fe:"
MADE_UP = ("54:00:", "52:")  # libvirt and QEMU make up addresses that begin with 52:54:00
# Its own name, a distribution's, and one that a wrapper took over: .qemu-system-x86_64-wrapped, qemu-kvm, kvm.
QEMU = re.compile(r"qemu-(?:system-|kvm)|^\.?kvm(?:$|[ .-])")
LIBVIRT_SECRET = "masterKey0"  # the id of an -object that libvirt gives each QEMU
LIBVIRT = re.compile(r"\.?(?:libvirtd|virtqemud)(?:$|[ -])")
OPTIONS = ("netdev", "nic", "net", "device", "global", "name", "object")
BACKENDS = ("tap", "bridge")

MOST_OPTIONS = 4096  # that are looked into
MOST_CARDS = 256  # a guest has as many PCI slots without bridges of its own
LONGEST_NAME = 255  # letters of a guest's name
LONGEST_IFNAME = 15  # bytes: IFNAMSIZ less the terminating zero
MOST_DESCRIPTORS = 256  # MAX_TAP_QUEUES of the driver

Options = t.Dict[str, t.Union[str, bool]]


@dataclass(frozen=True)
class Nic:
    """One virtio-net device of a guest that is backed by a TAP device. None: the arguments do not tell."""

    index: int  # its place among the guest's virtio-net cards on TAP devices, from 0
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
    by_libvirt: bool = False  # libvirt has started it
    oddity: str = ""  # why not all of its arguments are believed, or even read
    unread: bool = False  # they could not be read now, which may pass

    def nic_of(self, device: str, descriptors: t.Collection[int], mac: str | None = None) -> Nic | None:
        """The network card behind a TAP device that this process holds with these descriptors.

        ``mac`` is the device's own address. What belongs to the device now comes first: a card that was unplugged is
        still on the command line, and the next one gets its descriptors' numbers.
        """
        for nic in self.nics:
            if nic.ifname == device:
                return nic
        candidates = self.nics
        if mac and mac.startswith(LIBVIRT_TAP):
            fits = tuple(nic for nic in self.nics if nic.mac and nic.mac[2:] == mac[2:])
            if len(fits) == 1:
                return fits[0]
            # By chance one device of 64 has such an address without libvirt.
            candidates = fits if fits or self.by_libvirt else candidates
        held = set(descriptors)
        for nic in candidates:
            if nic.descriptors and held == set(nic.descriptors):
                return nic
        if self.by_libvirt:
            return None
        # QEMU lets the kernel choose a name when it was given none; with one card there is no doubt.
        unnamed = [nic for nic in self.nics if nic.ifname is None and not nic.descriptors]
        return unnamed[0] if len(unnamed) == len(self.nics) == 1 else None


def mac_of_card(tap_mac: str | None) -> str | None:
    """The guest's address of a card that was plugged in later, by the address that libvirt gave its TAP device; None
    where the first byte cannot be told."""
    if tap_mac and tap_mac.startswith(LIBVIRT_TAP + MADE_UP[0]):
        return MADE_UP[1] + tap_mac[len(LIBVIRT_TAP) :]
    return None


def is_libvirt(pid: int, processes: Processes) -> bool:
    """Whether a process runs libvirt's daemon. Its command does not tell: between fork and exec of a QEMU that is the
    name of a thread, such as rpc-libvirtd. DeviceError when the process makes us wait."""
    return LIBVIRT.match(processes.program(pid)) is not None  # " (deleted)" follows after an upgrade


def read_guest(pid: int, processes: Processes) -> Guest | None:
    """The guest of a process; None when that is no QEMU, or has gone. A QEMU under another name is known by arguments
    that give a network card a TAP device. DeviceError when the process makes us wait."""
    is_named = QEMU.search(processes.program(pid)) is not None
    content = processes.arguments(pid)
    if not content:  # it has gone, or is about to become another program
        return Guest(pid, oddity="it has no arguments", unread=True) if is_named else None
    if len(content) > LARGEST:
        return Guest(pid, oddity=f"its arguments have more than {LARGEST} bytes") if is_named else None
    guest = parse_arguments(os.fsdecode(content).rstrip("\0").split("\0"))
    return replace(guest, pid=pid) if is_named or guest.nics else None


def parse_arguments(arguments: t.Sequence[str]) -> Guest:
    """From an argument vector; what cannot be understood is left out."""
    given = [
        (option.lstrip("-"), value)
        for option, value in zip(arguments, arguments[1:])
        if option.startswith("-") and option.lstrip("-") in OPTIONS
    ]
    oddities = [f"it has more than {MOST_OPTIONS} options for devices"] if len(given) > MOST_OPTIONS else []
    found: dict[str, list[str]] = {option: [] for option in OPTIONS}
    for option, value in given[:MOST_OPTIONS]:
        found[option].append(value)
    nics = _cards(given[:MOST_OPTIONS], found)
    if len(nics) > MOST_CARDS:
        oddities.append(f"it has more than {MOST_CARDS} network cards")
    names = [_text(parse_options(value, "guest"), "guest") or "" for value in found["name"]]
    name = names[-1] if names else ""
    if len(name) > LONGEST_NAME:
        name, oddities = "", [*oddities, f"its name has more than {LONGEST_NAME} letters"]
    by_libvirt = any(LIBVIRT_SECRET in value for value in found["object"])
    return Guest(0, name, tuple(nics[:MOST_CARDS]), by_libvirt, "; ".join(oddities))


def _cards(given: list[tuple[str, str]], found: dict[str, list[str]]) -> list[Nic]:
    """In the order of the options that make cards, which is the order in which the guest finds them."""
    backends = {}
    for value in found["netdev"]:
        options = parse_options(value, "type")
        if options.get("type") in BACKENDS and _text(options, "id"):
            backends[options["id"]] = options
    legacy = [each for each in (parse_options(value, "type") for value in found["net"]) if each.get("type") in BACKENDS]
    defaults = _global_defaults(found["global"])
    nics: list[Nic] = []
    for option, value in given:
        card: tuple[Options, Options] | None = None
        if option == "device":
            device = {**defaults, **parse_options(value, "driver")}
            backend = backends.get(device.get("netdev", ""))
            card = (backend, device) if backend and _is_virtio_net(device.get("driver")) else None
        elif option == "nic":
            both = {**defaults, **parse_options(value, "type")}
            card = (both, both) if both.get("type") in BACKENDS and _is_virtio_net(both.get("model")) else None
        elif option == "net":
            card = _legacy_card({**defaults, **parse_options(value, "type")}, legacy)
        if card:
            nics.append(_nic(len(nics), *card))
    return nics


def _legacy_card(options: Options, backends: list[Options]) -> tuple[Options, Options] | None:
    """``-net nic -net tap``: all on one hub, so with one of each there is no doubt."""
    if options.get("type") != "nic" or not _is_virtio_net(options.get("model")) or len(backends) != 1:
        return None
    return backends[0], {**options, "mac": options.get("macaddr", "")}


def parse_options(text: str, first: str) -> Options:
    """One option's value, as texts and switches; ``first`` is the key that may be left out in front. Nothing that we
    look for is a list, a dictionary or null, so those are left out of JSON; numbers become texts."""
    if text.startswith("{"):
        try:
            decoded = json.loads(text)
        except (ValueError, RecursionError):
            return {}
        scalars = {key: value for key, value in decoded.items() if isinstance(value, (str, int))}
        return {key: value if isinstance(value, (bool, str)) else _number(value) for key, value in scalars.items()}
    options: Options = {}
    for number, part in enumerate(text.replace(",,", "\0").split(",")):
        key, equals, value = part.replace("\0", ",").partition("=")
        if not equals:
            key, value = (first, key) if number == 0 else (key, "on")
        options[key] = value
    return options


def _number(value: int) -> str:
    """Python refuses to write more than some thousand digits."""
    return str(value) if abs(value) < 10**15 else ""


def _text(options: Options, word: str) -> str | None:
    """None as well for one that has half of a surrogate pair, which JSON can write: no name has that."""
    value = options.get(word)
    if not isinstance(value, str) or not value:
        return None
    try:
        os.fsencode(value)
    except UnicodeEncodeError:
        return None
    return value


def _global_defaults(values: t.Iterable[str]) -> Options:
    """``-global virtio-net-pci.rss=on``, as it holds for every virtio-net device."""
    defaults: Options = {}
    for value in values:
        driver, dot, setting = value.partition(".")
        if dot and driver.startswith(VIRTIO_NET):
            key, _equals, chosen = setting.partition("=")
            defaults[key] = chosen
    return defaults


def _is_virtio_net(driver: object) -> bool:
    return isinstance(driver, str) and (driver == "virtio" or driver.startswith(VIRTIO_NET))


def _nic(index: int, backend: Options, device: Options) -> Nic:
    ifname, mac = _text(backend, "ifname"), (_text(device, "mac") or "").lower()
    return Nic(
        index=index,
        ifname=ifname if ifname and len(os.fsencode(ifname)) <= LONGEST_IFNAME else None,
        descriptors=_descriptors(backend),
        vhost=_switch(backend.get("vhost", bool(backend.get("vhostfd") or backend.get("vhostfds")))),
        rss=_switch(device.get("rss", False)),
        hash=_switch(device.get("hash", False)),
        mac=_padded(mac) if MAC.fullmatch(mac) else None,
    )


def _padded(mac: str) -> str:
    return ":".join(byte.rjust(2, "0") for byte in mac.split(":"))


def _descriptors(backend: Options) -> tuple[int, ...]:
    """Numbers only: a name stands for a descriptor that was handed over by QMP."""
    given = (_text(backend, "fds") or _text(backend, "fd") or "").split(":", MOST_DESCRIPTORS)[:MOST_DESCRIPTORS]
    return tuple(int(number) for number in given if DESCRIPTOR.fullmatch(number))


def _switch(value: object) -> bool | None:
    if isinstance(value, bool):
        return value
    return True if value in TRUE else False if value in FALSE else None
