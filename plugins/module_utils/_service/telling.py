# Copyright (c) 2026, virtnet.rss contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to the collection: what the service tells: systemd's status line, the status file, the metrics, the log.

from __future__ import annotations

import os
import time
import typing as t
from dataclasses import replace

from ansible_collections.virtnet.rss.plugins.module_utils._errors import sentence_of
from ansible_collections.virtnet.rss.plugins.module_utils._files import write_atomically
from ansible_collections.virtnet.rss.plugins.module_utils._look.look import look
from ansible_collections.virtnet.rss.plugins.module_utils._look.measure import Meter
from ansible_collections.virtnet.rss.plugins.module_utils._service.journal import Journal
from ansible_collections.virtnet.rss.plugins.module_utils._service.metrics import metrics_text
from ansible_collections.virtnet.rss.plugins.module_utils._service.reconcile import namespaces_of
from ansible_collections.virtnet.rss.plugins.module_utils._service.status_file import status_text
from ansible_collections.virtnet.rss.plugins.module_utils._service.troubles import Troubles
from ansible_collections.virtnet.rss.plugins.module_utils._text import cut, printable, printable_tree, written_out

if t.TYPE_CHECKING:
    from ansible_collections.virtnet.rss.plugins.module_utils._look.look import Sighting
    from ansible_collections.virtnet.rss.plugins.module_utils._service.state import Settings, State
    from ansible_collections.virtnet.rss.plugins.module_utils._steering.observe import Observer

__all__ = ("Telling",)

LONGEST_SENTENCE = 300  # letters of one trouble in the status line, which has several


class Telling:
    """Nothing here ends the service or keeps a guest waiting: what cannot be told is a trouble, and is told when it
    can be."""

    def __init__(self, settings: Settings, state: State) -> None:
        self._settings = settings
        self._state = state
        self._meter = Meter()
        self._steered = "0 of 0 devices steered"
        self._trouble = ""  # why devices are not as the policy wants them
        self.journal = Journal()
        self.troubles = Troubles()

    def count(self) -> None:
        """Anew, after a pass: what is told at each turn is the same until the next one."""
        state = self._state
        spoken_of = {key for key, result in state.results.items() if result.rule}
        self._steered = f"{len(state.steered & spoken_of)} of {len(spoken_of)} devices steered"
        self._trouble = self._found_trouble()

    def status_line(self) -> str:
        """For systemd."""
        state = self._state
        parts = [self._steered]
        parts += [f"policy refused: {state.policy_error}"] if state.policy_error else []
        parts += [part for part in (self._trouble, *self._failures()) if part]
        return "STATUS=" + "; ".join(cut(printable(part), LONGEST_SENTENCE) for part in parts)

    def write_status(self) -> None:
        """For the other commands."""
        self._write(self._settings.status_file, status_text(printable_tree(self._status())), folder_mode=0o711)

    def write_metrics(self, observer: Observer) -> None:
        """For node_exporter, where a file is wanted."""
        if not self._settings.metrics_file:
            return
        try:
            # The names alone are asked of the guests.
            info = look(
                ["*"],
                namespaces_of(self._state.policy),
                observer=observer,
                guests=self._state.guests,
                deciders=False,
            )
            sightings = [self._with_cost(each) for each in info.sightings]
            text = metrics_text(sightings, self._status())
            self.troubles.tell("metrics", "")
        except Exception as exc:
            self.troubles.tell("metrics", f"no metrics: {sentence_of(exc)}")
            return
        self._write(self._settings.metrics_file, text, folder_mode=0o755)

    def begin_measurement(self) -> None:
        """Of what the programs cost, until ``end_measurement()``."""
        if not (self._settings.measure and self._settings.metrics_file):
            return
        programs = [result.device.program for result in self._state.results.values()]
        try:
            self._meter.begin({program.id for program in programs if program})
            self.troubles.tell("cost", "")
        except Exception as exc:
            self._meter.end()
            self.troubles.tell("cost", f"the programs' cost cannot be measured: {sentence_of(exc)}")

    def end_measurement(self) -> None:
        """Nothing where none has begun."""
        self._meter.end()

    def _failures(self) -> list[str]:
        """What of the service itself does not work now."""
        return self.troubles.of(
            "pass", "balance", "metrics", "cost", self._settings.status_file, self._settings.metrics_file or ""
        )

    def _found_trouble(self) -> str:
        """One stands for all, for they mostly have the same reason."""
        found = [result for _key, result in sorted(self._state.results.items()) if result.trouble]
        others = f" (and {len(found) - 1} more)" if len(found) > 1 else ""
        return f"{written_out(found[0].device.name)}: {found[0].trouble}{others}" if found else ""

    def _status(self) -> dict[str, t.Any]:
        state = self._state
        return {
            "policy_error": state.policy_error,
            "trouble": self._trouble,
            "error": "; ".join(self._failures()),
            "reapplied": state.reapplied,
            "rules": len(state.policy.rules),
            "rules_of": [[*key, each.rule.name] for key, each in state.results.items() if each.rule],
            "left_alone": [[*key] for key, each in state.results.items() if each.rule and each.rule.desired is None],
            "shortfalls": [[*key, *each.shortfall] for key, each in state.results.items() if each.shortfall],
            "balance": state.balance,
            "last_pass": state.last_pass,
            "time": time.time(),
        }

    def _with_cost(self, sighting: Sighting) -> Sighting:
        program = sighting.device.program
        return replace(sighting, measurement=self._meter.latest.get(program.id)) if program else sighting

    def _write(self, path: str, content: str, *, folder_mode: int) -> None:
        """A full or read-only disk keeps the old file, and the work goes on. Who may list a folder can make whoever
        writes into it wait, so that of the status is for those who know its name."""
        try:
            os.makedirs(os.path.dirname(path), mode=folder_mode, exist_ok=True)
            write_atomically(path, content)
            self.troubles.tell(path, "")
        except Exception as exc:
            self.troubles.tell(path, f"{path} cannot be written, the old one stays: {sentence_of(exc)}")
