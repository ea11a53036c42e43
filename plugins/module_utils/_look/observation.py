# Copyright (c) 2026, virtnet.rss contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to the collection: watches the packets for a guest for some seconds: which queue the driver chose for each,
# and which one a configuration would choose. The device is not touched; all there is of it is a packet socket of ours,
# which the kernel takes away with the process.

from __future__ import annotations

import contextlib
import typing as t
from dataclasses import dataclass, replace

from ansible_collections.virtnet.rss.plugins.module_utils._bpf.libbpf import load_libbpf
from ansible_collections.virtnet.rss.plugins.module_utils._bpf.observe_program import ObserveProgram
from ansible_collections.virtnet.rss.plugins.module_utils._errors import VirtnetRssError
from ansible_collections.virtnet.rss.plugins.module_utils._look.counters import counters_of
from ansible_collections.virtnet.rss.plugins.module_utils._program.rodata import Identity, encode
from ansible_collections.virtnet.rss.plugins.module_utils._rss.config import (
    HASH_TYPES,
    TUNNEL_TYPES,
    hash_types_to_mask,
    tunnel_types_to_mask,
)
from ansible_collections.virtnet.rss.plugins.module_utils._rss.hashing import ONE_WAY
from ansible_collections.virtnet.rss.plugins.module_utils._rss.keys import random_key
from ansible_collections.virtnet.rss.plugins.module_utils._steering.model import STEERED, Desired
from ansible_collections.virtnet.rss.plugins.module_utils._steering.plan import plan
from ansible_collections.virtnet.rss.plugins.module_utils._tun.links import list_links
from ansible_collections.virtnet.rss.plugins.module_utils._tun.netns import entered
from ansible_collections.virtnet.rss.plugins.module_utils._tun.packets import hear, packet_socket

if t.TYPE_CHECKING:
    import socket

    from ansible_collections.virtnet.rss.plugins.module_utils._bpf.observe_program import Passed, Protocol, Taken
    from ansible_collections.virtnet.rss.plugins.module_utils._look.counters import Counters
    from ansible_collections.virtnet.rss.plugins.module_utils._look.look import Sighting
    from ansible_collections.virtnet.rss.plugins.module_utils._program.model import Configuration
    from ansible_collections.virtnet.rss.plugins.module_utils._steering.model import Device
    from ansible_collections.virtnet.rss.plugins.module_utils._tun.links import Link
    from ansible_collections.virtnet.rss.plugins.module_utils._tun.netns import Namespace

    Links = t.Dict[t.Tuple[int, int], Link]

__all__ = ("Observation", "observe", "wanted_configuration")

# What both directions of a flow have in common; the others hash a number of their own.
TWO_ENDS = tuple(name for name in HASH_TYPES if name not in ONE_WAY)
CLOSERS = 32  # threads: the kernel waits for a grace period at each close of a packet socket, some 20 ms


@dataclass(frozen=True)
class Observation:
    """The packets for one guest in ``seconds``. ``reason`` is empty, or says why there is nothing else."""

    seconds: float
    configuration: Configuration | None = None  # what was asked beside the driver
    taken: tuple[Taken, ...] = ()  # for each enabled queue, what the driver chose
    steered: Counters | None = None  # what the configuration would have chosen
    wider: Counters | None = None  # what it would with every hash type and tunnel type; None: it has them all
    passed: Passed | None = None  # directions of flows, as the configuration tells flows apart
    wider_passed: Passed | None = None  # as it would with every hash type and tunnel type
    protocols: t.Mapping[Protocol, int] | None = None
    unseen: int = 0  # packets that the guest got beside these: XDP puts them into a queue without a choice
    reason: str = ""

    @property
    def now(self) -> list[int]:
        """Packets for each enabled queue."""
        return [each.packets for each in self.taken]

    @property
    def would_be(self) -> list[int]:
        """The same, had the configuration chosen."""
        return self.steered.packets(len(self.taken)) if self.steered else []

    @property
    def with_every_word(self) -> list[int]:
        """The same, had it every hash type and tunnel type; empty where it has."""
        return self.wider.packets(len(self.taken)) if self.wider else []

    @property
    def both_ways(self) -> int:
        """Packets of flows of which both directions came to the guest, as they do to one that forwards."""
        return _both_ways(self.steered, self.passed)

    @property
    def both_ways_with_every_word(self) -> int:
        """The same, had the configuration every hash type and tunnel type."""
        return _both_ways(self.wider, self.wider_passed)

    @property
    def agreed(self) -> int:
        """Packets that took the very queue that the configuration names."""
        return sum(each.agreed for each in self.taken)


def wanted_configuration(device: Device, desired: Desired | None = None) -> Configuration:
    """What ``desired`` makes of a device; without it, what steers the device now, or the defaults with a random key.

    InputError where it cannot be had, such as a table for more queues than are enabled.
    """
    current = device.program.configuration if device.program else None
    if desired is None and device.state == STEERED and current:
        return current
    asked = replace(desired or Desired(), present=True, foreign="replace")
    step = plan(asked, device, new_key=random_key)
    if step.configuration is None:  # a plan to steer, with nothing left alone, has one
        raise AssertionError(step)
    return step.configuration


def observe(
    sightings: t.Sequence[Sighting],
    configure: t.Callable[[Sighting], Configuration],
    seconds: float,
    *,
    sleep: t.Callable[[float], object],
) -> list[Observation]:
    """One for each device, all watched at the same time; what cannot be watched has a reason.

    ``configure`` gives the configuration to ask beside the driver, and may raise a VirtnetRssError of this collection.
    """
    from concurrent.futures import ThreadPoolExecutor  # here: with logging and threading a MiB that the service saves

    with contextlib.ExitStack() as stack:
        watches = [_Watch(sighting, configure, stack) for sighting in sightings]
        namespaces = {each.namespace.inode: each.namespace for each in sightings}.values()
        for watch in watches:
            watch.begin()
        before = _links(namespaces)
        sleep(seconds)
        after = _links(namespaces)
        with ThreadPoolExecutor(CLOSERS) as closers:  # what comes after the close of a socket is not counted
            list(closers.map(_Watch.end, watches))
        return [watch.read(seconds, before, after) for watch in watches]


class _Watch:
    """One device from its programs to what they counted; whatever fails becomes the reason.

    The first program has the configuration that was asked for, the second one all that it lacks besides. A packet is
    copied once for all sockets of a device, so the second costs little.
    """

    def __init__(
        self, sighting: Sighting, configure: t.Callable[[Sighting], Configuration], stack: contextlib.ExitStack
    ) -> None:
        self._sighting = sighting
        self._stack = stack
        self._programs: list[ObserveProgram] = []
        self._sockets: list[socket.socket] = []
        self.reason = ""
        with self._reasons():
            self.configuration = configure(sighting)
            asked = _as_placed(sighting, self.configuration)
            for configuration in dict.fromkeys((asked, _wider(asked))):
                self._programs.append(stack.enter_context(_program(sighting.device, configuration)))

    @contextlib.contextmanager
    def _reasons(self) -> t.Iterator[None]:
        try:
            yield
        except VirtnetRssError as exc:
            self.reason = str(exc)
        except OSError as exc:  # a packet socket needs CAP_NET_RAW, and the device
            self.reason = f"its packets cannot be watched: {exc.strerror}"

    def begin(self) -> None:
        """Watch from now on."""
        if self.reason:
            return
        with self._reasons(), entered(self._sighting.namespace):
            for program in self._programs:
                watching = self._stack.enter_context(packet_socket())
                self._sockets.append(watching)
                program.attach(watching)
            for watching in self._sockets:
                hear(watching, self._sighting.device.ifindex)

    def end(self) -> None:
        """Watch no longer."""
        for watching in self._sockets:
            watching.close()

    def read(self, seconds: float, before: Links, after: Links) -> Observation:
        """What was seen."""
        device = self._sighting.device
        key = device.id
        if not self.reason and key not in after:
            self.reason = "the device went away while it was watched"
        if not self.reason and after[key].queues not in (None, device.queues):
            self.reason = "its queues changed while it was watched; watch again"
        if self.reason:
            return Observation(seconds, reason=self.reason)
        try:
            return self._observation(seconds, _to_guest(after.get(key)) - _to_guest(before.get(key)))
        except VirtnetRssError as exc:
            return Observation(seconds, reason=str(exc))

    def _observation(self, seconds: float, given: int) -> Observation:
        first, queues = self._programs[0], self.configuration.queues
        taken = first.taken(max(self._sighting.device.queues, 1))
        asked = [counters_of(load_libbpf(), program.counters_map, queues) for program in self._programs]
        passed = [program.passed() for program in self._programs]
        return Observation(
            seconds,
            self.configuration,
            tuple(taken),
            asked[0],
            asked[1] if len(asked) > 1 else None,
            passed[0],
            passed[1] if len(passed) > 1 else None,
            first.protocols(),
            max(given - sum(each.packets for each in taken), 0),
        )


def _both_ways(counters: Counters | None, passed: Passed | None) -> int:
    """Flows that found no room are taken for what those are that did."""
    if not counters or not passed or not passed.followed:
        return 0
    two_ends = sum(packets for reason, packets in counters.by_reason().items() if reason in TWO_ENDS)
    return round(passed.both * max(two_ends / passed.followed, 1))


def _as_placed(sighting: Sighting, configuration: Configuration) -> Configuration:
    """Without a live table, which the observer has not: with the entries where they are now, if that is what steers."""
    program, rss = sighting.device.program, configuration.rss
    if sighting.placement and program and program.configuration and program.configuration.rss == rss:
        rss = replace(rss, indirection=tuple(sighting.placement.current[: len(rss.indirection)]))
    return replace(configuration, rss=rss, guard=None)


def _wider(configuration: Configuration) -> Configuration:
    """With every hash type and every tunnel that the program knows."""
    rss = configuration.rss
    hash_types, tunnel_types = hash_types_to_mask(HASH_TYPES), tunnel_types_to_mask(TUNNEL_TYPES)
    return replace(configuration, rss=replace(rss, hash_types=hash_types, tunnel_types=tunnel_types))


def _program(device: Device, configuration: Configuration) -> ObserveProgram:
    counting = replace(configuration, statistics=True)
    rodata = encode(Identity(device.name, device.id), counting)
    return ObserveProgram(load_libbpf(), rodata, queues=configuration.queues, enabled=device.queues)


def _links(namespaces: t.Iterable[Namespace]) -> Links:
    found: Links = {}
    for namespace in namespaces:
        with contextlib.suppress(VirtnetRssError), entered(namespace):
            found.update(((namespace.inode, link.ifindex), link) for link in list_links() if link.is_tap)
    return found


def _to_guest(link: Link | None) -> int:
    return link.traffic.to_guest if link and link.traffic else 0
