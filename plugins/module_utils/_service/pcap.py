# Copyright (c) 2026, virtnet.rss contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to the collection: the frames of a capture file, by the library that the host has.

from __future__ import annotations

import importlib
import struct
import typing as t

from ansible_collections.virtnet.rss.plugins.module_utils._errors import CapabilityError, InputError
from ansible_collections.virtnet.rss.plugins.module_utils._rss.frame import ETHERNET

__all__ = ("read_pcap",)

# Where layer 3 starts behind the link types that a TAP or TUN device has: Ethernet; raw IP as BSD, tcpdump, IPv4, IPv6.
L3_OFFSETS = {1: ETHERNET, 12: 0, 14: 0, 101: 0, 228: 0, 229: 0}
LARGEST = 1 << 28  # bytes of a file


def read_pcap(path: str) -> tuple[list[bytes], int]:
    """The frames of a pcap or pcapng file as far as they were captured, and where layer 3 starts in each.

    CapabilityError without dpkt and scapy; InputError for a file that is none, or of another link type.
    """
    read = _reader()
    try:
        with open(path, "rb") as file:
            if file.seek(0, 2) > LARGEST:
                raise InputError("pcap", path, f"it has at most {LARGEST} bytes")
            file.seek(0)
            link_type, frames = read(file)
    except OSError as exc:
        raise InputError("pcap", path, f"it cannot be read: {exc.strerror}") from exc
    except (ValueError, EOFError, struct.error, _library_errors()) as exc:
        raise InputError("pcap", path, f"it is no pcap or pcapng file: {exc}") from exc
    if link_type not in L3_OFFSETS:
        raise InputError(
            "pcap", f"link type {link_type}", "packets of a TAP device are Ethernet, of a TUN device raw IP"
        )
    return frames, L3_OFFSETS[link_type]


def _reader() -> t.Callable[[t.BinaryIO], tuple[int, list[bytes]]]:
    for name, read in (("dpkt", _with_dpkt), ("scapy.utils", _with_scapy)):
        try:
            importlib.import_module(name)
        except ImportError:
            continue
        return read
    raise CapabilityError("a pcap file is read by dpkt or scapy, and neither is there: install python3-dpkt")


def _with_dpkt(file: t.BinaryIO) -> tuple[int, list[bytes]]:
    dpkt = importlib.import_module("dpkt")
    reader = dpkt.pcap.UniversalReader(file)
    return int(reader.datalink()), [bytes(frame) for _time, frame in reader]


def _with_scapy(file: t.BinaryIO) -> tuple[int, list[bytes]]:
    utils = importlib.import_module("scapy.utils")
    reader = utils.RawPcapReader(file)
    frames, link_type = [], getattr(reader, "linktype", None)
    for frame, metadata in reader:
        frames.append(bytes(frame))
        link_type = getattr(metadata, "linktype", link_type)  # pcapng has one for each interface
    return int(1 if link_type is None else link_type), frames


def _library_errors() -> type[Exception]:
    """What dpkt raises; scapy's is an EOFError or a ValueError's child."""
    try:
        return t.cast("type[Exception]", importlib.import_module("dpkt").Error)
    except ImportError:
        return t.cast("type[Exception]", importlib.import_module("scapy.error").Scapy_Exception)
