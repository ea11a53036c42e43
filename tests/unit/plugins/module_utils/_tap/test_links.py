# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import sys
import types
import typing as t

import pytest

from ansible_collections.virtnet.rss.plugins.module_utils._errors import CapabilityError, DeviceError
from ansible_collections.virtnet.rss.plugins.module_utils._tap.links import PyrouteLinks


class NetlinkError(Exception):
    def __init__(self, code: int) -> None:
        super().__init__(code)
        self.code = code


class Script:
    """Exact calls in order; an integer answer is an errno."""

    def __init__(self, *script: tuple[dict[str, t.Any], t.Any]) -> None:
        self.script = list(script)
        self.closed = False

    def link(self, command: str, **arguments: t.Any) -> t.Any:
        expected, answer = self.script.pop(0)
        assert (command, arguments) == ("set", expected)
        if isinstance(answer, int):
            raise NetlinkError(answer)
        return answer

    def close(self) -> None:
        self.closed = True


def scripted(monkeypatch: pytest.MonkeyPatch, script: Script) -> PyrouteLinks:
    module = types.SimpleNamespace(IPRoute=lambda: script, NetlinkError=NetlinkError)
    monkeypatch.setitem(sys.modules, "pyroute2", module)
    return PyrouteLinks()


def test_calls(monkeypatch: pytest.MonkeyPatch) -> None:
    script = Script(
        ({"index": 1, "mtu": 9000}, ()),
        ({"index": 1, "master": 3}, ()),
        ({"index": 1, "master": 0}, ()),
        ({"index": 1, "state": "up"}, ()),
        ({"index": 1, "state": "down"}, ()),
    )
    with scripted(monkeypatch, script) as links:
        links.set_mtu(1, 9000)
        links.set_master(1, 3)
        links.set_master(1, None)
        links.set_up(1, True)
        links.set_up(1, False)
    assert script.closed
    assert not script.script


def test_a_refusal_keeps_its_errno(monkeypatch: pytest.MonkeyPatch) -> None:
    links = scripted(monkeypatch, Script(({"index": 1, "mtu": 1}, 22)))
    with pytest.raises(DeviceError, match="Invalid argument") as refusal:
        links.set_mtu(1, 1)
    assert refusal.value.errno == 22


def test_without_pyroute2(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyroute2", None)
    with pytest.raises(CapabilityError, match=r"install python3-pyroute2 \(its import failed: .*pyroute2"):
        PyrouteLinks()
