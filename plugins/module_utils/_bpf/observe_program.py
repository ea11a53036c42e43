# Copyright (c) 2026, virtnet.rss contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to the collection: the observer (bpf/observe.bpf.c), a packet socket's filter that counts and keeps no packet.

from __future__ import annotations

import ctypes
import errno
import socket
import struct
import typing as t

from ansible_collections.virtnet.rss.plugins.module_utils._bpf.bpf_object import BpfObject
from ansible_collections.virtnet.rss.plugins.module_utils._bpf.closing import Closing
from ansible_collections.virtnet.rss.plugins.module_utils._bpf.embedded import embedded_object
from ansible_collections.virtnet.rss.plugins.module_utils._bpf.generated import (
    enter_object,
    observe_object,
)
from ansible_collections.virtnet.rss.plugins.module_utils._bpf.generated import observe_abi as abi
from ansible_collections.virtnet.rss.plugins.module_utils._bpf.inventory import map_info, read_per_cpu
from ansible_collections.virtnet.rss.plugins.module_utils._bpf.steering_builds import PLAIN
from ansible_collections.virtnet.rss.plugins.module_utils._errors import ObjectError

if t.TYPE_CHECKING:
    from ansible_collections.virtnet.rss.plugins.module_utils._bpf.libbpf import Libbpf

__all__ = ("ObserveProgram", "Passed", "Protocol", "Taken")

SO_ATTACH_BPF = 50  # include/uapi/asm-generic/socket.h
COUNTER, NUMBER = struct.Struct("=Q"), struct.Struct("=I")


class Taken(t.NamedTuple):
    """Packets on one queue."""

    packets: int
    agreed: int  # of them, those that the configuration sends there as well


class Protocol(t.NamedTuple):
    """What kind a packet is, in host byte order (struct protocol of bpf/observe.h); all 0: others."""

    eth_type: int
    ip_proto: int
    port: int  # of UDP, where it is one of a tunnel or of IPsec
    fragment: bool


class Passed(t.NamedTuple):
    """Packets of flows that have two ends which tell them apart (bpf/ways.h)."""

    followed: int  # the flow was one of the first, which are followed
    both: int  # of them, those of flows of which both directions came


class ObserveProgram(Closing):
    """A loaded observer; it works from attach() until the socket is closed, and close() ends it."""

    def __init__(self, libbpf: Libbpf, steering: bytes, *, queues: int, enabled: int) -> None:
        """``steering`` is the .rodata of a steering program, plain or full, that can name ``queues`` queues, and
        ``enabled`` are the device's now. Raises VerifierError and ObjectError.
        """
        self._libbpf = libbpf
        name = "observe" if len(steering) == PLAIN.rodata_size else "observe_full"
        self._object = BpfObject(libbpf, embedded_object(name))
        self._entrance = BpfObject(libbpf, embedded_object("enter"))
        try:
            self._object.set_rodata(_rodata(steering, enabled))
            self._object.set_max_entries(observe_object.MAP_QUEUE_COUNTERS, queues)
            self._object.load()
            self._make_others()
            self._entrance.load()
            self._lead_in()
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Give back the descriptors."""
        self._entrance.close()
        self._object.close()

    def attach(self, packets: socket.socket) -> None:
        """Make it the filter of a packet socket (SOCK_RAW: the filter sees the frame from its Ethernet header on)."""
        entrance = self._entrance.program_fd(enter_object.PROGRAM)
        packets.setsockopt(socket.SOL_SOCKET, SO_ATTACH_BPF, struct.pack("=i", entrance))

    def taken(self, queues: int) -> list[Taken]:
        """What the driver chose: the packets on each of the first ``queues`` queues."""
        size = ctypes.sizeof(abi.Observed)
        descriptor = self._object.map_fd(observe_object.MAP_OBSERVED)
        found = []
        for values in read_per_cpu(self._libbpf, descriptor, size, range(queues)):
            records = [abi.Observed.from_buffer_copy(value) for value in values]
            found.append(Taken(sum(each.packets for each in records), sum(each.agreed for each in records)))
        return found

    @property
    def counters_map(self) -> int:
        """Descriptor of the steering code's own counters: what the configuration would have chosen."""
        return self._object.map_fd(observe_object.MAP_QUEUE_COUNTERS)

    def protocols(self) -> dict[Protocol, int]:
        """Packets of each kind that was seen."""
        descriptor, key, found = self._protocols, abi.Protocol(), {}
        previous: t.Any = None
        size = COUNTER.size * self._libbpf.call("libbpf_num_possible_cpus")
        value = ctypes.create_string_buffer(size)
        while self._follows(descriptor, previous, key):
            self._libbpf.call("bpf_map_lookup_elem", descriptor, ctypes.byref(key), value)
            packets = sum(number for (number,) in COUNTER.iter_unpack(value.raw))
            kind = Protocol(key.eth_type, key.ip_proto, key.port, bool(key.fragment))
            if packets:
                found[kind] = packets
            previous = abi.Protocol.from_buffer_copy(key)
        return found

    def passed(self) -> Passed:
        """Packets by whether their flow came in both directions, of the flows that were followed."""
        flows = self._object.map_fd(observe_object.MAP_FLOWS)
        known = map_info(self._libbpf, flows)
        keys, values = (
            ctypes.create_string_buffer(known.max_entries * known.key_size),
            (abi.Passed * known.max_entries)(),
        )
        count, place = ctypes.c_uint32(known.max_entries), ctypes.c_uint64()
        out = (ctypes.byref(place), keys, values, ctypes.byref(count))
        try:
            self._libbpf.call("bpf_map_lookup_batch", flows, None, *out, None)
        except ObjectError as exc:
            if exc.errno != errno.ENOENT:  # which says that these are all
                raise
        by_flow = [tuple(value.packets) for value in values[: count.value]]
        return Passed(sum(map(sum, by_flow)), sum(sum(packets) for packets in by_flow if all(packets)))

    def _follows(self, descriptor: int, previous: t.Any, key: ctypes.Structure) -> bool:
        """Put the key behind ``previous`` (None: the first one) into ``key``; False at the end."""
        try:
            before = None if previous is None else ctypes.byref(previous)
            self._libbpf.call("bpf_map_get_next_key", descriptor, before, ctypes.byref(key))
        except ObjectError as exc:
            if exc.errno == errno.ENOENT:
                return False
            raise
        return True

    @property
    def _protocols(self) -> int:
        return self._object.map_fd(observe_object.MAP_PROTOCOLS)

    def _lead_in(self) -> None:
        """From the entrance to the observer. The kernel takes it out again when the entrance's map is closed."""
        key, descriptor = ctypes.c_uint32(0), ctypes.c_uint32(self._object.program_fd(observe_object.PROGRAM))
        observer = self._entrance.map_fd(enter_object.MAP_OBSERVER)
        self._libbpf.call("bpf_map_update_elem", observer, ctypes.byref(key), ctypes.byref(descriptor), 0)

    def _make_others(self) -> None:
        """The element that takes what has no room."""
        zeros = bytes(COUNTER.size * self._libbpf.call("libbpf_num_possible_cpus"))
        self._libbpf.call("bpf_map_update_elem", self._protocols, ctypes.byref(abi.Protocol()), zeros, 0)


def _rodata(steering: bytes, enabled: int) -> bytes:
    """The steering program's own .rodata is the beginning of the observer's, which has one number behind it."""
    return steering + NUMBER.pack(enabled)
