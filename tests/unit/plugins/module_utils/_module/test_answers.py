# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.virtnet.rss.plugins.module_utils._errors import DeviceError, InputError
from ansible_collections.virtnet.rss.plugins.module_utils._module.answers import difference, failures_told, lines


class FailedError(Exception):
    """What a module was told to fail with."""


class Module:
    @staticmethod
    def fail_json(**answer: t.Any) -> t.NoReturn:
        raise FailedError(answer)


def failure(error: Exception, *done: str) -> dict[str, t.Any]:
    with pytest.raises(FailedError) as failed, failures_told(t.cast("t.Any", Module), done):
        raise error
    answer: dict[str, t.Any] = failed.value.args[0]
    return answer


def test_a_wrong_value_names_its_option() -> None:
    error = InputError("size", 3, "a power of two")
    assert failure(error) == {"msg": "size: 3 is not allowed; a power of two", "option": "size"}


@pytest.mark.parametrize("done", [(), ("mtu",)])
def test_a_failure_says_what_was_changed(done: tuple[str, ...]) -> None:
    answer = failure(DeviceError("it has gone", errno=19, device="tap0"), *done)
    assert "DeviceError: it has gone" in answer.pop("exception")
    assert answer == {"msg": "it has gone", "changed": bool(done), "errno": 19, "device": "tap0"}


def test_a_bug_is_no_failure_of_the_host() -> None:
    with pytest.raises(KeyError), failures_told(t.cast("t.Any", Module)):
        raise KeyError("x")


VALUES: list[tuple[object, str]] = [
    (True, "true"),
    (False, "false"),
    (0, "0"),
    (None, "none"),
    ("", "none"),
    ([], "none"),
    ({}, "none"),
    ("a text", "a text"),
    (["ipv4", "tcpv4"], "ipv4 tcpv4"),
    ({"equal": 4, "start": 0}, "equal 4, start 0"),
    ({"vxlan": [4789, 8472]}, "vxlan 4789 8472"),
    ([{"queue": 1}, {"vlan": 5, "queue": 2}], "queue 1; vlan 5, queue 2"),
]


@pytest.mark.parametrize(("value", "text"), VALUES, ids=str)
def test_lines(value: object, text: str) -> None:
    assert lines({"word": value, "next": 1}) == f"word: {text}\nnext: 1\n"


def test_difference() -> None:
    assert difference("tap0", "a\n", "b\n") == {
        "before": "a\n",
        "after": "b\n",
        "before_header": "tap0",
        "after_header": "tap0",
    }
