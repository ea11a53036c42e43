# Copyright (c) 2026, virtnet.rss contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to the collection: brings a whole host to the wanted state, back to the one before, or to that without
# steering.

from __future__ import annotations

import contextlib
import os
import shutil
import typing as t
from dataclasses import dataclass, field, replace

from ansible_collections.virtnet.rss.plugins.module_utils._errors import StateError
from ansible_collections.virtnet.rss.plugins.module_utils._host import contents, devices, former, packaged
from ansible_collections.virtnet.rss.plugins.module_utils._host.manual import manual_files
from ansible_collections.virtnet.rss.plugins.module_utils._host.parts import (
    POLICY,
    PROGRAM,
    UNIT,
    Part,
    Wanted,
    older_parts,
    policy_file,
    policy_folder,
    present_parts,
    unit_file,
    wanted_parts,
)
from ansible_collections.virtnet.rss.plugins.module_utils._host.record import (
    ACCEPTED,
    CHANGING,
    NONE,
    Memory,
    Record,
    remove_record,
)
from ansible_collections.virtnet.rss.plugins.module_utils._host.systemd import Systemd
from ansible_collections.virtnet.rss.plugins.module_utils._host.unit import metrics_file_of
from ansible_collections.virtnet.rss.plugins.module_utils._policy.folder import load_policy
from ansible_collections.virtnet.rss.plugins.module_utils._policy.rules import Policy
from ansible_collections.virtnet.rss.plugins.module_utils._service.status_file import STATUS_FILE, read_status
from ansible_collections.virtnet.rss.plugins.module_utils._steering.observe import Observer
from ansible_collections.virtnet.rss.plugins.module_utils._steering.steer import CHANGES

if t.TYPE_CHECKING:
    from ansible_collections.virtnet.rss.plugins.module_utils._service.reconcile import Result

__all__ = ("Brought", "Host")

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
        """It has no service yet; of a package's, no policy of ours."""
        return not os.path.lexists(policy_file(self._folder).path if self.packaged else self.program)

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
            return found
        # Of a change that nobody has judged: what was before it is still what a rollback goes back to.
        fresh = Record(
            CHANGING, new=self.is_new, spared=_attached(found), before=self.record.watched if self.record else ()
        )
        record = replace(pending or fresh, stage=CHANGING, rollout=rollout)
        self.note(record)
        # Before the record speaks of a file, what a rollback goes back to is there, be it what is in force anyway.
        for part in found.parts:
            if part.changed and part.name not in record.parts:
                part.keep()
        record = replace(record, parts=tuple(dict.fromkeys((*record.parts, *found.changed_parts))))
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
            _unlink(path)
        try:
            self._start(found)
        finally:  # the next run does not know the old file any more, and node_exporter refuses two that tell the same
            if former_metrics and former_metrics != os.path.normpath(wanted.metrics_file or "/"):
                _unlink(former_metrics)
        policy = load_policy(wanted.policy_folder)
        applied = [] if self._systemd.runs else devices.apply(self._observer, policy)
        found = replace(found, applied=any(result.action in CHANGES for result in applied))
        return replace(found, results=tuple(devices.wait_until_settled(self._observer, policy, wanted.wait)))

    def go_back(self, wait: float, *, spared: t.Collection[int]) -> Brought | None:
        """Undo the last change, of which the record tells; None where nothing is kept to go back to.

        Without a record, such as after a release that kept none, the policy alone goes back.
        """
        record = self.record
        names = record.parts if record and record.stage != NONE else (POLICY,)
        older = policy_file(self._folder).previous()
        if older.text is None and not {PROGRAM, UNIT} & set(names):
            return None
        parts = older_parts(names, program=self.program, folder=self._folder, packaged=self.packaged)
        newer = devices.planned(self._observer, load_policy(policy_folder(self._folder)), trial=False)
        spoken_of = {result.device.id for result in newer if result.action != "ignore"}
        if self._check:
            rules = older.policy.rules if older.policy else None
            policy = devices.policy_with(policy_file(self._folder).path, rules if POLICY in names else None)
            results = devices.planned(self._observer, policy)
        else:
            results = self._put_back(parts, wait)
            policy = load_policy(policy_folder(self._folder))
        given_back = devices.give_back(self._observer, policy, only=spoken_of, spared=spared, check=self._check)
        if not self._check:
            remove_record(self._folder)
        return Brought(tuple(parts), results=tuple(results), given_back=tuple(given_back), removed=True)

    def _put_back(self, parts: t.Sequence[Part], wait: float) -> list[Result]:
        for part in parts:
            part.write()
        if self._systemd.runs and {PROGRAM, UNIT} & {part.name for part in parts}:
            self._systemd.reload()
            self._systemd.restart()
        policy = load_policy(policy_folder(self._folder))
        if not self._systemd.runs:
            devices.apply(self._observer, policy)
        # By the words of a former release a device is as it is wanted that this one would replace.
        elif any(part.name == PROGRAM for part in parts) and self._hand_over():
            wait = 0
        return devices.wait_until_settled(self._observer, policy, wait)

    def _hand_over(self) -> bool:
        """Have the program that was put back steer, also what it takes for foreign; False where it does not answer."""
        strange = former.strangers(self.program)
        if strange:
            devices.give_back(self._observer, Policy(), only=strange, spared=(), check=False)
        return former.apply(self.program, policy_folder(self._folder))

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
        notes = [f"{path} is none of ours, and stays" for path in content.others]
        brought = Brought(
            tuple(parts), given_back=tuple(given_back), removed=bool(found or had_unit), notes=tuple(notes)
        )
        if self._check:
            return brought
        for path in found:
            if path in content.folders:
                os.rmdir(path)
            else:
                _unlink(path)
        shutil.rmtree(RUN_FOLDER, ignore_errors=True)
        if had_unit:
            unit.remove()
            self._systemd.reload()
        return brought

    def _has_unit(self) -> bool:
        """Whether there is a service to be stopped: a package's unit is always there."""
        if not self._systemd.runs:
            return False
        _load, active, enabled = self._systemd.state()
        return os.path.lexists(unit_file().path) or (self.packaged and (active or enabled))

    def _service_change(self) -> tuple[str, str]:
        if not self._systemd.runs:
            return "", ""
        _load, active, enabled = self._systemd.state()
        return _service(active, enabled), _service(True, True)

    def _start(self, found: Brought) -> None:
        if not self._systemd.runs:
            return
        if UNIT in found.changed_parts:
            self._systemd.reload()
        _load, active, enabled = self._systemd.state()
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


def _service(active: bool, enabled: bool) -> str:
    return f"service: {'started' if active else 'stopped'}, {'enabled' if enabled else 'disabled'} at boot\n"


def _unlink(path: str) -> None:
    with contextlib.suppress(FileNotFoundError):
        os.unlink(path)
