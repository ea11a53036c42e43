# Copyright (c) 2026, virtnet.rss contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to the collection: the files of a fleet report, made and written by action plugins. Runs on the controller.

from __future__ import annotations

import datetime
import json
import os
import typing as t
from pathlib import Path

import jinja2

from ansible_collections.virtnet.rss.plugins.module_utils._files import write_atomically
from ansible_collections.virtnet.rss.plugins.plugin_utils._fleet import Report, fleet_text

__all__ = ("page", "report_files", "write_files")

TEMPLATE = Path(__file__).parents[2] / "playbooks" / "templates" / "audit.html.j2"


def report_files(report: Report, title: str) -> dict[str, str]:
    """The contents by the files' endings: a page to look at, and the same as JSON and as text."""
    as_json = json.dumps(report, indent=4, sort_keys=True)
    return {"html": page(report, title), "json": as_json, "txt": fleet_text(report)}


def write_files(name: str, files: t.Mapping[str, str]) -> None:
    """``name`` is without the ending; a relative one is below the caller's folder. Whoever reads a file meanwhile has
    all of the older or all of the new one. OSError names the file."""
    for ending, content in files.items():
        path = os.path.abspath(f"{os.path.expanduser(name)}.{ending}")
        try:
            write_atomically(path, content)
        except OSError as exc:
            raise OSError(exc.errno, exc.strerror, path) from exc


def page(report: Report, title: str) -> str:
    """By playbooks/templates/audit.html.j2, which uses no more of Ansible than is given here."""
    environment = jinja2.Environment(keep_trailing_newline=True)  # the template escapes by itself
    environment.filters.update({"to_json": json.dumps, "virtnet.rss.fleet_text": fleet_text})
    environment.globals["now"] = _now
    template = environment.from_string(TEMPLATE.read_text(encoding="utf-8"))
    return template.render(audit_fleet=report, audit_title=title)


def _now(utc: bool) -> datetime.datetime:
    return datetime.datetime.now(datetime.timezone.utc if utc else None)
