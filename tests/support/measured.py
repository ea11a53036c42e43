# SPDX-License-Identifier: GPL-3.0-or-later
"""Measures workloads on a real TAP device, with automatic selection and steered, for the page that says when to steer.

Run as a program in a network namespace of its own it prints the rows of the page's table:
`unshare --net python3 -m ansible_collections.virtnet.rss.tests.support.measured`
"""

from __future__ import annotations

import contextlib
import os
import typing as t
from dataclasses import dataclass

from ansible_collections.virtnet.rss.plugins.module_utils._look.advice import Advice, advise
from ansible_collections.virtnet.rss.plugins.module_utils._look.look import look
from ansible_collections.virtnet.rss.plugins.module_utils._look.observation import observe, wanted_configuration
from ansible_collections.virtnet.rss.plugins.module_utils._steering.desired import desired_from
from ansible_collections.virtnet.rss.plugins.module_utils._tun.holders import duplicate_descriptor, find_holders
from ansible_collections.virtnet.rss.plugins.module_utils._tun.netns import current_namespace
from ansible_collections.virtnet.rss.tests.packets.workloads import QUEUES, WORKLOADS, Workload
from ansible_collections.virtnet.rss.tests.support.held_tap import HeldTap
from ansible_collections.virtnet.rss.tests.support.run_module import run_module

__all__ = ("HEAD", "Measured", "guest", "measure", "row")

TAP, KEY = "tapwhen0", bytes(range(40)).hex()
HEAD = ("packets to the guest", "automatic", "steered", "advice")
SAID = {"steer": "steer", "leave": "leave it automatic"}
Arrived = t.List[t.Tuple[int, bytes]]


@dataclass(frozen=True)
class Measured:
    """Packets for each queue, and the part of them that came back on the queue that the guest answers from."""

    automatic: list[int]
    steered: list[int]
    predicted: list[int]  # by the observation, before it was steered
    own_cpu: tuple[float, float] | None  # automatic, steered; None for a guest that answers nothing
    advice: Advice
    with_words: list[int]  # what the words of the advice would give; empty without any


@contextlib.contextmanager
def guest(tap: HeldTap) -> t.Iterator[t.Callable[[int, bytes], object]]:
    """What gives the device's queue and a frame sends it, as the guest would from one of its CPUs."""
    held = sorted(holder.descriptor for holder in find_holders()[tap.name] if holder.pid == tap.pid)
    queues = [duplicate_descriptor(tap.pid, descriptor) for descriptor in held]
    try:
        yield lambda queue, frame: os.write(queues[queue], frame)
    finally:
        for descriptor in queues:
            os.close(descriptor)


def measure(workload: Workload) -> Measured:
    """On a device of its own: automatic selection learns."""
    options = {"hash_key": KEY, **workload.options}
    desired = desired_from(options)
    with HeldTap(TAP, QUEUES) as tap, guest(tap) as send:
        automatic: Arrived = []
        (sighting,) = look([TAP], [current_namespace()]).sightings
        (observation,) = observe(
            [sighting],
            lambda each: wanted_configuration(each.device, desired),
            1,
            sleep=lambda _seconds: automatic.extend(_work(tap, workload, send)),
        )
        result = run_module("tap_steering", {"taps": [TAP], **options})
        assert result["changed"], result
        steered = _work(tap, workload, send)
    advice = advise(sighting.device, observation)
    own = (_own_cpu(workload, automatic), _own_cpu(workload, steered)) if workload.answers else None
    return Measured(
        _by_queue(automatic),
        _by_queue(steered),
        observation.would_be,
        own,
        advice,
        observation.with_every_word if any(isinstance(words, list) for words in advice.words.values()) else [],
    )


def row(workload: Workload, measured: Measured) -> str:
    """Of the page's table: the busiest queue's share, and in brackets what came back on the CPU that answered."""
    own = measured.own_cpu or (None, None)
    cells = [_cell(counts, part) for counts, part in zip((measured.automatic, measured.steered), own)]
    if measured.with_words:
        cells[1] += f", with the words {_cell(measured.with_words, None)}"
    advice = SAID[measured.advice.verdict]
    words = "; ".join(f"`{option}: {_yaml(names)}`" for option, names in measured.advice.words.items())
    return f"| {workload.name} | {' | '.join(cells)} | {advice}{f', with {words}' if words else ''} |"


def _yaml(words: list[str] | bool) -> str:
    return f"[{', '.join(words)}]" if isinstance(words, list) else str(words).lower()


def _cell(counts: list[int], own: float | None) -> str:
    share = f"{100 * max(counts) / sum(counts):.0f} %"
    return share if own is None else f"{share} ({100 * own:.0f} %)"


def _work(tap: HeldTap, workload: Workload, send: t.Callable[[int, bytes], object]) -> Arrived:
    for queue, frame in workload.answers:
        send(queue, frame)
    return tap.send(list(workload.packets))


def _by_queue(arrived: Arrived) -> list[int]:
    return [sum(queue == number for queue, _frame in arrived) for number in range(QUEUES)]


def _own_cpu(workload: Workload, arrived: Arrived) -> float:
    answers_from = dict(zip(workload.packets, (queue for queue, _frame in workload.answers)))
    return sum(answers_from[frame] == queue for queue, frame in arrived) / len(arrived)


if __name__ == "__main__":
    print(f"| {' | '.join(HEAD)} |\n|{'---|' * len(HEAD)}")
    for each in WORKLOADS:
        print(row(each, measure(each)), flush=True)
