# Copyright (c) 2026, virtnet.rss contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to the collection: carries out a plan. Each device keeps its old program or gets the new one; nothing between.

from __future__ import annotations

import contextlib
import typing as t
from dataclasses import replace

from ansible_collections.virtnet.rss.plugins.module_utils._bpf.libbpf import load_libbpf
from ansible_collections.virtnet.rss.plugins.module_utils._bpf.steering_program import SteeringProgram
from ansible_collections.virtnet.rss.plugins.module_utils._errors import StateError, VirtnetRssError
from ansible_collections.virtnet.rss.plugins.module_utils._program.model import AttachedProgram, Configuration
from ansible_collections.virtnet.rss.plugins.module_utils._program.programs import OURS
from ansible_collections.virtnet.rss.plugins.module_utils._program.prove import Prover
from ansible_collections.virtnet.rss.plugins.module_utils._program.rodata import Identity, encode
from ansible_collections.virtnet.rss.plugins.module_utils._steering.hand import MovedError, set_program
from ansible_collections.virtnet.rss.plugins.module_utils._steering.kept import KeptPrograms
from ansible_collections.virtnet.rss.plugins.module_utils._steering.model import (
    AUTOMATIC,
    STEERED,
    Device,
    Fallback,
    Outcome,
    Step,
)
from ansible_collections.virtnet.rss.plugins.module_utils._tun.descriptor import JOINED
from ansible_collections.virtnet.rss.plugins.module_utils._tun.lock import exclusive

if t.TYPE_CHECKING:
    from ansible_collections.virtnet.rss.plugins.module_utils._bpf.inspector import Inspector
    from ansible_collections.virtnet.rss.plugins.module_utils._steering.hand import Lock
    from ansible_collections.virtnet.rss.plugins.module_utils._steering.kept import Kept
    from ansible_collections.virtnet.rss.plugins.module_utils._steering.model import Device, Step
    from ansible_collections.virtnet.rss.plugins.module_utils._tun.apart import Apart

__all__ = ("Applier",)


class StageError(Exception):
    """A stage of attaching that failed, with the error as its cause."""

    def __init__(self, stage: str, error: VirtnetRssError | OSError) -> None:
        super().__init__(str(error))
        self.stage = stage
        self.error = error

    def as_fallback(self) -> Fallback:
        reason = self.error.strerror if isinstance(self.error, OSError) else str(self.error)
        return Fallback(self.stage, reason or str(self.error), self.error.errno, getattr(self.error, "log", ""))


@contextlib.contextmanager
def _stage(name: str) -> t.Iterator[None]:
    try:
        yield
    except (MovedError, StateError):  # no failure of this stage: it can be planned again, or done later
        raise
    except (VirtnetRssError, OSError) as exc:
        raise StageError(name, exc) from exc


class Applier:
    """Applies steps one after the other; with ``check`` it goes as far as the proof and leaves the devices alone."""

    def __init__(
        self,
        *,
        check: bool,
        inspector: t.Callable[[], Inspector | None] = lambda: None,
        lock: Lock = exclusive,
        copies: Apart | None = None,
        prover: Prover | None = None,
        kept: KeptPrograms | None = None,
        elf: bytes | None = None,
    ) -> None:
        """``inspector`` gives the one that a descriptor in hand can be asked of; ``copies`` is a copier for all devices
        (without it each has its own); ``prover`` knows what was proven before, and ``kept`` what was attached; ``elf``
        replaces the embedded object, in tests."""
        self._check = check
        self._inspector = inspector
        self._lock = lock
        self._copies = copies
        self._elf = elf
        self._prover = prover or Prover(elf)
        self._kept = kept or KeptPrograms()

    def apply(self, step: Step) -> Outcome:
        """Do one step; a failure is part of the outcome. ``after`` is what this step leaves, not a new look.

        MovedError when the device is no longer what the step was planned for, StateError when another writer keeps the
        lock; nothing was changed then.
        """
        if step.action == "detach":
            return self._detach(step)
        if step.action not in ("attach", "replace") or step.configuration is None:
            return Outcome(step, step.action, step.device, changed=False)
        try:
            return self._attach(step, step.configuration)
        except StageError as exc:
            return self._fall_back(step, exc.as_fallback())

    def _attach(self, step: Step, configuration: Configuration) -> Outcome:
        device = step.device
        rodata = encode(Identity(device.name, device.id), configuration)
        kept = None if self._check else self._kept.of(device, rodata, proven=step.verify)
        attached, way = self._put_back(device, kept) if kept else self._load_and_attach(step, configuration, rodata)
        after = device._replace(state=STEERED, reason="", program=attached)
        return Outcome(
            step, step.action, after, changed=True, verified=step.verify, way=way, warnings=_felt(device, way)
        )

    def _put_back(self, device: Device, kept: Kept) -> tuple[AttachedProgram, str]:
        try:
            with _stage("attach"):
                return kept.attached, self._set_program(device, kept.descriptor)
        except StageError:  # the next try is with a new one
            self._kept.forget(device.id)
            raise

    def _load_and_attach(self, step: Step, configuration: Configuration, rodata: bytes) -> tuple[AttachedProgram, str]:
        with self._proven(rodata, configuration, verify=step.verify) as program:
            with _stage("load"):
                attached = _described(program, configuration)
            if self._check:
                return attached, ""
            with _stage("attach"):
                way = self._set_program(step.device, program.descriptor)
            # Who cannot ask the kernel's list of devices takes a loaded program for one that steers.
            if self._inspector():
                self._kept.keep(step.device, attached, rodata, program.descriptor, proven=step.verify)
        return attached, way

    def _proven(self, rodata: bytes, configuration: Configuration, *, verify: bool) -> SteeringProgram:
        """A loaded program that has passed the proof. A direct build that does not pass it makes way for the helper
        build, as one does that cannot be loaded.
        """
        with _stage("load"):
            program = SteeringProgram(load_libbpf(), rodata, queues=configuration.queues, elf=self._elf)
        try:
            if verify:
                with _stage("prove"):
                    self._prover.prove(load_libbpf(), program, configuration)
        except StageError as exc:
            program.close()
            if program.refuse_direct_reads(str(exc)):
                return self._proven(rodata, configuration, verify=verify)
            raise
        except BaseException:
            program.close()
            raise
        return program

    def _detach(self, step: Step) -> Outcome:
        device = step.device
        after = device._replace(state=AUTOMATIC, reason="", program=None)
        way = ""
        if not self._check:
            try:
                with _stage("detach"):
                    way = self._set_program(device, None)
            except StageError as exc:
                return Outcome(step, "fallback", device, changed=False, fallback=exc.as_fallback())
        if not self._check:
            self._kept.forget(device.id)
        return Outcome(step, step.action, after, changed=True, way=way, warnings=_felt(device, way))

    def _set_program(self, device: Device, program: int | None) -> str:
        return set_program(device, program, inspector=self._inspector(), lock=self._lock, copies=self._copies)

    def _fall_back(self, step: Step, fallback: Fallback) -> Outcome:
        """What the task wants done when steering fails: automatic selection, or whatever is there.

        Only what is known to be ours is taken off.
        """
        device = step.device
        if step.fallback != "disable" or device.state != STEERED:
            return Outcome(step, "fallback", device, changed=False, fallback=fallback)
        detached = self._detach(step)
        if detached.fallback:
            reason = f"{fallback.reason}; detaching failed too: {detached.fallback.reason}"
            return replace(detached, fallback=replace(fallback, reason=reason))
        return replace(detached, action="fallback", fallback=fallback)


def _described(program: SteeringProgram, configuration: Configuration) -> AttachedProgram:
    loaded = program.describe()
    return AttachedProgram(
        loaded.id,
        loaded.name,
        loaded.tag,
        loaded.load_time,
        loaded.uid,
        OURS,
        configuration=configuration,
        reads=program.reads,
    )


def _felt(device: Device, way: str) -> tuple[str, ...]:
    if way != JOINED:
        return ()
    return (
        f"{device.name}: no descriptor of its holder could be copied, so the device was joined for an instant, and a "
        "few packets may have gone to a queue that nobody reads",
    )
