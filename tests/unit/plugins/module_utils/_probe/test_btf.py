# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import builtins
import sys
import typing as t
from pathlib import Path

import pytest

from ansible_collections.virtnet.rss.plugins.module_utils._probe.btf import probe_btf

HEADER = (0xEB9F).to_bytes(2, sys.byteorder) + bytes(22)
WITHOUT_TUN = HEADER + b"\0task_struct\0tun_structure\0"
WITH_TUN = HEADER + b"\0task_struct\0tun_struct\0"
MISC_WITH_TUN = "200 tun\n183 hw_random\n"
MISC = "183 hw_random\n 58 tuner\n"

# BTF of the kernel, BTF of the module, /proc/misc, the two answers
HOSTS = [
    (WITH_TUN, None, MISC_WITH_TUN, "yes", "yes"),
    (WITHOUT_TUN, WITH_TUN, MISC_WITH_TUN, "yes", "yes"),
    (WITHOUT_TUN, None, MISC_WITH_TUN, "yes", "no"),
    (WITHOUT_TUN, WITHOUT_TUN, MISC_WITH_TUN, "yes", "no"),
    (WITHOUT_TUN, None, MISC, "yes", "unknown"),
    (WITHOUT_TUN, None, None, "yes", "unknown"),
    (None, None, MISC_WITH_TUN, "no", "no"),
    (b"", None, MISC_WITH_TUN, "no", "no"),
    (b"something else \0tun_struct\0", None, MISC_WITH_TUN, "no", "no"),
]


@pytest.mark.parametrize(("kernel", "module", "misc", "vmlinux", "tun"), HOSTS)
def test_answers(
    tmp_path: Path, kernel: bytes | None, module: bytes | None, misc: str | None, vmlinux: str, tun: str
) -> None:
    for name, content in (("vmlinux", kernel), ("tun", module)):
        if content is not None:
            (tmp_path / name).write_bytes(content)
    if misc is not None:
        (tmp_path / "misc").write_text(misc)
    found = probe_btf(str(tmp_path), str(tmp_path / "misc"))
    assert {name: finding.answer for name, finding in found.items()} == {"btf_vmlinux": vmlinux, "btf_tun": tun}


def test_a_file_that_may_not_be_read_is_unknown(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def refuse(path: str, *_arguments: t.Any, **_options: t.Any) -> t.NoReturn:
        raise PermissionError(13, "Permission denied", path)

    monkeypatch.setattr(builtins, "open", refuse)
    found = probe_btf(str(tmp_path), str(tmp_path / "misc"))
    assert {finding.answer for finding in found.values()} == {"unknown"}
