# Copyright (c) 2026, virtnet.rss contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to the collection: the service as one file, a zip that Python runs. It is made of the very sources that a
# module would import: the ones that Ansible brought to the host, so there is no second code base. They are read, not
# imported: a host whose service is as wanted need not compile all of it at each run.

from __future__ import annotations

import functools
import io
import os
import re
import typing as t
import zipfile
import zlib

if t.TYPE_CHECKING:  # this tells Ansible to bring it, with all that it needs
    from ansible_collections.virtnet.rss.plugins.module_utils._service import (  # pylint: disable=unused-import
        cli,  # noqa: F401
    )

__all__ = ("is_service_file", "service_file")

PACKAGE = "ansible_collections.virtnet.rss.plugins.module_utils"
MAIN = f"{PACKAGE}._service.cli"
SHEBANG = b"#!/usr/bin/python3\n"
START = f"import sys\n\nfrom {MAIN} import main\n\nsys.exit(main())\n"
LONG_AGO = (1980, 1, 1, 0, 0, 0)  # the oldest time that a zip can hold: the same sources give the same bytes
# Wherever in a file: what a function imports is needed too. A module's names may be modules of a package.
FOLDER = os.path.dirname(os.path.dirname(__file__))  # of PACKAGE; inside of a zip on a managed host
IMPORTS = re.compile(rf"^ *from {re.escape(PACKAGE)}((?:\.\w+)*) import (\([^)]*\)|.*)$", re.MULTILINE)


@functools.lru_cache(maxsize=None)
def service_file() -> bytes:
    """The bytes of virtnet-rss, for an executable file."""
    content = _content()
    file = io.BytesIO()
    file.write(SHEBANG)
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sorted(content):
            archive.writestr(zipfile.ZipInfo(path, LONG_AGO), content[path], zipfile.ZIP_DEFLATED)
    return file.getvalue()


def is_service_file(given: bytes) -> bool:
    """Whether these are such bytes. It reads what another zlib has compressed, and is quicker than making them."""
    content = _content()
    try:
        with zipfile.ZipFile(io.BytesIO(given)) as archive:
            names = archive.namelist()
            same = sorted(names) == sorted(content) and not archive.comment and given.startswith(SHEBANG + b"PK")
            return same and all(archive.read(name) == content[name].encode() for name in names)
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, OSError, ValueError):
        return False


@functools.lru_cache(maxsize=None)
def _content() -> dict[str, str]:
    """Path and text of every file in the zip."""
    sources = {f"{name.replace('.', '/')}.py": text for name, text in _sources().items()}
    packages = {path.rpartition("/")[0] for path in sources}
    packages |= {package[:end] for package in packages for end in range(len(package)) if package[end] == "/"}
    return {**sources, **{f"{package}/__init__.py": "" for package in packages}, "__main__.py": START}


def _sources() -> dict[str, str]:
    """Name and text of every module of ours that the service may import."""
    found: dict[str, str] = {}
    waiting = [MAIN]
    while waiting:
        name = waiting.pop()
        if name not in found:
            found[name] = _source(name) or ""
            waiting += _imported(found[name])
    return found


def _imported(text: str) -> t.Iterator[str]:
    for path, names in IMPORTS.findall(text):
        if _source(PACKAGE + path) is not None:
            yield PACKAGE + path
        else:  # a package, so its names are modules
            yield from (f"{PACKAGE}{path}.{name}" for name in re.findall(r"\w+", re.sub(r" as \w+", "", names)))


@functools.lru_cache(maxsize=None)
def _source(name: str) -> str | None:
    """None for a package. It is read by what has loaded this file: importlib would compile it only to find it."""
    path = os.path.join(FOLDER, *name[len(PACKAGE) + 1 :].split(".")) + ".py"
    try:
        source: bytes | None = globals()["__loader__"].get_data(path)  # Ansible's own loader of collections gives None
    except OSError:
        return None
    return None if source is None else source.decode()
