# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

from ansible_collections.virtnet.rss.plugins.module_utils._host.manual import FILES, manual_files

ROLE = Path(__file__).resolve().parents[5] / "roles" / "steering"


def test_they_are_those_that_the_role_has() -> None:
    share = ROLE / "files" / "share"
    assert {str(path.relative_to(share)) for path in share.rglob("*") if path.is_file()} == set(FILES)


@pytest.mark.parametrize(
    ("program", "share"),
    [("/usr/local/sbin/v", "/usr/local/share/"), ("/opt/v/bin/v", "/opt/v/share/"), ("/opt/v", "")],
)
def test_the_role_puts_them_where_they_are_taken_away(program: str, share: str) -> None:
    assert manual_files(program) == [share + name for name in FILES if share]
    tasks = yaml.safe_load((ROLE / "tasks" / "main.yml").read_text(encoding="utf-8"))
    (pattern,) = re.findall(r"steering_program is match\('(.*)'\)", str([task.get("when") for task in tasks]))
    assert bool(re.match(pattern, program)) == bool(share)
