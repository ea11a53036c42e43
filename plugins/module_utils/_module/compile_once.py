# Copyright (c) 2026, virtnet.rss contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to the collection: makes the imports of a module cheaper. Ansible brings them as a zip of sources, and since
# Python 3.10 zipimport compiles each source twice: to find the module, only to throw the code away, and to load it. A
# hundred files are a tenth of a second of each run on each host. Import this before them.

from __future__ import annotations

import typing as t
import zipimport

__all__ = ("compile_once",)

Found = t.Tuple[t.Any, ...]  # whether it is a package, its code, its path


def compile_once(get: t.Callable[[t.Any, str], Found]) -> t.Callable[[t.Any, str], Found]:
    """The same function; what it gives is kept until it is asked for a second time."""
    kept: dict[tuple[str, str], Found] = {}

    def get_module_code(importer: t.Any, name: str) -> Found:
        key = importer.archive + "/" + importer.prefix, name
        if key in kept:
            return kept.pop(key)
        kept[key] = found = get(importer, name)
        return found

    return get_module_code


# Not public, but the same from 3.8 to 3.14; where it has gone, imports cost what they cost.
_NAME = "_get_module_code"
if isinstance(globals().get("__loader__"), zipimport.zipimporter) and hasattr(zipimport, _NAME):
    setattr(zipimport, _NAME, compile_once(getattr(zipimport, _NAME)))
