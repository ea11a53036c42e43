# SPDX-License-Identifier: GPL-3.0-or-later
"""A policy that is refused names its place; nothing of a key is in the sentence."""

from __future__ import annotations

import json
import os
import typing as t
from pathlib import Path

import pytest

from ansible_collections.virtnet.rss.plugins.module_utils._errors import InputError
from ansible_collections.virtnet.rss.plugins.module_utils._policy.folder import load_policy, state_of_files
from ansible_collections.virtnet.rss.plugins.module_utils._policy.rules import Match, Policy, Rule, Subject
from ansible_collections.virtnet.rss.plugins.module_utils._policy.schema import parse_document
from ansible_collections.virtnet.rss.plugins.module_utils._rss.config import Pin, TunnelPorts
from ansible_collections.virtnet.rss.plugins.module_utils._steering.desired import desired_from
from ansible_collections.virtnet.rss.plugins.module_utils._steering.model import Desired, Indirection

KEY = bytes(range(40)).hex()
BROKEN: list[tuple[t.Any, str]] = [
    ([], "p: an empty list is not allowed; it is a dictionary of rules"),
    ({"rulez": []}, r"p: 'rulez' is not allowed; its words are rules"),
    ({}, "p: rules: null is not allowed; it is a list of rules"),
    ({"rules": [7]}, r"p: rules\[0\]: 7 is not allowed"),
    ({"rules": [{}, {"mach": {}}]}, r"p: rules\[1\]: 'mach' is not allowed; its words are name, match"),
    ({"rules": [{"match": []}]}, r"p: rules\[0\].match: an empty list is not allowed"),
    ({"rules": [{"match": {"device": 7}}]}, r"p: rules\[0\].match.device: 7 is not allowed; it is a text"),
    ({"rules": [{"match": {"interface": True}}]}, r"match.interface: true is not allowed; it is a whole number"),
    (
        {"rules": [{"state": "gone"}]},
        r"p: rules\[0\].state: a text of 4 letters is not allowed; choose of present, absent, ignore",
    ),
    (
        {"rules": [{"foreign": "eat"}]},
        r"rules\[0\].foreign: a text of 3 letters is not allowed; choose of keep, replace, fail",
    ),
    ({"rules": [{"fallback": 1}]}, r"rules\[0\].fallback: 1 is not allowed"),
    ({"rules": [{"hash_types": "tcpv4"}]}, r"rules\[0\].hash_types: a text of 5 letters is not allowed; it is a list"),
    ({"rules": [{"hash_types": ["tcpv4", "x"]}]}, r"rules\[0\].hash_types\[1\]: a text of 1 letters is not allowed"),
    ({"rules": [{"hash_key": "00"}]}, r"rules\[0\].hash_key: "),
    ({"rules": [{"match": {"domain": None}}]}, r"rules\[0\].match.domain: null is not allowed; leave the word out"),
    (
        {"rules": [{"tunnel_types": ["l2tp"]}]},
        r"rules\[0\].tunnel_types\[0\]: a text of 4 letters is not allowed; choose of gre_2784",
    ),
    ({"rules": [{"tunnel_ports": {"vxlan": [0]}}]}, r"rules\[0\].tunnel_ports.vxlan\[0\]: 0 is not allowed"),
    ({"rules": [{"tunnel_ports": {"vxlan": [1, 2, 3]}}]}, r"rules\[0\].tunnel_ports.vxlan: .* at most 2"),
    ({"rules": [{"tunnel_ports": {"vxlan": []}, "tunnel_types": ["vxlan"]}]}, r"rules\[0\].tunnel_ports.vxlan: "),
    (
        {"rules": [{"symmetric": "sorted"}]},
        r"rules\[0\].symmetric: a text of 6 letters .* true or false",
    ),
    ({"rules": [{"pins": {}}]}, r"rules\[0\].pins: .* a list of dictionaries"),
    ({"rules": [{"pins": [{"vlan": 1}]}]}, r"rules\[0\].pins\[0\].queue: .*needed"),
    (
        {"rules": [{"pins": [{"queue": 1, "tos": 1}]}]},
        r"rules\[0\].pins\[0\]: a text of 3 letters is not allowed; its words are",
    ),
    (
        {"rules": [{"pins": [{"queue": 1, "dst_port": 22}]}]},
        r"rules\[0\].pins\[0\].dst_port: 22 is not allowed; .*tcp4",
    ),
    ({"rules": [{"pins": [{"queue": 1}, {"queue": 1}]}]}, r"rules\[0\].pins\[1\]: .*takes all its packets"),
    ({"rules": [{"default_queue": -1}]}, r"rules\[0\].default_queue: -1 is not allowed"),
    (
        {"rules": [{"default_queue": "0"}]},
        r"rules\[0\].default_queue: a text of 1 letters is not allowed; it is a whole number",
    ),
    ({"rules": [{"redirect": "yes"}]}, r"rules\[0\].redirect: a text of 3 letters is not allowed; it is true or false"),
    ({"rules": [{"indirection": {"equall": 4}}]}, r"rules\[0\].indirection: 'equall' is not allowed"),
    ({"rules": [{"indirection": {"equal": 4, "table": [1]}}]}, r"rules\[0\].indirection: .* exactly one"),
    ({"rules": [{"indirection": {"table": [0, 1, 2]}}]}, r"rules\[0\].indirection.table: .* power of two"),
    ({"rules": [{"indirection": {"size": 100}}]}, r"rules\[0\].indirection.size: 100 is not allowed"),
    ({"rules": [{"indirection": {"weight": [1, "2"]}}]}, r"indirection.weight\[1\]: .* a whole number"),
    # what can never match (K3, rows 6 and 7)
    ({"rules": [{"match": None}]}, r"p: rules\[0\].match: null is not allowed; it is a dictionary of device, netns"),
    ({"rules": [{"match": {"interface": None}}]}, r"match.interface: null is not allowed; leave the word out"),
    ({"rules": [{"match": {"mac": 41135085296}}]}, r"match.mac: 41135085296 is not allowed; it is a text"),
    (
        {"rules": [{"match": {"mac": "41135085296"}}]},
        r"match.mac: a text of 11 letters is not allowed; it is six pairs",
    ),
    ({"rules": [{"match": {"mac": "52-54-00-12-34-56"}}]}, r"match.mac: a text of 17 letters is not allowed"),
    ({"rules": [{"match": {"mac": "52:54:x*"}}]}, r"match.mac: a text of 8 letters is not allowed"),
    ({"rules": [{"match": {"device": ["vnet*", "tap*"]}}]}, r"match.device: a list of 2 is not allowed; it is a text"),
    (
        {"rules": [{"match": {"device": "['vnet*', 'tap*']"}}]},
        r"match.device: a text of 17 letters is not .* white space",
    ),
    ({"rules": [{"match": {"device": "a/b"}}]}, r"match.device: a text of 3 letters is not allowed"),
    ({"rules": [{"match": {"device": "v" * 128}}]}, r"match.device: a text of 128 letters is not allowed"),
    ({"rules": [{"match": {"device": ""}}]}, r"match.device: an empty text is not allowed"),
    ({"rules": [{"match": {"domain": ""}}]}, r"match.domain: an empty text is not allowed"),
    ({"rules": [{"match": {"interface": -1}}]}, r"match.interface: -1 is not allowed; network cards are numbered"),
    (
        {"rules": [{"match": {"device": "vnet[9-0]"}}]},
        r"match.device: the pattern .* has the range 9-0, which is backwards",
    ),
]


@pytest.mark.parametrize(("document", "sentence"), BROKEN, ids=[sentence for _document, sentence in BROKEN])
def test_refused(document: t.Any, sentence: str) -> None:
    with pytest.raises(InputError, match=sentence):
        parse_document(json.dumps(document), "p")


def test_no_json() -> None:
    with pytest.raises(InputError, match=r"p: the document is no JSON: .*line 1 column 2"):
        parse_document("{", "p")


@pytest.mark.parametrize("text", ["[" * 100_000, '{"rules": ' + "[" * 100_000])
def test_nested_too_deeply(text: str) -> None:
    with pytest.raises(InputError, match="p: the document is nested too deeply"):
        parse_document(text, "p")


@pytest.mark.parametrize("key", [KEY[:-2], KEY + "00", "x" + KEY[1:]])
def test_a_wrong_key_is_not_repeated(key: str) -> None:
    with pytest.raises(InputError) as caught:
        parse_document(json.dumps({"rules": [{"hash_key": key}]}), "p")
    assert KEY[4:40] not in str(caught.value)


def test_defaults_are_those_of_the_module() -> None:
    (rule,) = parse_document('{"rules": [{}]}', "p").rules
    assert rule == Rule("", Match(), Desired()) and desired_from({}) == Desired()


def test_everything_that_can_be_said() -> None:
    given = {
        "name": "web",
        "match": {
            "device": "vnet*",
            "netns": "*",
            "holder": "qemu*",
            "domain": "web-*",
            "interface": 1,
            "mac": "52:*:AA",
        },
        "state": "present",
        "hash_types": ["ipv4", "sctp"],
        "tunnel_types": ["vxlan"],
        "tunnel_ports": {"vxlan": [8472], "geneve": [1]},
        "symmetric": True,
        "pins": [{"queue": 2, "flow_type": "tcp4", "dst_port": 22}],
        "hash_key": KEY,
        "indirection": {"weight": [1, 2], "start": 1, "size": 64},
        "default_queue": 3,
        "redirect": False,
        "statistics": False,
        "foreign": "fail",
        "fallback": "keep",
        "allow_future_queues": True,
        "verify": False,
    }
    (rule,) = parse_document(json.dumps({"rules": [given]}), "p").rules
    assert rule.match == Match("vnet*", "*", "qemu*", "web-*", 1, "52:*:aa")
    assert rule.desired == Desired(
        hash_types=0x201,
        tunnel_types=0x10,
        tunnel_ports=TunnelPorts(vxlan=(8472,)),
        symmetric=True,
        pins=(Pin(queue=2, flow_type="tcp4", dst_port=22),),
        hash_key=bytes.fromhex(KEY),
        indirection=Indirection(weight=(1, 2), start=1, size=64),
        default_queue=3,
        redirect=False,
        statistics=False,
        foreign="fail",
        fallback="keep",
        verify=False,
        allow_future_queues=True,
    )


GUEST = Subject("vnet3", "", True, ("qemu-system-x86",), "web-1", 1, "52:54:00:00:00:aa")
MATCHES: list[tuple[Match, bool]] = [
    (Match(), True),
    (Match(device="vnet*"), True),
    (Match(device="VNET*"), False),
    (Match(holder="qemu*"), True),
    (Match(holder="cloud*"), False),
    (Match(domain="web-?"), True),
    (Match(domain="db-*"), False),
    (Match(interface=1), True),
    (Match(interface=0), False),
    (Match(mac="52:54:*"), True),
    (Match(netns=""), True),
    (Match(netns="blue"), False),
    (Match(netns="*"), True),
    (Match(device="vnet*", domain="db-*"), False),
]


@pytest.mark.parametrize(("match", "is_wanted"), MATCHES, ids=[str(match) for match, _wanted in MATCHES])
def test_match(match: Match, is_wanted: bool) -> None:
    assert match(GUEST) is is_wanted


def test_other_namespaces_are_asked_for() -> None:
    container = Subject("tap0", "", own_netns=False)
    assert not Match()(container) and not Match(device="tap0")(container) and Match(netns="*")(container)


def test_what_is_not_known_does_not_match() -> None:
    plain = Subject("tap0")
    assert not any(match(plain) for match in (Match(domain="*"), Match(mac="*"), Match(holder="*"), Match(interface=0)))


def test_the_first_rule_decides() -> None:
    first, second = Rule("a", Match(device="vnet*"), None), Rule("b", Match(), Desired())
    policy = Policy((first, second))
    assert policy.ask(GUEST).rule is first and policy.ask(Subject("tap0")).rule is second
    assert Policy().ask(GUEST).rule is None


class TestFolder:
    def test_in_the_order_of_names(self, tmp_path: Path) -> None:
        for name, rule in (("20.json", "b"), ("10.json", "a"), (".hidden.json", "x"), ("notes.txt", "x")):
            (tmp_path / name).write_text(json.dumps({"rules": [{"name": rule}]}), encoding="utf-8")
        assert [rule.name for rule in load_policy(str(tmp_path)).rules] == ["a", "b"]

    def test_no_folder(self, tmp_path: Path) -> None:
        """A mistyped path is no policy without rules (K3, row 8)."""
        with pytest.raises(InputError, match="none: the folder cannot be read: No such file"):
            load_policy(str(tmp_path / "none"))

    def test_a_folder_called_like_a_file(self, tmp_path: Path) -> None:
        """It is refused in one sentence each time, and no descriptor is lost (K1, row 5)."""
        (tmp_path / "old.json").mkdir()
        open_before = os.listdir("/proc/self/fd")
        for _round in range(3):
            with pytest.raises(InputError, match=r"old\.json: it is no regular file of at most"):
                load_policy(str(tmp_path))
        assert os.listdir("/proc/self/fd") == open_before

    def test_a_link_is_not_followed(self, tmp_path: Path) -> None:
        (tmp_path / "10.json").symlink_to("/etc/passwd")
        with pytest.raises(InputError, match=r"10.json: it cannot be opened: .*; a link is not followed"):
            load_policy(str(tmp_path))

    @pytest.mark.parametrize("mode", [0o644, 0o640, 0o604])
    def test_a_key_is_a_secret(self, tmp_path: Path, mode: int) -> None:
        path = tmp_path / "10.json"
        path.write_text(json.dumps({"rules": [{"hash_key": KEY}]}), encoding="utf-8")
        path.chmod(mode)
        with pytest.raises(InputError, match="its mode is 0600"):
            load_policy(str(tmp_path))
        path.chmod(0o600)
        assert len(load_policy(str(tmp_path)).rules) == 1

    @pytest.mark.parametrize("mode", [0o620, 0o602, 0o666])
    def test_nobody_else_may_write_it(self, tmp_path: Path, mode: int) -> None:
        path = tmp_path / "10.json"
        path.write_text('{"rules": []}', encoding="utf-8")
        path.chmod(mode)
        with pytest.raises(InputError, match=f"mode {mode:04o} is not allowed; others may write it"):
            load_policy(str(tmp_path))

    def test_not_utf_8(self, tmp_path: Path) -> None:
        (tmp_path / "10.json").write_bytes(b"\xff")
        with pytest.raises(InputError, match=r"it is no UTF-8: .* at byte 0"):
            load_policy(str(tmp_path))

    def test_state_of_files(self, tmp_path: Path) -> None:
        empty = state_of_files(str(tmp_path))
        (tmp_path / "10.json").write_text("{}", encoding="utf-8")
        (tmp_path / "10.json").chmod(0o644)
        with_a_file = state_of_files(str(tmp_path))
        assert with_a_file != empty
        (tmp_path / "10.json").chmod(0o600)
        assert state_of_files(str(tmp_path)) != with_a_file


@pytest.mark.parametrize(
    ("rules", "secret"),
    [
        ([], False),
        ([{}], False),
        ([{"hash_key": None}], False),
        ([{}, {"hash_key": "6d" * 40, "state": "ignore"}], True),
    ],
)
def test_a_secret_is_noticed_wherever_it_is(rules: list[dict[str, t.Any]], secret: bool) -> None:
    assert parse_document(json.dumps({"rules": rules}), "p").has_key is secret
