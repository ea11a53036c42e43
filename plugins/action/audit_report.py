# Copyright (c) 2026, virtnet.rss contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The end of virtnet.rss.audit, on the controller: put the hosts' answers together, write them, and tell."""

from __future__ import annotations

import typing as t

from ansible.plugins.action import ActionBase

from ansible_collections.virtnet.rss.plugins.plugin_utils._fleet import fleet_report
from ansible_collections.virtnet.rss.plugins.plugin_utils._page import report_files, write_files


class ActionModule(ActionBase):
    """The action of this file, for a task with ``run_once``. Ansible's own would be a fact, a template and two copies,
    each a module's run over all that the hosts have answered, while no host does anything."""

    OPTIONS: t.ClassVar = {"path": {"type": "str", "required": True}, "title": {"type": "str", "required": True}}

    def run(self, tmp: t.Any = None, task_vars: dict[str, t.Any] | None = None) -> dict[str, t.Any]:
        """In check mode nothing is written."""
        result: dict[str, t.Any] = super().run(tmp, task_vars)
        _checked, options = self.validate_argument_spec(self.OPTIONS)
        variables = task_vars or {}
        files = report_files(fleet_report(variables["ansible_play_hosts_all"], variables["hostvars"]), options["title"])
        try:
            if not self._task.check_mode:
                write_files(options["path"], files)
        except OSError as exc:
            why = f"{exc.filename} cannot be written: {exc.strerror}; audit_report names another place"
            return {**result, "failed": True, "msg": why}
        # As of a debug task: it is shown whatever the verbosity, by the callback that the user has chosen.
        return {**result, "msg": files["txt"].splitlines(), "_ansible_verbose_always": True}
