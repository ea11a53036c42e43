# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import subprocess
import sys
import typing as t
import zipfile
from pathlib import Path
from types import SimpleNamespace

from ansible_collections.virtnet.rss.plugins.module_utils._module import compile_once

FILE = Path(compile_once.__file__)
COUNT = """
import builtins, sys
seen, compile_ = [], builtins.compile
def counted(source, name, *more, **words):
    seen.append(name)
    return compile_(source, name, *more, **words)
builtins.compile = counted
sys.path.insert(0, sys.argv[1])
if len(sys.argv) > 2:
    import compile_once
import first, package.second
assert package.second.__file__.endswith("second.py") and first.VALUE == package.second.VALUE == 1
print(sum(name.endswith(("first.py", "second.py")) for name in seen))
"""


def test_what_was_found_is_given_once_more() -> None:
    asked: list[str] = []

    def get(_importer: t.Any, name: str) -> tuple[t.Any, ...]:
        asked.append(name)
        return False, name, ""

    importers = [SimpleNamespace(archive=archive, prefix="") for archive in ("a.zip", "b.zip")]
    once = compile_once.compile_once(get)
    for _time in range(2):
        assert once(importers[0], "m") == (False, "m", "")
    assert asked == ["m"]
    assert once(importers[1], "m") and once(importers[0], "m") and asked == ["m"] * 3


def test_each_source_of_a_zip_is_compiled_once(tmp_path: Path) -> None:
    """As Ansible brings them."""
    archive = tmp_path / "payload.zip"
    with zipfile.ZipFile(archive, "w") as made:
        made.writestr("compile_once.py", FILE.read_text(encoding="utf-8"))
        made.writestr("package/__init__.py", "")
        for name in ("first", "package/second"):
            made.writestr(f"{name}.py", "VALUE = 1\n")
    counts = []
    for words in ([], ["with"]):
        command = [sys.executable, "-c", COUNT, str(archive), *words]
        counts.append(int(subprocess.run(command, check=True, capture_output=True, text=True).stdout))
    without, with_it = counts
    assert with_it == 2 <= without
