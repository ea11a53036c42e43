# Copyright (c) 2026, virtnet.rss contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whatever happens to a command is a sentence and an exit status (K8, row 6)."""

from __future__ import annotations

import errno
import json
import os
from types import SimpleNamespace

import pytest

from ansible_collections.virtnet.rss.plugins.module_utils._errors import InputError, StateError
from ansible_collections.virtnet.rss.plugins.module_utils._service import cli, commands
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


def test_one_device_that_cannot_be_balanced(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """It costs the others nothing, for their entries have been moved by then."""
    live = SimpleNamespace(program=SimpleNamespace(live=True))

    def look(sighting: object, *, seconds: float, dry_run: bool) -> dict[str, object]:
        assert (seconds, dry_run) == (1.0, False)
        if sighting is first:
            raise StateError("tap0: its program has gone")
        return {"name": "tap1"}

    first, second = SimpleNamespace(device=live), SimpleNamespace(device=live)
    monkeypatch.setattr(commands, "_sightings", lambda _arguments: (first, second))
    monkeypatch.setattr(commands, "look_at_balance", look)
    assert cli.main(["balance", "--json"]) == 1
    said = capsys.readouterr()
    assert json.loads(said.out) == [{"name": "tap1"}] and said.err == "virtnet-rss: tap0: its program has gone\n"
