# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import io
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from ansible_collections.virtnet.rss.plugins.module_utils._service.one_file import is_service_file, service_file


def names(content: bytes) -> set[str]:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return set(archive.namelist())


def test_it_holds_what_the_service_imports_and_nothing_of_the_modules(tmp_path: Path) -> None:
    program = tmp_path / "virtnet-rss"
    program.write_bytes(service_file())
    script = "import runpy, sys; sys.argv[1:] = ['--help']; runpy.run_path(sys.argv[0], run_name='__main__')"
    done = subprocess.run(
        [sys.executable, "-I", "-c", f"import sys; sys.argv[0] = {str(program)!r}; {script}"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0 and "apply" in done.stdout, done.stderr
    held = names(program.read_bytes())
    package = "ansible_collections/virtnet/rss/plugins/module_utils"
    for needed in ("_service/daemon", "_bpf/generated/inspect_object", "_steering/apply", "_look/observation"):
        assert f"{package}/{needed}.py" in held
    assert not [name for name in held if "/_module/" in name or "/_host/" in name]


def test_the_same_sources_give_the_same_bytes() -> None:
    assert service_file() == service_file() and is_service_file(service_file())


def test_another_compression_is_the_same_program() -> None:
    content = service_file()
    other = io.BytesIO()
    other.write(content[: content.index(b"PK")])
    with zipfile.ZipFile(io.BytesIO(content)) as archive, zipfile.ZipFile(other, "w") as copy:
        for name in archive.namelist():
            copy.writestr(name, archive.read(name))
    assert is_service_file(other.getvalue())


@pytest.mark.parametrize("place", [0, 5, 3000, 100_000, b"signature.py"])
def test_other_content_is_another_program(place: int | bytes) -> None:
    """Shebang, data, and the name of a file in the zip's directory, which is at its end."""
    content = bytearray(service_file())
    content[place if isinstance(place, int) else content.rindex(place)] ^= 1
    assert not is_service_file(bytes(content))


def test_what_is_no_program_of_ours() -> None:
    content = service_file()
    more = io.BytesIO(content)
    with zipfile.ZipFile(more, "a") as archive:
        archive.writestr("more.py", "")
    assert not any(map(is_service_file, (b"", b"#!/bin/sh\n", content[:-1], content[100:], more.getvalue())))
