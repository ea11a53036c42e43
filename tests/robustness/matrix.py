# SPDX-License-Identifier: GPL-3.0-or-later
"""After a fault a device is steered by exactly the old or the new configuration, or by automatic selection that the
result tells of; and nothing is left behind."""

from __future__ import annotations

import fcntl
import functools
import typing as t
from dataclasses import dataclass

from ansible_collections.virtnet.rss.plugins.module_utils._rss.config import RssConfig
from ansible_collections.virtnet.rss.plugins.module_utils._rss.hashing import steer
from ansible_collections.virtnet.rss.plugins.module_utils._steering.observe import Observer
from ansible_collections.virtnet.rss.plugins.module_utils._tun.lock import LOCK_FILE
from ansible_collections.virtnet.rss.tests.packets.generate import sendable_frames
from ansible_collections.virtnet.rss.tests.robustness.injection import Fault, faults, run_with
from ansible_collections.virtnet.rss.tests.support import foreign
from ansible_collections.virtnet.rss.tests.support.eventually import settled
from ansible_collections.virtnet.rss.tests.support.loaded import our_programs
from ansible_collections.virtnet.rss.tests.support.run_module import run_module

if t.TYPE_CHECKING:
    from ansible_collections.virtnet.rss.plugins.module_utils._steering.model import Device
    from ansible_collections.virtnet.rss.tests.robustness.injection import Injected
    from ansible_collections.virtnet.rss.tests.support.held_tap import HeldTap

__all__ = ("WORKS", "Outcome", "Work", "begin", "ending", "look", "outcome_of", "outcomes")

OLD_KEY, NEW_KEY = bytes(range(40)), bytes(range(40, 80))
FRAMES = sendable_frames(seed=8, count=200)
LEFT_BEHIND_SECONDS = 3.0  # the kernel frees a program a grace period after its last user


@dataclass(frozen=True)
class Work:
    """What a run is asked for, and the keys before it and after it; None is automatic selection."""

    name: str
    options: dict[str, t.Any]
    before: bytes | None
    after: bytes | None


WORKS = (
    Work("attach", {"hash_key": NEW_KEY.hex()}, None, NEW_KEY),
    Work("replace", {"hash_key": NEW_KEY.hex()}, OLD_KEY, NEW_KEY),
    Work("detach", {"state": "absent"}, OLD_KEY, None),
)


@dataclass(frozen=True)
class Outcome:
    """One fault; ``ended`` is old, new or automatic, and ``problem`` is empty when everything is as it must be."""

    work: str
    fault: str
    hit: bool
    ended: str
    problem: str


def outcomes(tap: HeldTap, work: Work, *, every: int = 1) -> t.Iterator[Outcome]:
    """Every fault of one work in turn, each from the same beginning."""
    options = {"taps": [tap.name], **work.options}
    for fault in faults(options, functools.partial(begin, tap, work), every=every):
        yield outcome_of(tap, work, fault)


def outcome_of(tap: HeldTap, work: Work, fault: Fault) -> Outcome:
    """One fault of one work."""
    begin(tap, work)
    programs = our_programs()
    injected = run_with(fault, {"taps": [tap.name], **work.options})
    return _judge(tap, work, fault, injected, programs)


def begin(tap: HeldTap, work: Work) -> None:
    foreign.detach(tap)
    if work.before:
        run_module("tap_steering", {"taps": [tap.name], "hash_key": work.before.hex()})


def _judge(tap: HeldTap, work: Work, fault: Fault, injected: Injected, programs: set[int]) -> Outcome:
    device = look(tap.name)
    end, problem = ending(device, work), ""
    if "Traceback" in injected.output and not fault.kills:
        problem = "a traceback: " + injected.output[-400:]
    elif end == "neither":
        problem = f"the device is {device.state}"
    elif device.program and sorted(tap.send(FRAMES)) != _expected(device):
        problem = "packets take other queues than the configuration says"
    elif injected.result is not None:
        problem = _lie(injected.result, work, end)
    return Outcome(work.name, str(fault), injected.hit, end, problem or _left_behind(device, programs))


def look(name: str) -> Device:
    with Observer() as observer:
        return next(device for device in observer.devices() if device.name == name)


def ending(device: Device, work: Work) -> str:
    """old, new, automatic, or neither."""
    if device.state not in ("automatic", "steered"):
        return "neither"
    key = device.program.configuration.rss.hash_key if device.program and device.program.configuration else None
    if device.state == "automatic":
        return "new" if work.after is None else "old" if work.before is None else "automatic"
    return "new" if key == work.after else "old" if key == work.before else "neither"


def _expected(device: Device) -> list[tuple[int, bytes]]:
    if not device.program or not device.program.configuration:
        return []
    rss: RssConfig = device.program.configuration.rss
    return sorted((steer(frame, rss).queue, frame) for frame in FRAMES)


def _lie(result: dict[str, t.Any], work: Work, ended: str) -> str:
    """What the result says, against the kernel."""
    if result.get("failed"):
        return "" if result.get("msg") else "it failed without a sentence"
    report = result["taps"][0]
    if ended == "new" and report["fallback"] is None:
        return ""
    told = report["fallback"] or result["warnings"] or report["reason"]
    if not told:
        return f"the device ended {ended}, and the result says nothing of a failure"
    # An old program that could not be taken off either, for the helper died twice, steers still
    steers = ended == "new" or (ended == "old" and work.before is not None)
    if report["state"] == "steered" and not steers and work.after:
        return f"the result says steered, the device ended {ended}"
    return ""


def _left_behind(device: Device, programs: set[int]) -> str:
    attached = {device.program.id} if device.program else set()
    left = our_programs() - programs - attached
    if not settled(lambda: not left & our_programs(), LEFT_BEHIND_SECONDS):
        return f"programs {left & our_programs()} are left behind"
    if not settled(lambda: not _is_locked(), LEFT_BEHIND_SECONDS):
        return f"the lock {LOCK_FILE} is held"
    return ""


def _is_locked() -> bool:
    with open(LOCK_FILE, "rb") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return True
    return False
