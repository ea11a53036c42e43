# Copyright (c) 2026, virtnet.rss contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The end of virtnet.rss.audit, on the controller: put the hosts' answers together, write them, and tell."""

from __future__ import annotations

import typing as t
from pathlib import Path

from ansible.plugins.action import ActionBase

from ansible_collections.virtnet.rss.plugins.plugin_utils._fleet import fleet_report, fleet_text
from ansible_collections.virtnet.rss.plugins.plugin_utils._page import absolute, write_page
from ansible_collections.virtnet.rss.plugins.plugin_utils._tell import tell


class ActionModule(ActionBase):
    """The action of this file, for a task with ``run_once``. Tasks of Ansible's own took three module runs on the
    controller for it, and a third of a second for each ten hosts, in which no host was asked anything."""

    _VALID_ARGS = frozenset(("path", "title"))

    def run(self, tmp: t.Any = None, task_vars: dict[str, t.Any] | None = None) -> dict[str, t.Any]:
        """In check mode nothing is written."""
        result: dict[str, t.Any] = super().run(tmp, task_vars)
        variables = task_vars or {}
        report = fleet_report(list(variables["ansible_play_hosts_all"]), variables["hostvars"])
        text = fleet_text(report)
        path = absolute(self._task.args["path"])
        try:
            if not self._task.check_mode:
                write_page(path, report, self._task.args["title"])
                Path(f"{path}.txt").write_text(text, encoding="utf-8")
        except OSError as exc:
            return {**result, "failed": True, "msg": f"audit_report: {exc.filename} cannot be written: {exc.strerror}"}
        tell(text.splitlines())
        return {**result, "totals": report["totals"]}
