# Copyright (c) 2026, virtnet.rss contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to the collection: the service as one file, a zip that Python runs. It is made of the very sources that are
# imported here: in a module those are the ones that Ansible brought to the host, so there is no second code base.

from __future__ import annotations

import inspect
import io
import sys
import zipfile

__all__ = ("service_file",)

PACKAGE = "ansible_collections.virtnet.rss.plugins.module_utils"
MAIN = f"{PACKAGE}._service.cli"
SHEBANG = b"#!/usr/bin/python3\n"
LONG_AGO = (1980, 1, 1, 0, 0, 0)  # the oldest time that a zip can hold: the same sources give the same bytes


def service_file() -> bytes:
    """The bytes of virtnet-rss, for an executable file."""
    from ansible_collections.virtnet.rss.plugins.module_utils._service import cli

    sources = {f"{PACKAGE.replace('.', '/')}/{name}": text for name, text in _sources().items()}
    packages = {path.rpartition("/")[0] for path in sources}
    packages |= {package[:end] for package in packages for end in range(len(package)) if package[end] == "/"}
    start = f"import sys\n\nfrom {cli.__name__} import main\n\nsys.exit(main())\n"
    content = {**sources, **{f"{package}/__init__.py": "" for package in packages}, "__main__.py": start}
    file = io.BytesIO()
    file.write(SHEBANG)
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sorted(content):
            archive.writestr(zipfile.ZipInfo(path, LONG_AGO), content[path], zipfile.ZIP_DEFLATED)
    return file.getvalue()


def _sources() -> dict[str, str]:
    """Path below the package and text of every file of it that the service needs, all of which are imported now."""
    found = {}
    for name, module in sorted(sys.modules.items()):
        if name.startswith(f"{PACKAGE}.") and not name.startswith(f"{PACKAGE}._module") and not _is_package(module):
            found[name[len(PACKAGE) + 1 :].replace(".", "/") + ".py"] = inspect.getsource(module)
    return found


def _is_package(module: object) -> bool:
    return hasattr(module, "__path__")
