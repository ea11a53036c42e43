# Copyright (c) 2026, virtnet.rss contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to the collection: packet sockets (packet(7)) by a device's index: Python's own bind() takes a name, which has
# to be UTF-8, and which another device may have got meanwhile.

from __future__ import annotations

import ctypes
import socket
import struct

from ansible_collections.virtnet.rss.plugins.module_utils._tun.libc import c_call

__all__ = ("hear", "packet_socket")

ALL_PROTOCOLS = 3  # ETH_P_ALL


def packet_socket() -> socket.socket:
    """One that hears nothing until hear(): it has no protocol. OSError without CAP_NET_RAW."""
    return socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)


def hear(packets: socket.socket, ifindex: int) -> None:
    """From now on, all packets of this device of this network namespace. OSError: there is none."""
    # struct sockaddr_ll: the protocol is in network byte order, the rest in the host's
    address = struct.pack("=HHiHBB8x", socket.AF_PACKET, socket.htons(ALL_PROTOCOLS), ifindex, 0, 0, 0)
    buffer = ctypes.create_string_buffer(address, len(address))
    c_call("bind", packets.fileno(), ctypes.addressof(buffer), len(address))
