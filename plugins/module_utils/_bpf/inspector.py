# Copyright (c) 2026, virtnet.rss contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to the collection: asks the kernel itself for its TAP devices, what steers them and who holds them
# (bpf/inspect.bpf.c). Nothing is opened for that, and nobody is asked.

from __future__ import annotations

import ctypes
import errno
import os
import struct
import typing as t

from ansible_collections.virtnet.rss.plugins.module_utils._bpf.bpf_object import BpfObject
from ansible_collections.virtnet.rss.plugins.module_utils._bpf.closing import Closing
from ansible_collections.virtnet.rss.plugins.module_utils._bpf.embedded import embedded_object
from ansible_collections.virtnet.rss.plugins.module_utils._bpf.generated import inspect_abi as abi
from ansible_collections.virtnet.rss.plugins.module_utils._bpf.generated import inspect_object as names
from ansible_collections.virtnet.rss.plugins.module_utils._bpf.holder_search import HolderSearch, Image, OpenQueue
from ansible_collections.virtnet.rss.plugins.module_utils._bpf.inventory import map_memory
from ansible_collections.virtnet.rss.plugins.module_utils._bpf.libbpf import TestRunOptions
from ansible_collections.virtnet.rss.plugins.module_utils._errors import ObjectError

if t.TYPE_CHECKING:
    from ansible_collections.virtnet.rss.plugins.module_utils._bpf.libbpf import Libbpf

__all__ = ("Hand", "Image", "Inspector", "OpenQueue", "TunDevice")

KERNEL_TYPES = "/sys/kernel/btf/vmlinux"
ROOM = 4096  # devices, and open queues that are searched for; with more the inspector is loaded anew
MOST_ROOM = 1 << 18  # 16 MiB: whoever makes more of them costs himself their being seen
TRIES = 10  # walks, until one comes full circle
OURS = (1 << 64) - 1  # no pidfd: the descriptor is one of this process
NOBODY = 0xFFFFFFFF  # INVALID_UID
# struct device_record; ctypes would take five times as long for a thousand of them
RECORD = struct.Struct(f"=QIIIIIIIII4x{abi.DeviceRecord.name.size}s")
ROUNDS = slice(abi.WalkState.rounds.offset, abi.WalkState.rounds.offset + abi.WalkState.rounds.size)
WALKS = (names.PROGRAM_WALK, names.PROGRAM_WALK_BY_STEPS)
# What looks for holders, and what has to run before, with each of the walks.
SEARCHES = {
    names.PROGRAM_WALK: (names.PROGRAM_FIND_HOLDERS, names.PROGRAM_MARK_FILES),
    names.PROGRAM_WALK_BY_STEPS: (names.PROGRAM_FIND_HOLDERS_BY_FILE, ""),
}


class TunDevice(t.NamedTuple):
    """A device of the tun driver, layer 2 or 3, in whatever network namespace."""

    birth: int  # no other device has this number until the host is started anew; 0: the kernel does not tell
    netns_inode: int
    ifindex: int
    tun_flags: int  # the driver's own, all of them
    queues: int  # attached (enabled)
    disabled_queues: int
    program_id: int | None  # of the steering program
    owner: int | None
    group: int | None
    vnet_header: int  # bytes in front of each packet
    name: str


class Hand(t.NamedTuple):
    """What a descriptor is at this moment: a queue of ``device``, or the reason why it is none."""

    device: TunDevice | None
    reason: str = ""


REASONS = {
    abi.HAND_NO_DEVICE: "it is a queue of no device",
    abi.HAND_OTHER_FILE: "it is another file",
    abi.HAND_NO_FILE: "it is closed",
    abi.HAND_NO_TASK: "its process has gone",
}


class Inspector(Closing):
    """The loaded programs; each question runs one of them once. Use it in a ``with`` block."""

    def __init__(self, libbpf: Libbpf, *, room: int = ROOM, walks: t.Sequence[str] = WALKS) -> None:
        """VerifierError or ObjectError where the kernel does not run such programs (before 5.10), or has no BTF.

        ``room`` is for how many devices and open queues, and ``walks`` are the programs to try, in tests.
        """
        self._libbpf = libbpf
        self._room = Room(room, room)
        self._walks = walks
        self._parts = _load(libbpf, self._room, walks)

    def close(self) -> None:
        """Unload the programs."""
        self._parts.close()

    @property
    def descriptors(self) -> tuple[int, ...]:
        """What a child of this process needs of it to ask in_hand()."""
        return (self._parts.in_hand,)

    def records(self) -> tuple[bytes, int]:
        """What look() makes its list of: the same bytes, the same state; and how many devices there was no room for.

        ObjectError EAGAIN when no walk came full circle.
        """
        for _try in range(TRIES):
            found = self._parts.walk_once()
            if found is None:
                continue
            if found > self._room.devices < MOST_ROOM:
                self._grow(self._room._replace(devices=_more(self._room.devices, found)))
                continue
            seen = min(found, self._room.devices)
            return self._parts.devices[: seen * RECORD.size], found - seen
        raise _broken_off()

    def _grow(self, room: Room) -> None:
        parts = _load(self._libbpf, room, self._walks)
        self._parts.close()
        self._parts, self._room = parts, room

    def look(self) -> list[TunDevice]:
        """Every device of the tun driver on this host, in every network namespace; our own's come first."""
        return devices_of(self.records()[0])

    def look_in(self, netns_inode: int) -> tuple[list[TunDevice], set[int | None]]:
        """The devices of one network namespace, and the programs of all: to make an object of each device of thousands
        takes longer than the walk."""
        everything = list(RECORD.iter_unpack(self.records()[0]))
        here = [_device(fields) for fields in everything if fields[1] == netns_inode]
        return here, {fields[6] or None for fields in everything}

    def in_hand(self, descriptor: int, *, pidfd: int = OURS) -> Hand:
        """What a descriptor of this process is now, or, with a pidfd, one of that process. Nothing is copied."""
        answer = self._parts.ask(descriptor, pidfd)
        if answer.status != abi.HAND_QUEUE:
            return Hand(None, REASONS[answer.status])
        return Hand(_device(RECORD.unpack(bytes(answer.device))))

    def holders(self, devices: t.Collection[tuple[int, int]]) -> list[OpenQueue]:
        """The open queues of these devices, each given by its network namespace's inode and ifindex.

        The kernel compares, and tells at most 512 of one device, however many copies there are. ObjectError EAGAIN
        when no walk came full circle.
        """
        if not devices:
            return []
        for _try in range(TRIES):
            answer = self._parts.search_once(devices)
            if answer is None:
                continue
            found, left_out = answer
            if left_out and self._room.queues < MOST_ROOM:
                queues = _more(self._room.queues, len(found) + left_out)
                self._grow(self._room._replace(queues=queues))
                continue
            return found
        raise _broken_off()


class Room(t.NamedTuple):
    """For what the programs find."""

    devices: int
    queues: int


def _more(room: int, found: int) -> int:
    return min(max(2 * room, 1 << found.bit_length()), MOST_ROOM)


def _broken_off() -> ObjectError:
    return ObjectError(f"{TRIES} walks over the network devices were broken off", errno=errno.EAGAIN)


class Parts:
    """One loaded object, and the memory that Python shares with it."""

    def __init__(self, libbpf: Libbpf, bpf_object: BpfObject, walk: str, room: Room) -> None:
        self._libbpf = libbpf
        self._object = bpf_object
        self.devices = map_memory(bpf_object.map_fd(names.MAP_DEVICES), room.devices * RECORD.size)
        self._state = map_memory(bpf_object.map_fd(names.MAP_STATE), ctypes.sizeof(abi.WalkState))
        self._answer = map_memory(bpf_object.map_fd(names.MAP_ANSWER), ctypes.sizeof(abi.HandAnswer))
        search, before = SEARCHES[walk]
        self._search = HolderSearch(libbpf, bpf_object, search, room.queues)
        self._walk = bpf_object.program_fd(walk)
        self._mark_files = bpf_object.program_fd(before) if before else None
        self.in_hand = bpf_object.program_fd(names.PROGRAM_IN_HAND)
        if walk == names.PROGRAM_WALK_BY_STEPS:
            self._update(bpf_object.map_fd(names.MAP_ITSELF), ctypes.c_uint32(0), self._walk)

    def close(self) -> None:
        for each in (self.devices, self._state, self._answer, self._search):
            each.close()
        self._object.close()

    def walk_once(self) -> int | None:
        """How many devices were found, the first of them in ``devices``; None: it did not come full circle."""
        return self._walked(self._walk)

    def _walked(self, program: int) -> int | None:
        self._state[ROUNDS] = bytes(abi.WalkState.rounds.size)
        self._run(program, None)
        state = abi.WalkState.from_buffer_copy(self._state)
        return int(state.found) if state.ending == abi.WALK_COMPLETE else None

    def search_once(self, devices: t.Collection[tuple[int, int]]) -> tuple[list[OpenQueue], int] | None:
        """The open queues of these devices, and how many there was no room for; None: the walk for their files did not
        come full circle."""
        with self._search.wanted(devices):
            if self._mark_files is not None and self._walked(self._mark_files) is None:
                return None
            return self._search.run()

    def ask(self, descriptor: int, pidfd: int) -> abi.HandAnswer:
        self._run(self.in_hand, abi.Question(descriptor, pidfd))
        return abi.HandAnswer.from_buffer_copy(self._answer)

    def _run(self, program: int, context: ctypes.Structure | None) -> None:
        options = TestRunOptions(size=ctypes.sizeof(TestRunOptions))
        if context is not None:
            options.ctx_in, options.ctx_size_in = ctypes.addressof(context), ctypes.sizeof(context)
        self._libbpf.call("bpf_prog_test_run_opts", program, ctypes.byref(options))

    def _update(self, table: int, key: t.Any, value: int) -> None:
        self._libbpf.call("bpf_map_update_elem", table, ctypes.byref(key), ctypes.byref(ctypes.c_uint32(value)), 0)


def _load(libbpf: Libbpf, room: Room, walks: t.Sequence[str]) -> Parts:
    """With the first of the walks that this kernel takes."""
    *others, last = walks
    for walk in others:
        try:
            return _load_with(libbpf, room, walk)
        except ObjectError as exc:
            if exc.errno in (errno.EPERM, errno.ENOSYS, errno.EMFILE, errno.ENFILE, errno.ENOMEM):
                raise  # no other program would help
    return _load_with(libbpf, room, last)


def _load_with(libbpf: Libbpf, room: Room, walk: str) -> Parts:
    inspector = BpfObject(libbpf, embedded_object("inspect"))
    try:
        for other in WALKS:
            for program in (other, *filter(None, SEARCHES[other])):
                inspector.set_autoload(program, other == walk)
        inspector.set_max_entries(names.MAP_DEVICES, room.devices)
        inspector.set_max_entries(names.MAP_HOLDERS, room.queues)
        inspector.load()
        return Parts(libbpf, inspector, walk, room)
    except BaseException as exc:
        inspector.close()
        # libbpf looks elsewhere too, so the file is no condition; but without it its error tells nothing.
        if isinstance(exc, ObjectError) and not os.path.exists(KERNEL_TYPES):
            reason = f"the kernel does not tell its types (no BTF in {KERNEL_TYPES}): {exc}"
            raise ObjectError(reason, errno=exc.errno) from exc
        raise


def devices_of(records: bytes) -> list[TunDevice]:
    """The devices that records() tells of."""
    return [_device(fields) for fields in RECORD.iter_unpack(records)]


def _device(fields: t.Sequence[t.Any]) -> TunDevice:
    birth, netns, ifindex, flags, queues, disabled, program, owner, group, header, name = fields
    return TunDevice(
        birth,
        netns,
        ifindex,
        flags,
        queues,
        disabled,
        program or None,
        None if owner == NOBODY else owner,
        None if group == NOBODY else group,
        header,
        os.fsdecode(name.partition(b"\0")[0]),
    )
