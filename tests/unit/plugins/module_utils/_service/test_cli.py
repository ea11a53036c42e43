# Copyright (c) 2026, virtnet.rss contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whatever happens to a command is a sentence and an exit status (K8, row 6)."""

from __future__ import annotations

import errno
import os

import pytest

from ansible_collections.virtnet.rss.plugins.module_utils._errors import InputError
from ansible_collections.virtnet.rss.plugins.module_utils._service import cli
from ansible_collections.virtnet.rss.plugins.module_utils._service.commands import COMMANDS

WRONG = [
    (OSError(errno.ECONNABORTED, os.strerror(errno.ECONNABORTED)), 1, "Software caused connection abort"),
    (
        InputError("tap", "vnet9", "no TAP device has this name"),
        1,
        "tap: 'vnet9' is not allowed; no TAP device has this name",
    ),
    (KeyboardInterrupt(), 130, ""),
]


@pytest.mark.parametrize(("error", "status", "sentence"), WRONG, ids=["of the system", "ours", "Ctrl-C"])
def test_what_goes_wrong(
    error: BaseException,
    status: int,
    sentence: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def fail(_arguments: object) -> int:
        raise error

    monkeypatch.setitem(COMMANDS, "metrics", fail)
    assert cli.main(["metrics"]) == status
    said = capsys.readouterr()
    assert (said.out, said.err) == ("", f"virtnet-rss: {sentence}\n" if sentence else "")
