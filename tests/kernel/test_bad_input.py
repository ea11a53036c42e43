# SPDX-License-Identifier: GPL-3.0-or-later
"""Whatever a task says wrongly: one sentence that names option, value and what is allowed; nothing is changed."""

from __future__ import annotations

import subprocess
import typing as t
from dataclasses import dataclass

import pytest

from ansible_collections.virtnet.rss.plugins.module_utils._steering.model import Desired, Device
from ansible_collections.virtnet.rss.plugins.module_utils._steering.observe import Observer
from ansible_collections.virtnet.rss.plugins.module_utils._steering.run import run
from ansible_collections.virtnet.rss.plugins.module_utils._tun.links import list_links
from ansible_collections.virtnet.rss.tests.support.held_tap import HeldTap
from ansible_collections.virtnet.rss.tests.support.run_module import Answer, answer

DIGITS = bytes(range(40)).hex()
HUGE = 10**30


@dataclass(frozen=True)
class Case:
    """Options besides ``taps: [tap0]``, and what the sentence must hold: option, value and what is allowed."""

    what: str
    options: dict[str, t.Any]
    option: str
    value: str
    allowed: str
    made_by: str = ""  # `ip` with this makes the device that the case is about


def name(what: str, taps: t.Any, value: str, allowed: str) -> Case:
    return Case(what, {"taps": taps}, "taps", value, allowed)


def kind(what: str, made_by: str) -> Case:
    allowed = f"it is {what}; only TAP devices of the tun driver can be steered"
    return Case(what, {"taps": ["other0"]}, "taps", "'other0'", allowed, made_by)


def key(what: str, text: str, value: str, allowed: str) -> Case:
    return Case(what, {"hash_key": text}, "hash_key", value, allowed)


def table(what: str, indirection: dict[str, t.Any], option: str, value: str, allowed: str) -> Case:
    return Case(what, {"indirection": indirection}, option, value, allowed)


LETTERS = "slash, colon or percent sign"
POWER = "a power of two up to 512"
ATTACHED = "tap0 has 4 queues attached, numbered from 0"
NUMBERED = "queues are numbered from 0 to 255"

REFUSED = [
    name("no device of this name", ["tap9"], "'tap9'", "there is no such device in this network namespace"),
    name("the second of two", ["tap0", "tap9"], "'tap9'", "there is no such device"),
    name("letters of another case", ["TAP0"], "'TAP0'", "there is no such device"),
    name("an empty list", [], "an empty list", "name at least one TAP device or a pattern such as vnet*"),
    name("an empty text", "", "''", "not empty"),
    name("an empty name", [""], "''", "not empty"),
    name("a name of 128 bytes", ["a" * 128], "a text of 128 letters", "at most 127 bytes"),
    name("128 bytes in 64 letters", ["é" * 64], "a text of 64 letters", "at most 127 bytes"),
    name("a name of 4000 bytes", ["a" * 4000], "a text of 4000 letters", "at most 127 bytes"),
    name("a slash", ["a/b"], "'a/b'", LETTERS),
    name("a path", ["../../etc"], "'../../etc'", LETTERS),
    name("two dots", [".."], "'..'", LETTERS),
    name("one dot", ["."], "'.'", LETTERS),
    name("a colon", ["tap0:1"], "'tap0:1'", LETTERS),
    name("a percent sign", ["tap%d"], "'tap%d'", LETTERS),
    name("a folder of /proc/sys/net", ["all"], "'all'", "'all' or 'default'"),
    name("a byte that is white space to the kernel", ["à"], "'à'", "byte a0"),
    name("a space", ["tap 0"], "'tap 0'", LETTERS),
    name("a space behind", ["tap0 "], "'tap0 '", LETTERS),
    name("a line break", ["tap0\n"], r"'tap0\x0a'", LETTERS),
    name("a line break and more", ["tap0\nTraceback"], r"'tap0\x0aTraceback'", LETTERS),
    name("a zero byte", ["tap0\0"], r"'tap0\x00'", LETTERS),
    name("half a surrogate", ["tap\ud800"], r"'tap\ud800'", "a device name is printable"),
    name("a pattern with a slash", ["vnet/*"], "'vnet/*'", LETTERS),
    name("a pattern with a space", ["vnet *"], "'vnet *'", LETTERS),
    name("a dictionary", [{"name": "tap0"}], "'" + str({"name": "tap0"}) + "'", LETTERS),
    name("loopback", ["lo"], "'lo'", "a hardware or loopback device; only TAP devices"),
    kind("a device of kind bridge", "link add other0 type bridge"),
    kind("a device of kind veth", "link add other0 type veth peer name other1"),
    kind("a device of kind dummy", "link add other0 type dummy"),
    kind("a device of kind macvlan", "link add other0 link tap0 type macvlan"),
    kind("a device of kind macvtap", "link add other0 link tap0 type macvtap"),
    kind("a layer 3 device of the tun driver (IFF_TUN)", "tuntap add other0 mode tun"),
    key("a key of 39 bytes", DIGITS[:78], "a key of 39 bytes", "a hash key has 40 bytes"),
    key("a key of 41 bytes", DIGITS + "28", "a key of 41 bytes", "a hash key has 40 bytes"),
    key("half a byte", DIGITS[:79], "the given text", "a key is hexadecimal"),
    key("no hexadecimal digit", DIGITS[:78] + "zz", "the given text", "a key is hexadecimal"),
    key("a prefix", "0x" + DIGITS, "the given text", "a key is hexadecimal"),
    key("dashes", "-".join(DIGITS[i : i + 2] for i in range(0, 80, 2)), "the given text", "with or without colons"),
    key("an empty key", "", "a key of 0 bytes", "a hash key has 40 bytes"),
    key("colons only", ":" * 39, "a key of 0 bytes", "a hash key has 40 bytes"),
    table("a table of 3", {"table": [0, 1, 2]}, "indirection.table", "3", POWER),
    table("a table of 0", {"table": []}, "indirection.table", "0", POWER),
    table("a table of 1024", {"table": [0] * 1024}, "indirection.table", "1024", POWER),
    table("queue 4 of 4", {"table": [0, 4]}, "indirection", "4", ATTACHED),
    table("queue 256", {"table": [0, 256]}, "indirection.table[1]", "256", NUMBERED),
    table("queue -1", {"table": [0, -1]}, "indirection.table[1]", "-1", NUMBERED),
    table("a queue of 31 digits", {"table": [0, HUGE]}, "indirection.table[1]", "a large number", NUMBERED),
    table("5 of 4 queues", {"equal": 5}, "indirection", "4", ATTACHED),
    table("none of 4 queues", {"equal": 0}, "indirection.equal", "0", "between 1 and 256 queues"),
    table("-1 of 4 queues", {"equal": -1}, "indirection.equal", "-1", "between 1 and 256 queues"),
    table("257 queues", {"equal": 257}, "indirection.equal", "257", "between 1 and 256 queues"),
    table("queues past the last", {"equal": 2, "start": 3}, "indirection", "4", ATTACHED),
    table(
        "start behind the last",
        {"start": 4},
        "indirection",
        "it cannot be equal over the attached queues: ",
        "allow_future_queues",
    ),
    table("start at -1", {"equal": 1, "start": -1}, "indirection.start", "-1", NUMBERED),
    table("start at -1 by default", {"start": -1}, "indirection.start", "-1", NUMBERED),
    table("start at 256", {"equal": 1, "start": 256}, "indirection.start", "256", NUMBERED),
    table("size 100", {"size": 100}, "indirection.size", "100", POWER),
    table("size 1024", {"size": 1024}, "indirection.size", "1024", POWER),
    table("size 0", {"size": 0}, "indirection.size", "0", POWER),
    table("size -128", {"size": -128}, "indirection.size", "-128", POWER),
    table("weights of nothing", {"weight": [0, 0]}, "indirection.weight", "a list of 2", "at least one is more than 0"),
    table("no weights", {"weight": []}, "indirection.weight", "an empty list", "at least one is more than 0"),
    table("a negative weight", {"weight": [2, -1]}, "indirection.weight[1]", "-1", "weights are not negative"),
    table("weights for 5 of 4 queues", {"weight": [1] * 5}, "indirection", "4", ATTACHED),
    table("weights for 257 queues", {"weight": [1] * 257}, "indirection.weight", "256", NUMBERED),
    Case("default queue 4 of 4", {"default_queue": 4}, "default_queue", "4", ATTACHED),
    Case("default queue -1", {"default_queue": -1}, "default_queue", "-1", NUMBERED),
    Case(
        "default queue 256 for the future",
        {"default_queue": 256, "allow_future_queues": True},
        "default_queue",
        "256",
        NUMBERED,
    ),
    Case("no such namespace", {"netns": "nowhere"}, "netns", "'nowhere'", "there is no such network namespace"),
    Case("a namespace elsewhere", {"netns": "../x"}, "netns", "'../x'", "by its name, as `ip netns`"),
    Case("a namespace without name", {"netns": ""}, "netns", "''", "by its name, as `ip netns`"),
    Case("absent, and no such device", {"taps": ["tap9"], "state": "absent"}, "taps", "'tap9'", "no such device"),
]

# What Ansible itself refuses, by the argument specification: the option and the value must be in its words.
REFUSED_BY_ANSIBLE = [
    Case("taps missing", {"taps": None}, "taps", "required", ""),
    Case("unknown hash type", {"hash_types": ["sctpv4"]}, "hash_types", "sctpv4", "udpv6_ex"),
    Case("unknown state", {"state": "attached"}, "state", "attached", "absent"),
    Case("unknown foreign", {"foreign": "ignore"}, "foreign", "ignore", "replace"),
    Case("unknown fallback", {"fallback": "none"}, "fallback", "none", "disable"),
    Case("two kinds of indirection", {"indirection": {"equal": 2, "weight": [1]}}, "equal", "weight", "exclusive"),
    Case("three kinds", {"indirection": {"equal": 2, "weight": [1], "table": [0]}}, "equal", "table", "exclusive"),
    Case("an unknown suboption", {"indirection": {"even": 2}}, "indirection", "even", "equal"),
    Case("indirection no dictionary", {"indirection": "even"}, "dictionary", "JSON", "key=value"),
    Case("a queue in words", {"default_queue": "two"}, "default_queue", "str", "int"),
    Case("half a queue", {"default_queue": 1.5}, "default_queue", "float", "int"),
    Case("weights in words", {"indirection": {"weight": ["much"]}}, "weight", "str", "int"),
    Case("perhaps", {"redirect": "perhaps"}, "redirect", "perhaps", "bool"),
    Case("an unknown option", {"queues": 4}, "queues", "Unsupported", "default_queue"),
]


def observed() -> tuple[list[Device], list[str]]:
    """Queues, flags, state and program of tap0, and every device there is: a mistyped name must not make one."""
    with Observer() as observer:
        taps = [device for device in observer.devices() if device.name == "tap0"]
    return taps, [link.name for link in list_links()]


@pytest.fixture
def steered(tap: HeldTap) -> HeldTap:
    """tap0 as another configuration than any that is asked for here."""
    assert run(["tap0"], Desired(hash_key=bytes(40), default_queue=1)).outcomes[0].after.state == "steered"
    return tap


def make_device(command: str) -> None:
    process = subprocess.run(
        ["ip", *command.split()], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False
    )
    if "Unknown device type" in process.stdout:
        pytest.skip(f"this kernel was built without that kind: ip {command}")
    assert not process.returncode, process.stdout


def ask(case: Case) -> Answer:
    """Run the task; nothing must have changed."""
    if case.made_by:
        make_device(case.made_by)
    before = observed()
    options = {name: value for name, value in {"taps": ["tap0"], **case.options}.items() if value is not None}
    answered = answer("tap_steering", options)
    assert observed() == before
    return answered


def assert_is_one_sentence(answered: Answer) -> None:
    message = answered.result["msg"]
    assert answered.result["failed"] and not answered.result.get("changed")
    assert message and "\n" not in message and ". " not in message
    assert "Traceback" not in message.replace(r"\x0aTraceback'", "")
    assert "Traceback (most recent call last)" not in answered.output


@pytest.mark.parametrize("case", REFUSED, ids=lambda case: case.what)
def test_one_sentence_and_nothing_changed(steered: HeldTap, case: Case) -> None:
    answered = ask(case)
    assert_is_one_sentence(answered)
    message = answered.result["msg"]
    begin = case.value if "cannot" in case.value else f"{case.value} is not allowed; "
    if "no such" in case.allowed:  # nothing is wrong with the name itself
        begin = ""
        assert message.endswith(f": {case.value}")
    assert message.startswith(f"{case.option}: {begin}") and case.allowed in message
    assert answered.result["option"] == case.option
    secret = case.options.get("hash_key", "")
    assert not secret.strip(":") or secret not in answered.output


@pytest.mark.parametrize("case", REFUSED_BY_ANSIBLE, ids=lambda case: case.what)
def test_what_ansible_refuses(steered: HeldTap, case: Case) -> None:
    answered = ask(case)
    message = answered.result["msg"]
    assert answered.result["failed"] and "Traceback" not in answered.output
    assert case.option in message and case.value in message and case.allowed in message


@pytest.mark.parametrize("pattern", ["vnet*", "tap[1-9]", "tap?0", "[", "*" * 40])
def test_a_pattern_that_matches_nothing_is_a_warning(steered: HeldTap, pattern: str) -> None:
    """Long patterns and unclosed brackets are patterns: they match nothing."""
    before = observed()
    result = answer("tap_steering", {"taps": [pattern + "x"]}).result
    assert (result["changed"], result["taps"], result.get("failed")) == (False, [], None)
    assert result["warnings"] == [f"taps: no TAP device matches {pattern + 'x'!r}"]
    assert observed() == before


def test_the_key_is_told_nowhere(tap: HeldTap) -> None:
    """Neither as it was given nor in another spelling, whatever happens; its fingerprint is."""
    spelt = ":".join(DIGITS[i : i + 2] for i in range(0, 80, 2))
    for options in ({}, {"default_queue": 9}, {"indirection": {"size": 3}}, {"taps": ["tap0", "tap9"]}):
        for text in (DIGITS, spelt):
            output = answer("tap_steering", {"taps": ["tap0"], "hash_key": text, **options}, diff=True).output
            assert DIGITS not in output and spelt not in output and str(list(range(40))) not in output
    assert "SHA256:" in answer("tap_steering", {"taps": ["tap0"], "hash_key": DIGITS}).output


def test_the_table_is_long_enough() -> None:
    assert len(REFUSED) + len(REFUSED_BY_ANSIBLE) >= 45
