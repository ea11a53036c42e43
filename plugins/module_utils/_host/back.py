# Copyright (c) 2026, virtnet.rss contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to the collection: what undoes the last change of a host. What was there before it, and what was not, is in
# the record of that change; what is there now may be half of it, or of something else.

from __future__ import annotations

import os
import typing as t
from dataclasses import replace

from ansible_collections.virtnet.rss.plugins.module_utils._errors import InputError
from ansible_collections.virtnet.rss.plugins.module_utils._host import devices, former, packaged
from ansible_collections.virtnet.rss.plugins.module_utils._host.host import (
    Brought,
    Host,
    changes,
    service_shown,
    unlink,
)
from ansible_collections.virtnet.rss.plugins.module_utils._host.parts import (
    POLICY,
    PROGRAM,
    UNIT,
    forget_older,
    older_parts,
    policy_file,
    policy_folder,
    unit_file,
)
from ansible_collections.virtnet.rss.plugins.module_utils._host.record import NONE, UNDONE, Record
from ansible_collections.virtnet.rss.plugins.module_utils._host.unit import metrics_file_of, policy_folder_of
from ansible_collections.virtnet.rss.plugins.module_utils._policy.folder import load_policy
from ansible_collections.virtnet.rss.plugins.module_utils._policy.rules import Policy
from ansible_collections.virtnet.rss.plugins.module_utils._service.status_file import (
    STATUS_FILE,
    read_status,
    rules_that_steer,
)
from ansible_collections.virtnet.rss.plugins.module_utils._tun.device_id import DeviceId

if t.TYPE_CHECKING:
    from ansible_collections.virtnet.rss.plugins.module_utils._host.parts import Part
    from ansible_collections.virtnet.rss.plugins.module_utils._service.reconcile import Result

__all__ = ("Rollback",)


class Rollback(Host):
    """This host, with the way back."""

    def go_back(self, wait: float, *, spared: t.Collection[int]) -> Brought | None:
        """Undo the last change, of which the record tells; None where nothing is kept to go back to.

        Without a record, such as after a release that kept none, the policy alone goes back. It can be done once more
        when it was cut short: what was before is kept until all of it is in force.
        """
        record = self.record or Record()
        if record.stage == UNDONE:
            return None
        if record.stage == NONE:
            record = replace(record, parts=(POLICY,), service=self._service_state())
        parts = older_parts(record.parts, record.absent, program=self.program, folder=self._folder)
        service = self._service_back(record)
        if not parts and service[0] == service[1]:
            return None
        notes: list[str] = []
        spoken_of = self._spoken_of(notes)
        former_metrics = metrics_file_of(unit_file().read())
        folder = self._older_policy_folder(parts)
        if not self._check:
            self._put_back(parts, record)
        policy = self._policy_of(folder, parts, notes) if self._was_obeyed(record) else Policy()
        results: t.Sequence[Result] = ()
        if policy and policy.rules:
            wait = 0 if self._check or self._settle(policy, folder, record) else wait
            results = devices.wait_until_settled(self._observer, policy, wait)
        only = spoken_of if policy else set()
        given_back = devices.give_back(self._observer, policy or Policy(), only=only, spared=spared, check=self._check)
        notes += [
            f"{each.device.name}: it cannot be given back: {each.trouble}" for each in given_back if each.shortfall
        ]
        if not self._check:
            newer_metrics = metrics_file_of(unit_file().read())
            if former_metrics and former_metrics != newer_metrics:
                unlink(former_metrics)
            self.note(Record(UNDONE))
            forget_older(program=self.program, folder=self._folder)
        return Brought(tuple(parts), service, tuple(results), changes(given_back), notes=tuple(notes))

    def _was_obeyed(self, record: Record) -> bool:
        """Whether anybody did before the change what the policy says; else its devices had what others gave them."""
        return record.service[0] if self._systemd.runs else PROGRAM not in record.absent

    def _service_back(self, record: Record) -> tuple[str, str]:
        """The service now, and as it was before the change."""
        if not self._systemd.runs:
            return "", ""
        return service_shown(*self._service_state()), service_shown(*record.service)

    def _spoken_of(self, notes: list[str]) -> set[DeviceId]:
        """The devices that the policy in force speaks of; of one that is refused, those that the service steers."""
        try:
            policy = load_policy(policy_folder(self._folder))
        except InputError as exc:
            notes.append(f"the policy before the rollback is refused: {exc}")
            rules = rules_that_steer(read_status(STATUS_FILE))
            return {DeviceId(*key) for key in rules}
        newer = devices.planned(self._observer, policy, trial=False)
        return {result.device.id for result in newer if result.action != "ignore"}

    def _older_policy_folder(self, parts: t.Sequence[Part]) -> str:
        """The one that the service reads afterwards; a change may have named another folder."""
        unit = next((part.shown()[1] for part in parts if part.name == UNIT), None)
        text = unit_file().read() if unit is None else unit.encode()
        told = policy_folder_of(text) if self._systemd.runs else ""
        return told or (packaged.POLICY_FOLDER if self.packaged else policy_folder(self._folder))

    def _policy_of(self, folder: str, parts: t.Sequence[Part], notes: list[str]) -> Policy | None:
        """What is in force afterwards, or would be; None where the service refuses it, and keeps what it has."""
        file = policy_file(self._folder)
        try:
            if self._check and folder == policy_folder(self._folder) and any(part.name == POLICY for part in parts):
                absent = self.record and POLICY in self.record.absent
                older = None if absent else file.previous().policy
                return devices.policy_with(file.path, older.rules if older else ())
            return load_policy(folder)
        except InputError as exc:
            notes.append(f"the policy is refused, and the service keeps the one that it has: {exc}")
            return None

    def _put_back(self, parts: t.Sequence[Part], record: Record) -> None:
        """Files and service; whether something is to be restarted is asked of the record, not of what is left to do."""
        active, enabled = record.service
        if self._systemd.runs and not active and any(self._service_state()):
            self._systemd.stop()  # while its unit is there
        for part in parts:
            part.write()
        if not self._systemd.runs:
            return
        touched = bool({PROGRAM, UNIT} & set(record.parts))
        if touched:
            self._systemd.reload()
        _active, _enabled = self._service_state()
        if enabled and not _enabled:
            self._systemd.enable()
        if _enabled and not enabled:
            self._systemd.disable()
        if active and (touched or not _active):
            self._systemd.restart()

    def _settle(self, policy: Policy, folder: str, record: Record) -> bool:
        """Where no service does it, or a former release's does it in its own words; whether it is done."""
        if not self._systemd.runs:
            devices.apply(self._observer, policy)
            return False
        # By the words of a former release a device is as it is wanted that this one would replace.
        return PROGRAM in record.parts and os.path.lexists(self.program) and self._hand_over(folder)

    def _hand_over(self, folder: str) -> bool:
        """Have the program that was put back steer, also what it takes for foreign; False where it does not answer."""
        strange = former.strangers(self.program)
        if strange:
            devices.give_back(self._observer, Policy(), only=strange, spared=(), check=False)
        return former.apply(self.program, folder)
