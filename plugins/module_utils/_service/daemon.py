# Copyright (c) 2026, virtnet.rss contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to the collection: the service: steers new devices at once, puts back what somebody took off, and looks at
# everything from time to time. It keeps nothing that it could not find out again, so it may be killed at any moment.

from __future__ import annotations

import os
import select
import signal
import time
import typing as t
from dataclasses import dataclass, field, replace

from ansible_collections.virtnet.rss.plugins.module_utils._errors import InputError, VirtnetRssError
from ansible_collections.virtnet.rss.plugins.module_utils._look.look import look
from ansible_collections.virtnet.rss.plugins.module_utils._look.measure import Meter
from ansible_collections.virtnet.rss.plugins.module_utils._policy.files import write_atomically
from ansible_collections.virtnet.rss.plugins.module_utils._policy.folder import load_policy, state_of_files
from ansible_collections.virtnet.rss.plugins.module_utils._policy.rules import Policy
from ansible_collections.virtnet.rss.plugins.module_utils._service.events import LinkEvents
from ansible_collections.virtnet.rss.plugins.module_utils._service.metrics import metrics_text
from ansible_collections.virtnet.rss.plugins.module_utils._service.notify import notify, reloading, watchdog_seconds
from ansible_collections.virtnet.rss.plugins.module_utils._service.reconcile import How, reconcile
from ansible_collections.virtnet.rss.plugins.module_utils._service.signature import changed, of_device, signature
from ansible_collections.virtnet.rss.plugins.module_utils._service.status_file import STATUS_FILE, status_text
from ansible_collections.virtnet.rss.plugins.module_utils._service.terminal import say
from ansible_collections.virtnet.rss.plugins.module_utils._service.troubles import Troubles
from ansible_collections.virtnet.rss.plugins.module_utils._steering.model import STEERED
from ansible_collections.virtnet.rss.plugins.module_utils._steering.observe import Observer
from ansible_collections.virtnet.rss.plugins.module_utils._text import printable
from ansible_collections.virtnet.rss.plugins.module_utils._tun.netns import list_namespaces

if t.TYPE_CHECKING:
    from ansible_collections.virtnet.rss.plugins.module_utils._look.look import Sighting
    from ansible_collections.virtnet.rss.plugins.module_utils._service.reconcile import Result
    from ansible_collections.virtnet.rss.plugins.module_utils._service.signature import Signature
    from ansible_collections.virtnet.rss.plugins.module_utils._tun.device_id import DeviceId

__all__ = ("Service", "Settings")

SETTLE_STEP = 0.005  # seconds between two looks at a device whose queues are being attached
SETTLE_MOST = 0.05
PATIENCE = 10.0  # seconds to wait for another writer; less where systemd hears of life more often


@dataclass(frozen=True)
class Settings:
    """How the service works; times in seconds."""

    policy_folder: str
    status_file: str = STATUS_FILE
    metrics_file: str | None = None
    watch: float = 0.5  # between two cheap looks
    full: float = 30.0  # between two whole passes
    measure: bool = False  # the programs' cost, from a whole pass to the next look


@dataclass
class State:
    """What is known between two passes; all of it can be found out again."""

    policy: Policy = field(default_factory=Policy)
    policy_print: tuple[tuple[str, int, int], ...] | None = None
    policy_error: str = ""
    has_policy: bool = False  # one has been read
    seen: Signature = field(default_factory=dict)
    snapshot: bytes | None = None  # of a moment when nothing was to be done
    steered: set[DeviceId] = field(default_factory=set)  # by us, when last looked at
    results: dict[DeviceId, Result] = field(default_factory=dict)
    reapplied: int = 0
    last_pass: float | None = None  # when everything was looked at


class Service:
    """``run()`` returns when it was told to stop; what is attached stays attached."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._state = State()
        self._told: set[int] = set()  # signals
        self._troubles = Troubles()
        self._cost = Meter()
        self._next_full = 0.0  # by the monotonic clock

    def run(self) -> None:
        """Work until SIGTERM or SIGINT; SIGHUP reads the policy again."""
        reader, writer = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        signal.set_wakeup_fd(writer)
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, lambda caught, _frame: self._told.add(caught))
        events = LinkEvents()
        try:
            with Observer() as observer:
                self._reload()
                self._attempt(self._full_pass, observer)
                notify("READY=1", self._status_line())
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
            ready = {descriptor for descriptor, _event in poll.poll(interval * 1000)}
            if wakeup in ready:
                os.read(wakeup, 1024)
            if {signal.SIGTERM, signal.SIGINT} & self._told:
                return
            new = events if events.descriptor in ready else None
            self._attempt(self._turn, observer, new)
            notify("WATCHDOG=1", self._status_line())

    def _attempt(self, work: t.Callable[..., None], *arguments: object) -> None:
        """A host that is short of something must not end the service: what fails now is done at the next turn."""
        failed_before = self._troubles.of("pass")
        try:
            work(*arguments)
            self._troubles.tell("pass", "")
        except (VirtnetRssError, OSError) as exc:
            self._state.snapshot = None  # something has been left undone
            self._troubles.tell("pass", f"a pass failed, the next one tries again: {exc}")
        if failed_before != self._troubles.of("pass"):
            self._write_status()

    def _turn(self, observer: Observer, events: LinkEvents | None) -> None:
        self._cost.end()
        if events:
            events.drain()
            self._settle(observer)
        if self._reload_if_told() or time.monotonic() >= self._next_full:
            self._full_pass(observer)
        else:
            self._watch(observer)

    def _settle(self, observer: Observer) -> None:
        """A VMM opens the queues of a new device one after the other; each would be another default table."""
        deadline, before = time.monotonic() + SETTLE_MOST, signature(observer)
        while time.monotonic() < deadline:
            time.sleep(SETTLE_STEP)
            now = signature(observer)
            if now == before:
                return
            before = now

    def _watch(self, observer: Observer) -> None:
        snapshot = observer.snapshot()
        if snapshot is not None and snapshot == self._state.snapshot:
            return
        now = signature(observer)
        different = changed(self._state.seen, now)
        self._state.seen = {key: value for key, value in self._state.seen.items() if key in now}
        self._state.snapshot = snapshot
        if different:
            self._pass(observer, {key: now[key] for key in different})

    def _full_pass(self, observer: Observer) -> None:
        self._next_full = 0.0  # until it has succeeded
        # What was in the way, such as a lack of descriptors, may be over.
        observer.try_inspector()
        self._troubles.tell("inspector", observer.inspector_reason)
        if self._state.policy_error:
            self._reload()
        self._pass(observer, signature(observer), everything=True)
        self._state.last_pass = time.time()
        self._next_full = time.monotonic() + self._settings.full
        self._write_metrics(observer)
        self._write_status()  # with what could not be written
        if self._settings.measure and self._settings.metrics_file:
            self._begin_measurement()

    def _pass(self, observer: Observer, looked_at: Signature, *, everything: bool = False) -> None:
        """Deal with the devices that a look has shown. What comes up during the pass is for the next look: therefore
        what is remembered is what this one found and did, not a new look."""
        state = self._state
        how = How(patience=min(PATIENCE, watchdog_seconds() or PATIENCE), alive=lambda: notify("WATCHDOG=1"))
        results = reconcile(observer, state.policy, list_namespaces(), only=None if everything else looked_at, how=how)
        for result in results:
            self._note(result)
        if everything:
            state.seen, state.results = {}, {}
        state.seen.update(looked_at)
        state.seen.update((result.device.id, of_device(result.device)) for result in results)
        for key in [result.device.id for result in results if result.soon]:
            state.seen.pop(key, None)  # as if it was new: the next look asks again
        state.snapshot = None
        state.results.update((result.device.id, result) for result in results)
        state.steered = {key for key, result in state.results.items() if result.device.state == STEERED}
        self._write_status()

    def _note(self, result: Result) -> None:
        """Count what was put back, and tell what was done."""
        outcome = result.outcome
        if outcome and outcome.action in ("attach", "replace") and result.device.id in self._state.steered:
            # A program of ours that is replaced was not taken off: the policy or the number of queues has changed.
            self._state.reapplied += outcome.step.device.state != STEERED
        if outcome and outcome.action not in ("none", "keep"):
            fallback = f": {outcome.fallback.stage}: {outcome.fallback.reason}" if outcome.fallback else ""
            say(f"{printable(result.device.name)}: {outcome.action}{fallback}")

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
            self._troubles.tell("policy", "")
        except (InputError, OSError) as exc:
            state.policy_error = str(exc)
            rest = "the one in force stays" if state.has_policy else "none is in force, so devices stay as they are"
            self._troubles.tell("policy", f"the policy is refused, {rest}: {exc}")

    def _status_line(self) -> str:
        state = self._state
        spoken_of = {key for key, result in state.results.items() if result.rule}
        parts = [f"{len(state.steered & spoken_of)} of {len(spoken_of)} devices steered"]
        parts += [f"policy refused: {state.policy_error}"] if state.policy_error else []
        parts += [part for part in (self._trouble(), *self._failures()) if part]
        return "STATUS=" + "; ".join(map(printable, parts))

    def _failures(self) -> list[str]:
        """What of the service itself does not work now."""
        return self._troubles.of(
            "pass", "metrics", "cost", self._settings.status_file, self._settings.metrics_file or ""
        )

    def _trouble(self) -> str:
        """Why devices are not as the policy wants them: one stands for all, for they mostly have the same reason."""
        found = [result for _key, result in sorted(self._state.results.items()) if result.trouble]
        others = f" (and {len(found) - 1} more)" if len(found) > 1 else ""
        return f"{found[0].device.name}: {found[0].trouble}{others}" if found else ""

    def _status(self) -> dict[str, object]:
        state = self._state
        return {
            "policy_error": state.policy_error,
            "trouble": self._trouble(),
            "error": "; ".join(self._failures()),
            "reapplied": state.reapplied,
            "rules": len(state.policy.rules),
            "shortfalls": [[*key, *each.shortfall] for key, each in state.results.items() if each.shortfall],
            "last_pass": state.last_pass,
            "time": time.time(),
        }

    def _write_status(self) -> None:
        self._write(self._settings.status_file, status_text(self._status()))

    def _write_metrics(self, observer: Observer) -> None:
        if not self._settings.metrics_file:
            return
        try:
            sightings = [self._with_cost(each) for each in look(["*"], list_namespaces(), observer=observer).sightings]
            self._troubles.tell("metrics", "")
        except (VirtnetRssError, OSError) as exc:
            self._troubles.tell("metrics", f"no metrics: {exc}")
            return
        self._write(self._settings.metrics_file, metrics_text(sightings, self._status()))

    def _begin_measurement(self) -> None:
        devices = [result.device for result in self._state.results.values()]
        try:
            self._cost.begin({device.program.id for device in devices if device.program})
            self._troubles.tell("cost", "")
        except (VirtnetRssError, OSError) as exc:
            self._troubles.tell("cost", f"the programs' cost cannot be measured: {exc}")

    def _with_cost(self, sighting: Sighting) -> Sighting:
        program = sighting.device.program
        return replace(sighting, measurement=self._cost.latest.get(program.id)) if program else sighting

    def _write(self, path: str, content: str) -> None:
        """A full or read-only disk keeps the old file, and the work goes on."""
        try:
            os.makedirs(os.path.dirname(path), mode=0o755, exist_ok=True)
            write_atomically(path, content)
            self._troubles.tell(path, "")
        except OSError as exc:
            self._troubles.tell(path, f"{path} cannot be written, the old one stays: {exc.strerror}")
