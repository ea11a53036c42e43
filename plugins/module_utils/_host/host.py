# Copyright (c) 2026, virtnet.rss contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to the collection: brings a whole host to the wanted state, or to that without steering.

from __future__ import annotations

import contextlib
import os
import shutil
import typing as t
from dataclasses import dataclass, field, replace

from ansible_collections.virtnet.rss.plugins.module_utils._errors import StateError
from ansible_collections.virtnet.rss.plugins.module_utils._host import contents, devices, packaged
from ansible_collections.virtnet.rss.plugins.module_utils._host.manual import manual_files
from ansible_collections.virtnet.rss.plugins.module_utils._host.parts import (
    PROGRAM,
    UNIT,
    Part,
    Wanted,
    policy_file,
    present_parts,
    unit_file,
    wanted_parts,
)
from ansible_collections.virtnet.rss.plugins.module_utils._host.record import (
    ACCEPTED,
    CHANGING,
    Memory,
    Record,
)
from ansible_collections.virtnet.rss.plugins.module_utils._host.systemd import Systemd
from ansible_collections.virtnet.rss.plugins.module_utils._host.unit import metrics_file_of
from ansible_collections.virtnet.rss.plugins.module_utils._policy.folder import load_policy
from ansible_collections.virtnet.rss.plugins.module_utils._policy.rules import Policy
from ansible_collections.virtnet.rss.plugins.module_utils._service.status_file import (
    STATUS_FILE,
    read_status,
)
from ansible_collections.virtnet.rss.plugins.module_utils._steering.observe import Observer
from ansible_collections.virtnet.rss.plugins.module_utils._steering.steer import CHANGES

if t.TYPE_CHECKING:
    from ansible_collections.virtnet.rss.plugins.module_utils._service.reconcile import Result

__all__ = ("Brought", "Host", "changes", "service_shown", "unlink")

RUN_FOLDER = "/run/virtnet-rss"


@dataclass(frozen=True)
class Brought:
    """What was done, or would be."""

    parts: tuple[Part, ...] = ()
    service: tuple[str, str] = ("", "")  # before and after, as a diff shows it
    results: tuple[Result, ...] = ()  # of the devices
    given_back: tuple[Result, ...] = ()
    applied: bool = False  # devices were changed by this run itself
    removed: bool = False  # files were taken away
    notes: tuple[str, ...] = field(default=())

    @property
    def changed(self) -> bool:
        """Whether anything of the host is other than before."""
        return (
            any(part.changed for part in self.parts)
            or self.service[0] != self.service[1]
            or self.applied
            or self.removed
            or bool(self.given_back)
        )

    @property
    def changed_parts(self) -> tuple[str, ...]:
        """Names of the files that were changed."""
        return tuple(part.name for part in self.parts if part.changed)


class Host(Memory):
    """This host. With ``check`` nothing is changed, and what would be is told."""

    def __init__(self, observer: Observer, *, program: str, folder: str, check: bool) -> None:
        super().__init__(folder, check=check)
        self._observer = observer
        self.packaged = packaged.is_used_for(program)
        self.program = packaged.OWN_PROGRAM if self.packaged else program  # where one of ours is, or would be
        self._systemd = Systemd()

    @property
    def is_new(self) -> bool:
        """There is nothing of ours yet, and no service that runs, or would at the next boot."""
        paths = (policy_file(self._folder).path, self.program, unit_file().path)
        return not any(map(os.path.lexists, paths)) and not any(self._service_state())

    def assess(self, wanted: Wanted, *, trial: bool) -> Brought:
        """What ``bring`` would do. InputError for a policy that the service would refuse.

        ``trial`` loads and proves a program for each device, which tells of one that would fall back.
        """
        parts = wanted_parts(wanted, systemd=self._systemd.runs)
        rules = wanted.policy.policy.rules if wanted.policy.policy else ()
        policy = devices.policy_with(policy_file(self._folder).path, rules)
        results = devices.planned(self._observer, policy, trial=trial)
        by_hand = not self._systemd.runs and any(result.action in CHANGES for result in results)
        return Brought(tuple(parts), self._service_change(), tuple(results), applied=by_hand)

    def bring(self, wanted: Wanted, *, stage: str = ACCEPTED, rollout: str = "", trial: bool = False) -> Brought:
        """Bring the host to the wanted state, with a record of it that a rollback can rely on, whatever ends this run.

        ``stage`` is what the record says afterwards. In check mode, and with ``trial`` (on a host that may not be able
        to steer), programs are tried first.
        """
        found = replace(self.assess(wanted, trial=trial or self._check), notes=self._notes())
        pending = self.record if self.record and self.record.is_pending else None
        if self._check or not found.changed:
            if pending and stage == ACCEPTED:  # such as one that failed half-way, and has come to its end since
                self.note(pending.accepted())
            return found
        # Of a change that nobody has judged: what was before it is still what a rollback goes back to.
        fresh = Record(CHANGING, new=self.is_new, service=self._service_before(), spared=_attached(found))
        watched = self.record.watched if self.record else ()
        record = pending or fresh
        record = replace(record, stage=CHANGING, rollout=rollout, before=record.before or watched)
        self.note(record)
        # Before the record speaks of a file, what a rollback goes back to is there, be it what is in force anyway.
        touched = [part for part in found.parts if part.changed and part.name not in record.parts]
        absent = [part.name for part in touched if not os.path.lexists(part.path)]
        for part in touched:
            part.keep()
        parts = (*record.parts, *(part.name for part in touched))
        record = replace(record, parts=parts, absent=(*record.absent, *absent))
        self.note(record)
        brought = self._carry_out(wanted, found)
        self.note(record.accepted() if stage == ACCEPTED else replace(record, stage=stage))
        return brought

    def _carry_out(self, wanted: Wanted, found: Brought) -> Brought:
        former_metrics = metrics_file_of(unit_file().read())
        for part in found.parts:
            if part.changed:
                part.write()
        for path in manual_files(self.program) if self.packaged else ():  # they would hide the package's
            unlink(path)
        try:
            self._start(found)
        finally:  # the next run does not know the old file any more, and node_exporter refuses two that tell the same
            if former_metrics and former_metrics != os.path.normpath(wanted.metrics_file or "/"):
                unlink(former_metrics)
        policy = load_policy(wanted.policy_folder)
        applied = [] if self._systemd.runs else devices.apply(self._observer, policy)
        found = replace(found, applied=any(result.action in CHANGES for result in applied))
        return replace(found, results=tuple(devices.wait_until_settled(self._observer, policy, wanted.wait)))

    def remove(self, *, spared: t.Collection[int] = ()) -> Brought:
        """Stop and remove all of it, and give every device back, but those with one of the ``spared`` programs."""
        running = read_status(STATUS_FILE)
        if running and not self._systemd.runs:
            raise StateError(
                f"a service runs here as process {running['pid']}, and nothing here can stop it for good: end it where "
                "it was started, or it would steer again; nothing was changed"
            )
        unit, had_unit = unit_file(), self._has_unit()
        metrics = metrics_file_of(unit.read())
        content = contents.of(self._folder, keep_folders=self.packaged and packaged.owns(self._folder))
        paths = [self.program, f"{self.program}.previous", *manual_files(self.program), *([metrics] if metrics else [])]
        found = [*(path for path in paths if os.path.lexists(path)), *content.ours]
        parts = present_parts(program=self.program, folder=self._folder)
        if had_unit and not self._check:
            self._systemd.stop()
        # The service first, or it would put back what is taken off.
        given_back = devices.give_back(self._observer, Policy(), only=None, spared=spared, check=self._check)
        left = [f"{each.device.name}: {each.trouble}" for each in given_back if each.shortfall]
        if left and (found or had_unit):
            raise StateError(
                f"these devices cannot be given back, so the program and the policy stay: {'; '.join(left)}"
            )
        notes = [f"{path} is none of ours, and stays" for path in content.others]
        brought = Brought(
            tuple(parts), given_back=changes(given_back), removed=bool(found or had_unit), notes=tuple(notes)
        )
        if self._check:
            return brought
        for path in found:
            if path in content.folders:
                os.rmdir(path)
            else:
                unlink(path)
        shutil.rmtree(RUN_FOLDER, ignore_errors=True)
        if had_unit:
            unit.remove()
            self._systemd.reload()
        return brought

    def _has_unit(self) -> bool:
        """Whether there is a service to be stopped: a package's unit is always there."""
        if not self._systemd.runs:
            return False
        return os.path.lexists(unit_file().path) or (self.packaged and any(self._service_state()))

    def _service_state(self) -> tuple[bool, bool]:
        """Whether it is active, and enabled."""
        return self._systemd.state()[1:] if self._systemd.runs else (False, False)

    def _service_before(self) -> tuple[bool, bool]:
        """The same before a change: one that is about to start counts as active, and so does one of which systemd does
        not tell. A rollback must not stop what ran."""
        if not self._systemd.runs:
            return False, False
        load, active, enabled = self._systemd.state()
        untold = load == "not-found" and os.path.lexists(unit_file().path)
        return active or enabled or untold, enabled or untold

    def _service_change(self) -> tuple[str, str]:
        if not self._systemd.runs:
            return "", ""
        return service_shown(*self._service_state()), service_shown(True, True)

    def _start(self, found: Brought) -> None:
        if not self._systemd.runs:
            return
        if UNIT in found.changed_parts:
            self._systemd.reload()
        active, enabled = self._service_state()
        if not enabled:
            self._systemd.enable()
        if not active or {PROGRAM, UNIT} & set(found.changed_parts):
            self._systemd.restart()

    def _notes(self) -> tuple[str, ...]:
        note = packaged.version_note() if self.packaged else ""
        if self._systemd.runs:
            return (note,) if note else ()
        return (
            *((note,) if note else ()),
            "no systemd runs here, so new devices stay as they are unless something else runs 'virtnet-rss run'",
        )


def _attached(found: Brought) -> tuple[int, ...]:
    """Programs of devices before the change: a service that is new must not take away what a task had steered."""
    devices_before = (each.outcome.step.device if each.outcome else each.device for each in found.results)
    return tuple(sorted({device.program.id for device in devices_before if device.program}))


def changes(results: t.Iterable[Result]) -> tuple[Result, ...]:
    """Those of the devices that were changed, or would be."""
    return tuple(result for result in results if result.action in CHANGES)


def service_shown(active: bool, enabled: bool) -> str:
    """A line of a diff."""
    return f"service: {'started' if active else 'stopped'}, {'enabled' if enabled else 'disabled'} at boot\n"


def unlink(path: str) -> None:
    """Where it is there."""
    with contextlib.suppress(FileNotFoundError):
        os.unlink(path)
