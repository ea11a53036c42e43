# Copyright (c) 2026, virtnet.rss contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to the collection: the service: steers new devices at once, puts back what somebody took off, and looks at
# everything from time to time. It keeps nothing that it could not find out again, so it may be killed at any moment.

from __future__ import annotations

import contextlib
import os
import select
import signal
import time
import typing as t

from ansible_collections.virtnet.rss.plugins.module_utils._errors import sentence_of
from ansible_collections.virtnet.rss.plugins.module_utils._policy.folder import load_policy, state_of_files
from ansible_collections.virtnet.rss.plugins.module_utils._program.prove import Prover
from ansible_collections.virtnet.rss.plugins.module_utils._service.alone import alone
from ansible_collections.virtnet.rss.plugins.module_utils._service.backoff import Backoff
from ansible_collections.virtnet.rss.plugins.module_utils._service.balancing import Balancing
from ansible_collections.virtnet.rss.plugins.module_utils._service.events import LinkEvents
from ansible_collections.virtnet.rss.plugins.module_utils._service.notify import notify, reloading, watchdog_seconds
from ansible_collections.virtnet.rss.plugins.module_utils._service.reconcile import How, reconcile
from ansible_collections.virtnet.rss.plugins.module_utils._service.signature import (
    changed,
    of_device,
    signature,
    without_program,
)
from ansible_collections.virtnet.rss.plugins.module_utils._service.state import Settings, State
from ansible_collections.virtnet.rss.plugins.module_utils._service.telling import Telling
from ansible_collections.virtnet.rss.plugins.module_utils._service.turns import Turns
from ansible_collections.virtnet.rss.plugins.module_utils._steering.kept import KeptPrograms
from ansible_collections.virtnet.rss.plugins.module_utils._steering.model import STEERED
from ansible_collections.virtnet.rss.plugins.module_utils._steering.observe import Observer
from ansible_collections.virtnet.rss.plugins.module_utils._steering.shared_keys import shared_keys
from ansible_collections.virtnet.rss.plugins.module_utils._tun.libc import c_call
from ansible_collections.virtnet.rss.plugins.module_utils._tun.netns import current_namespace

if t.TYPE_CHECKING:
    from ansible_collections.virtnet.rss.plugins.module_utils._service.reconcile import Result
    from ansible_collections.virtnet.rss.plugins.module_utils._service.signature import Signature
    from ansible_collections.virtnet.rss.plugins.module_utils._tun.device_id import DeviceId

__all__ = ("Service", "Settings")

SETTLE_STEP = 0.005  # seconds between two looks at a device whose queues are being attached
SETTLE_MOST = 0.05
SHORTEST = 0.05  # seconds between two turns for the sake of balancing
PATIENCE = 10.0  # seconds to wait for another writer; less where systemd hears of life more often
MOST_KEPT = 256  # programs, each 57 to 80 KiB of the kernel's memory while no device has it


class Service:
    """``run()`` returns when it was told to stop; what is attached stays attached."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._state = State()
        self._told: set[int] = set()  # signals
        self._telling = Telling(settings, self._state)
        self._backoff = Backoff()
        self._prover = Prover()
        self._kept = KeptPrograms(MOST_KEPT)
        self._balancing = Balancing()
        self._turns = Turns()
        self._tell_again = False  # the metrics say of some that they wait
        self._ours: set[DeviceId] = set()  # that we have steered, whoever takes that off
        self._next_full = 0.0  # by the monotonic clock

    def run(self) -> None:
        """Work until SIGTERM or SIGINT; SIGHUP reads the policy again. StateError when another service runs."""
        with alone():
            self._run()

    def _run(self) -> None:
        reader, writer = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        signal.set_wakeup_fd(writer)
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, lambda caught, _frame: self._told.add(caught))
        events = LinkEvents()
        try:
            with Observer() as observer:
                self._reload()
                self._attempt(self._full_pass, observer)
                notify("READY=1", self._telling.status_line())
                self._loop(observer, events, reader)
        finally:
            notify("STOPPING=1")
            events.close()
            signal.set_wakeup_fd(-1)
            os.close(reader)
            os.close(writer)

    def _loop(self, observer: Observer, events: LinkEvents, wakeup: int) -> None:
        poll = select.poll()
        poll.register(wakeup, select.POLLIN)
        poll.register(events.descriptor, select.POLLIN)
        interval = min(self._settings.watch, watchdog_seconds() or self._settings.watch)
        while True:
            wait = min(max(self._balancing.due_in(), SHORTEST), self._turns.due_in(), interval)
            ready = {descriptor for descriptor, _event in poll.poll(wait * 1000)}
            if wakeup in ready:
                os.read(wakeup, 1024)
            if {signal.SIGTERM, signal.SIGINT} & self._told:
                return
            new = events if events.descriptor in ready else None
            self._attempt(self._turn, observer, new)
            self._balance()
            notify("WATCHDOG=1", self._telling.status_line())

    def _attempt(self, work: t.Callable[..., None], *arguments: object) -> None:
        """Neither a host that is short of something nor a mistake of ours may end the service: guests would lose their
        keeper. What fails now is done at the next turn."""
        troubles = self._telling.troubles
        failed_before = troubles.of("pass")
        try:
            work(*arguments)
            troubles.tell("pass", "")
        except Exception as exc:
            self._state.snapshot = None  # something has been left undone
            self._turns.rest(self._settings.watch)
            troubles.tell("pass", f"a pass failed, the next one tries again: {sentence_of(exc)}")
        if failed_before != troubles.of("pass"):
            self._telling.write_status()

    def _turn(self, observer: Observer, events: LinkEvents | None) -> None:
        self._telling.end_measurement()
        if events:
            events.drain()
            self._settle(observer)
        if self._reload_if_told() or time.monotonic() >= self._next_full:
            self._full_pass(observer)
        else:
            self._watch(observer)
            if self._tell_again and not self._turns.waiting:
                self._tell_again = False
                self._telling.write_metrics(observer)

    def _balance(self) -> None:
        """After the look of this turn, whatever became of that: what steers a device by then is what is balanced."""
        try:
            fresh, due = self._balancing.follow(self._state.results), self._balancing.due_in() <= 0
            if not (fresh or due):
                return
            moved, before = due and self._balancing.turn(), self._state.balance
            self._state.balance = self._balancing.report()
            self._telling.troubles.tell("balance", self._balancing.trouble)
            if moved or len(self._state.balance) != len(before):
                self._telling.write_status()
        except Exception as exc:  # a mistake of ours costs the balance, and no guest its keeper
            self._telling.troubles.tell("balance", f"nothing is balanced: {sentence_of(exc)}")

    def _settle(self, observer: Observer) -> None:
        """A VMM opens the queues of a new device one after the other; each would be another default table. Devices that
        are known do not count: their programs may come and go all the time."""
        deadline, before = time.monotonic() + SETTLE_MOST, self._new(observer)
        while before and time.monotonic() < deadline:
            time.sleep(SETTLE_STEP)
            now = self._new(observer)
            if now == before:
                return
            before = now

    def _new(self, observer: Observer) -> Signature:
        return {key: value for key, value in self._signature(observer).items() if key not in self._state.seen}

    def _watch(self, observer: Observer) -> None:
        snapshot, due = observer.snapshot(), self._backoff.due()
        if snapshot is not None and snapshot == self._state.snapshot and not due and not self._turns.waiting:
            return
        now = self._signature(observer)
        different = changed(self._state.seen, now)
        self._state.seen = {key: value for key, value in self._state.seen.items() if key in now}
        self._kept.forget_all_but(now)
        self._state.snapshot = snapshot
        self._turns.forget_all_but(now)
        ready = ((different | due | self._turns.waiting) & set(now)) - set(self._backoff.resting())
        self._turns.waiting = {each for each in ready if each in self._ours or self._backoff.is_troubled(each)}
        new = ready - self._turns.waiting
        if new:
            self._pass(observer, {key: now[key] for key in new})
        with self._turns.turn(bare=without_program(now)) as chosen:
            if chosen:
                self._pass(observer, {key: now[key] for key in chosen})

    def _signature(self, observer: Observer) -> Signature:
        """Of the devices that the policy can speak of: who makes others, in a namespace of his own, makes no work."""
        everywhere = signature(observer)
        if self._state.policy.needs_other_namespaces:
            return everywhere
        here = current_namespace().inode
        return {key: value for key, value in everywhere.items() if key.netns_inode == here}

    def _full_pass(self, observer: Observer) -> None:
        state = self._state
        self._next_full = 0.0  # until it has succeeded
        # What was in the way, such as a lack of descriptors, may be over.
        observer.try_inspector()
        self._telling.troubles.tell("inspector", observer.inspector_reason)
        if state.policy_error:
            self._reload()
        now = self._signature(observer)
        self._backoff.forget_all_but(now)
        self._telling.journal.forget_all_but(now)
        self._pass(observer, now, everything=True)
        state.last_pass = time.time()
        self._next_full = time.monotonic() + self._settings.full
        shared = shared_keys(result.device for result in state.results.values())
        self._telling.troubles.tell("keys", "; ".join(shared))
        self._telling.write_metrics(observer)
        self._tell_again = bool(self._turns.waiting)
        state.guests.forget_all_but(result.device for result in state.results.values())
        self._telling.write_status()  # with what could not be written
        self._telling.begin_measurement()
        with contextlib.suppress(AttributeError):  # not in every C library
            c_call("malloc_trim", 0)  # a pass takes more memory than it keeps

    def _pass(self, observer: Observer, looked_at: Signature, *, everything: bool = False) -> None:
        """Deal with the devices that a look has shown. What comes up during the pass is for the next look: therefore
        what is remembered is what this one found and did, not a new look."""
        state = self._state
        how = How(
            patience=min(PATIENCE, watchdog_seconds() or PATIENCE),
            alive=lambda: notify("WATCHDOG=1"),
            resting=self._left_to_turns(looked_at) if everything else self._backoff.resting(),
            before=state.results,
            guests=state.guests,
            prover=self._prover,
            kept=self._kept,
        )
        results = reconcile(observer, state.policy, only=None if everything else looked_at, how=how)
        self._telling.journal.tell((result, self._noted(result)) for result in results)
        if everything:
            state.seen = {}
            self._turns.waiting = set(how.resting) - set(self._backoff.resting())
        before = {} if everything else state.results
        state.results = {**before, **{result.device.id: result for result in results}}
        state.seen.update(looked_at)
        state.seen.update((result.device.id, of_device(result.device)) for result in results)
        for key in [result.device.id for result in results if result.soon]:
            state.seen.pop(key, None)  # as if it was new: the next look asks again
        state.snapshot = None
        state.steered = {key for key, result in state.results.items() if result.device.state == STEERED}
        # One that rests, or has failed, is without a program when a whole pass looks: it is no new one for that.
        self._ours = {key for key in self._ours | state.steered if key in state.results and _stays(state.results[key])}
        self._kept.forget_all_but(self._ours)
        for result in results:
            if result.device.program:
                self._kept.forget_unless(result.device.id, result.device.program.id)
        self._telling.count()
        self._telling.write_status()

    def _left_to_turns(self, looked_at: Signature) -> dict[DeviceId, str]:
        """What is put back a few at a time, by a whole pass too: a new device would wait for all of them."""
        taken_off = self._turns.waiting | (changed(self._state.seen, looked_at) & self._ours)
        return {**dict.fromkeys(taken_off, "it is put back in its turn"), **self._backoff.troubled()}

    def _noted(self, result: Result) -> str:
        """Count what was put back and what failed; why something was done."""
        device, outcome = result.device.id, result.outcome
        if outcome is None:
            return ""
        if outcome.action == "wait":
            self._backoff.failed(device)
            return outcome.step.reason
        if outcome.fallback:
            self._backoff.failed(device)
        elif outcome.action not in ("attach", "replace"):
            self._backoff.succeeded(device)
        elif device not in self._ours:
            self._backoff.succeeded(device)
            return "it is new to the policy" if outcome.action == "attach" else "the policy wants it in its place"
        elif outcome.step.device.state != STEERED:
            self._state.reapplied += 1
            self._backoff.put_back(device)
            return "somebody had taken it off"
        return "the policy or the device's queues have changed"

    def _reload_if_told(self) -> bool:
        told = signal.SIGHUP in self._told
        self._told.discard(signal.SIGHUP)
        differs = state_of_files(self._settings.policy_folder) != self._state.policy_print
        if not told and not differs:
            return False
        reloading()
        self._reload()
        notify("READY=1")
        return True

    def _reload(self) -> None:
        """A policy that is refused leaves the one in force as it is."""
        state = self._state
        try:
            state.policy_print = state_of_files(self._settings.policy_folder)
            state.policy, state.policy_error = load_policy(self._settings.policy_folder), ""
            state.has_policy = True
            self._telling.troubles.tell("policy", "")
        except Exception as exc:
            state.policy_error = sentence_of(exc)
            rest = "the one in force stays" if state.has_policy else "none is in force, so devices stay as they are"
            self._telling.troubles.tell("policy", f"the policy is refused, {rest}: {state.policy_error}")


def _stays(result: Result) -> bool:
    """Nobody but a stranger takes its program off. One that its guest has let go of stays: who closes and opens his
    device all the time makes no new one of it."""
    device, desired = result.device, result.rule and result.rule.desired
    given_up = result.outcome and result.outcome.fallback and result.outcome.changed
    if given_up or (desired and not desired.present):
        return False
    let_go = desired and not device.queues + device.disabled_queues
    return bool(let_go) or result.action not in ("detach", "keep", "ignore")
