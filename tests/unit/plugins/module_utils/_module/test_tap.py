# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import contextlib
import typing as t

import pytest

from ansible_collections.virtnet.rss.plugins.module_utils._errors import CapabilityError, StateError
from ansible_collections.virtnet.rss.plugins.module_utils._module import tap as module_tap
from ansible_collections.virtnet.rss.plugins.module_utils._module.tap import create_argument_spec, run_module
from ansible_collections.virtnet.rss.plugins.module_utils._tap import observe as module_observe
from ansible_collections.virtnet.rss.plugins.module_utils._tun.links import Link
from ansible_collections.virtnet.rss.plugins.modules import tap

TAP = Link("tap0", 7, "tun", up=True, tun_flags=0x5902, queues=0, owner=0)


class AnswerError(Exception):
    """The module's answer."""

    def __init__(self, failed: bool, answer: dict[str, t.Any]) -> None:
        super().__init__(answer)
        self.failed, self.answer = failed, answer


class Module:
    """As much of AnsibleModule as run_module may use."""

    def __init__(self, *, check: bool, **options: t.Any) -> None:
        self.params = {name: spec.get("default") for name, spec in create_argument_spec().items()}
        self.params.update(options)
        self.check_mode = check

    def exit_json(self, **answer: t.Any) -> t.NoReturn:
        raise AnswerError(False, answer)

    def fail_json(self, **answer: t.Any) -> t.NoReturn:
        raise AnswerError(True, answer)


def run(monkeypatch: pytest.MonkeyPatch, *links: Link, changes: bool = True, **options: t.Any) -> AnswerError:
    """In check mode: nothing but the links is looked at, and pyroute2 is asked for only where there is a change."""
    by_name = {link.name: link for link in links}
    monkeypatch.setattr(module_observe, "find_link", by_name.get)
    monkeypatch.setattr(module_tap, "PyrouteLinks", contextlib.nullcontext if changes else None)
    with pytest.raises(AnswerError) as ended:
        run_module(t.cast("t.Any", Module(check=True, name="tap0", **options)))
    return ended.value


def test_what_would_be_made(monkeypatch: pytest.MonkeyPatch) -> None:
    ended = run(monkeypatch, owner="0", mtu=9000)
    assert not ended.failed
    assert ended.answer == {
        "changed": True,
        "tap": {
            "name": "tap0",
            "ifindex": None,
            "netns": "",
            "multi_queue": True,
            "vnet_hdr": True,
            "owner": "root",
            "group": None,
            "mtu": 9000,
            "bridge": "",
            "up": True,
            "queues": 0,
        },
        "diff": {
            "before_header": "tap0",
            "after_header": "tap0",
            "before": "state: absent\n",
            "after": "state: present\nmulti_queue: true\nvnet_hdr: true\nowner: root\ngroup: none\nmtu: 9000\n"
            "bridge: none\nup: true\n",
        },
    }


def test_nothing_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    ended = run(monkeypatch, TAP, changes=False, owner="root")
    assert not ended.answer["changed"]
    assert ended.answer["tap"]["ifindex"] == 7
    assert ended.answer["diff"]["before"] == ended.answer["diff"]["after"]


def test_what_would_be_removed(monkeypatch: pytest.MonkeyPatch) -> None:
    ended = run(monkeypatch, TAP, state="absent")
    assert ended.answer["changed"]
    assert ended.answer["tap"] is None
    assert ended.answer["diff"]["before"].startswith("state: present\n")
    assert ended.answer["diff"]["after"] == "state: absent\n"


def test_nothing_to_remove(monkeypatch: pytest.MonkeyPatch) -> None:
    ended = run(monkeypatch, changes=False, state="absent")
    assert (ended.answer["changed"], ended.answer["tap"]) == (False, None)


def test_a_wrong_value_names_its_option(monkeypatch: pytest.MonkeyPatch) -> None:
    ended = run(monkeypatch, mtu=1)
    assert ended.failed
    assert ended.answer["option"] == "mtu"


def test_a_refusal(monkeypatch: pytest.MonkeyPatch) -> None:
    ended = run(monkeypatch, TAP, vnet_hdr=False)
    assert ended.failed
    assert (ended.answer["changed"], ended.answer["device"]) == (False, "tap0")
    assert "StateError" in ended.answer["exception"]


@pytest.mark.parametrize("error", [StateError("sentence", device="tap0", errno=16), CapabilityError("sentence")])
def test_a_failure_says_whether_something_was_changed(monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    def half_way(_module: t.Any, done: list[str]) -> dict[str, t.Any]:
        done.append("mtu")
        raise error

    monkeypatch.setattr(module_tap, "_run", half_way)
    with pytest.raises(AnswerError) as ended:
        run_module(t.cast("t.Any", Module(check=False, name="tap0")))
    assert ended.value.failed
    assert ended.value.answer["changed"]
    assert ended.value.answer["msg"] == "sentence"


def test_the_documentation_has_every_result(monkeypatch: pytest.MonkeyPatch) -> None:
    """validate-modules compares the options, nothing compares the results."""
    for name in run(monkeypatch, TAP, changes=False).answer["tap"]:
        assert tap.RETURN.count(f"\n    {name}:") == 2, f"{name}: in the sample, and described"
