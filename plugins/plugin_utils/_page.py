# Copyright (c) 2026, virtnet.rss contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to the collection: the audit's page, and the same as JSON, made by an action plugin. Runs on the controller.

from __future__ import annotations

import datetime
import json
import os
from pathlib import Path

import jinja2

from ansible_collections.virtnet.rss.plugins.plugin_utils._fleet import Report, fleet_text

__all__ = ("absolute", "page", "write_page")

TEMPLATE = Path(__file__).parents[2] / "playbooks" / "templates" / "audit.html.j2"


def absolute(name: str) -> str:
    """A name as the user means it who has called Ansible, which runs an action in the playbook's folder."""
    return os.path.join(os.environ.get("PWD", ""), os.path.expanduser(name))


def write_page(path: str, report: Report, title: str) -> None:
    """``path`` without ending: .html and .json are made. OSError as it comes."""
    Path(f"{path}.html").write_text(page(report, title), encoding="utf-8")
    Path(f"{path}.json").write_text(json.dumps(report, indent=4, sort_keys=True), encoding="utf-8")


def page(report: Report, title: str) -> str:
    """By playbooks/templates/audit.html.j2, which uses no more of Ansible than is given here."""
    environment = jinja2.Environment(keep_trailing_newline=True)  # the template escapes by itself
    environment.filters.update({"to_json": json.dumps, "virtnet.rss.fleet_text": fleet_text})
    environment.globals["now"] = _now
    template = environment.from_string(TEMPLATE.read_text(encoding="utf-8"))
    return template.render(audit_fleet=report, audit_title=title)


def _now(utc: bool) -> datetime.datetime:
    return datetime.datetime.now(datetime.timezone.utc if utc else None)
