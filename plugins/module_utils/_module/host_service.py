# Copyright (c) 2026, virtnet.rss contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to the collection: options and results of virtnet.rss.host_service.

from __future__ import annotations

import hashlib
import os
import typing as t

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.virtnet.rss.plugins.module_utils._module.answers import difference, fail, succeed
from ansible_collections.virtnet.rss.plugins.module_utils._service.one_file import service_file

__all__ = ("create_argument_spec", "run_module")

MODE = 0o755


def create_argument_spec() -> dict[str, t.Any]:
    """The options that plugins/modules/host_service.py documents."""
    return {
        "path": {"type": "path", "default": "/usr/local/sbin/virtnet-rss"},
        "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
    }


def run_module(module: AnsibleModule) -> t.NoReturn:
    """Run the module; ends the process."""
    path = module.params["path"]
    wanted = service_file() if module.params["state"] == "present" else None
    try:
        before = _read(path)
        changed = before != (wanted, MODE if wanted else None)
        if changed and not module.check_mode:
            _put(module, path, wanted)
    except OSError as exc:
        fail(module, msg=f"path: {path}: {exc.strerror}", errno=exc.errno)
    succeed(
        module,
        changed=changed,
        path=path,
        checksum=_checksum(wanted),
        diff=difference(path, _line(path, before[0]), _line(path, wanted)),
    )


def _read(path: str) -> tuple[bytes | None, int | None]:
    try:
        with open(path, "rb") as file:
            return file.read(), os.fstat(file.fileno()).st_mode & 0o7777
    except FileNotFoundError:
        return None, None


def _put(module: AnsibleModule, path: str, content: bytes | None) -> None:
    if content is None:
        os.unlink(path)
        return
    scratch = os.path.join(module.tmpdir, "virtnet-rss")
    with open(scratch, "wb") as file:
        file.write(content)
    os.chmod(scratch, MODE)
    module.atomic_move(scratch, path)
    os.chmod(path, MODE)


def _checksum(content: bytes | None) -> str | None:
    return None if content is None else hashlib.sha256(content).hexdigest()


def _line(path: str, content: bytes | None) -> str:
    return "" if content is None else f"{path}: sha256 {_checksum(content)}\n"
