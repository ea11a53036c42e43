# SPDX-License-Identifier: GPL-3.0-or-later
"""Numbered packets through a held four-queue TAP device while its steering program is exchanged all the time: nothing
lost, nothing doubled, nothing on a queue of neither side, order kept inside a flow.

Another process sends without a pause, numbers its frames, and reads a phase from shared memory around each one:
2 n while configuration n steers the device, 2 n + 1 while n is being exchanged for n + 1. The kernel chooses the queue
inside send(), so the phases before and after it bound the configurations that may have chosen.
"""

from __future__ import annotations

import mmap
import multiprocessing
import random
import sys
import time
import typing as t
from dataclasses import dataclass, field

from ansible_collections.virtnet.rss.plugins.module_utils._rss.config import RssConfig
from ansible_collections.virtnet.rss.plugins.module_utils._rss.hashing import steer
from ansible_collections.virtnet.rss.plugins.module_utils._rss.proof import proof_frames
from ansible_collections.virtnet.rss.plugins.module_utils._steering.apply import Applier
from ansible_collections.virtnet.rss.plugins.module_utils._steering.model import Desired, Device
from ansible_collections.virtnet.rss.plugins.module_utils._steering.observe import Observer
from ansible_collections.virtnet.rss.plugins.module_utils._steering.plan import plan
from ansible_collections.virtnet.rss.plugins.module_utils._tun.links import list_links
from ansible_collections.virtnet.rss.tests.robustness.figures import keep, parser_of
from ansible_collections.virtnet.rss.tests.support.held_tap import FLAGS, HeldTap
from ansible_collections.virtnet.rss.tests.support.netns import enter_new_network_namespace

if t.TYPE_CHECKING:
    from multiprocessing.connection import Connection

__all__ = ("Tally", "exchange_under_traffic")

QUEUES = 4
BURST = 50  # frames before their arrival is waited for; the ring of a queue holds 500
PAUSE = 0.002  # seconds between bursts: both processes and the device's holder share two processors
LOOK_EVERY = 100  # exchanges
KEY = bytes(range(40))
NUMBER_SIZE = 8
FLOWS = [frame for frame in proof_frames(seed=3) if len(frame) <= 74]
ANY_QUEUE = frozenset(range(QUEUES))


def main() -> int:
    parser = parser_of("traffic", __doc__)
    parser.add_argument("--packets", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=1000, help="of attach, replace and detach")
    arguments = parser.parse_args()
    enter_new_network_namespace()
    with HeldTap("tap0", QUEUES) as tap:
        tally = exchange_under_traffic(tap, arguments.rounds, arguments.packets)
    for strange in tally.strange[:20]:
        print(strange)
    figures = {
        "exchanges": 3 * arguments.rounds,
        "sent": tally.sent,
        "during_an_exchange": tally.during_a_change,
        "lost": tally.sent - tally.arrived,
        "doubled": tally.doubled,
        "wrong_queue": len(tally.strange),
        "out_of_order": tally.out_of_order,
    }
    print(", ".join(f"{number:,} {word.replace('_', ' ')}" for word, number in figures.items()))
    keep(arguments, figures)
    return 1 if tally.is_bad else 0


def desired(number: int) -> Desired:
    """What configuration ``number`` asks for; 0 is what the device starts with."""
    kind = number % 3
    if kind == 0:
        return Desired(present=False)
    if kind == 1:
        return Desired(hash_key=KEY, fallback="fail")
    return Desired(hash_key=KEY, fallback="fail", redirect=False, default_queue=number // 3 % QUEUES)


def allowed_queues(number: int, flow: int, hashed: t.Sequence[int]) -> frozenset[int]:
    """The queues that configuration ``number`` may give to a flow."""
    kind = number % 3
    if kind == 0:
        return ANY_QUEUE
    return frozenset({hashed[flow] if kind == 1 else number // 3 % QUEUES})


class Shared:
    """Two numbers that two processes share: the phase, and how much was sent."""

    def __init__(self) -> None:
        self._memory = mmap.mmap(-1, 16)
        self._view = memoryview(self._memory).cast("Q")

    @property
    def phase(self) -> int:
        return self._view[0]

    @phase.setter
    def phase(self, value: int) -> None:
        self._view[0] = value

    @property
    def sent(self) -> int:
        return self._view[1]

    @sent.setter
    def sent(self, value: int) -> None:
        self._view[1] = value


@dataclass
class Tally:
    """What became of the traffic."""

    sent: int = 0
    during_a_change: int = 0
    arrived: int = 0
    doubled: int = 0
    out_of_order: int = 0
    strange: list[str] = field(default_factory=list)  # frames on a queue that no configuration allowed

    @property
    def is_bad(self) -> bool:
        return bool(self.strange or self.doubled or self.out_of_order or self.arrived != self.sent)


class Traffic:
    """The sender, which also hears from the device's holder where its frames came out."""

    def __init__(self, tap: HeldTap, shared: Shared) -> None:
        self._tap = tap
        self._shared = shared
        table = tuple(entry % QUEUES for entry in range(128))
        self._hashed = [steer(flow, RssConfig(KEY, 63, table)).queue for flow in FLOWS]
        self._tally = Tally()
        self._last: dict[tuple[int, int], int] = {}  # flow and queue: number of the newest frame there

    def run(self, stop: Connection) -> None:
        """Send until the other side says stop, then tell it the tally."""
        random.seed(1)
        while not stop.poll(PAUSE):
            self._burst()
        stop.send(self._tally)

    def _burst(self) -> None:
        tally = self._tally
        pending: dict[int, tuple[int, int, int]] = {}  # frame's number: flow, phase before it was sent and after
        for number in range(tally.sent, tally.sent + BURST):
            flow = random.randrange(len(FLOWS))
            frame = FLOWS[flow] + number.to_bytes(NUMBER_SIZE, "big")
            before = self._shared.phase
            self._tap.sender.send(frame)
            pending[number] = flow, before, self._shared.phase
        tally.sent += BURST
        self._shared.sent = tally.sent
        tally.during_a_change += sum(before % 2 or before != after for _flow, before, after in pending.values())
        deadline = time.monotonic() + 2
        while pending and time.monotonic() < deadline:
            for queue, frame in self._tap.received():
                self._arrived(queue, int.from_bytes(frame[-NUMBER_SIZE:], "big"), pending)

    def _arrived(self, queue: int, number: int, pending: dict[int, tuple[int, int, int]]) -> None:
        if number not in pending:
            self._tally.doubled += 1
            return
        self._tally.arrived += 1
        flow, before, after = pending.pop(number)
        self._tally.out_of_order += number < self._last.get((flow, queue), 0)
        self._last[flow, queue] = number
        configurations = range(before // 2, (after + 1) // 2 + 1)
        if not any(queue in allowed_queues(each, flow, self._hashed) for each in configurations):
            self._tally.strange.append(f"flow {flow} on queue {queue} in phases {before} to {after}")


def look() -> Device:
    """The kernel's truth about tap0, which has queues and flags that never change."""
    with Observer() as observer:
        (device,) = observer.with_holders(observer.devices()[:1])
    assert (device.name, device.queues, device.disabled_queues, device.tun_flags) == ("tap0", QUEUES, 0, FLAGS)
    return device


def exchange_under_traffic(tap: HeldTap, rounds: int, packets: int = 0) -> Tally:
    """So many rounds of attach, replace and detach, spread over at least so many packets."""
    shared = Shared()
    processes = multiprocessing.get_context("fork")
    ours, theirs = processes.Pipe()
    sender = processes.Process(target=Traffic(tap, shared).run, args=(theirs,), daemon=True)
    sender.start()
    try:
        _exchange(shared, rounds, packets)
        ours.send("stop")
        tally: Tally = ours.recv()
    finally:
        sender.kill()
        sender.join()
        sender.close()
        ours.close()
        theirs.close()
    return tally


def _exchange(shared: Shared, rounds: int, packets: int) -> None:
    """Plan and apply as a run of the module does; the looks between them are left out, but some."""
    device = look()
    applier = Applier(check=False)
    for number in range(1, 3 * rounds + 1):
        while shared.sent < packets * number // (3 * rounds):
            time.sleep(PAUSE)
        shared.phase = 2 * number - 1
        outcome = applier.apply(plan(desired(number), device, new_key=bytes))
        shared.phase = 2 * number
        assert outcome.fallback is None, outcome.fallback
        assert (outcome.action, outcome.changed) == (("detach", "attach", "replace")[number % 3], True)
        assert outcome.way == "copied"
        device = outcome.after
        if number % LOOK_EVERY == 0:
            seen = look()
            assert (seen.state, seen.program) == (device.state, device.program)
            if sys.stdout.isatty():
                print(f"{number} exchanges, {shared.sent:,} packets", end="\r", flush=True)
        link = list_links()[-1]
        assert (link.name, link.queues, link.disabled_queues, link.tun_flags) == ("tap0", QUEUES, 0, FLAGS)


if __name__ == "__main__":
    sys.exit(main())
