# Copyright (c) 2026, virtnet.rss contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to the collection: the audit's page, made by an action plugin. Runs on the controller; pure.

from __future__ import annotations

import datetime
import json

import jinja2

from ansible_collections.virtnet.rss.plugins.plugin_utils._fleet import Report, fleet_text

__all__ = ("page",)


def page(template: str, report: Report, title: str) -> str:
    """``template`` is playbooks/templates/audit.html.j2, which uses no more of Ansible than is given here."""
    environment = jinja2.Environment(keep_trailing_newline=True)  # the template escapes by itself
    environment.filters.update({"to_json": json.dumps, "virtnet.rss.fleet_text": fleet_text})
    environment.globals["now"] = _now
    return environment.from_string(template).render(audit_fleet=report, audit_title=title)


def _now(utc: bool) -> datetime.datetime:
    return datetime.datetime.now(datetime.timezone.utc if utc else None)
