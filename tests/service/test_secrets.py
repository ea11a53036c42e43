# SPDX-License-Identifier: GPL-3.0-or-later
"""A secret in any place of a policy or a task, right or wrong, is in no message, log, status, metric or diff (K5)."""

from __future__ import annotations

import copy
import functools
import json
import typing as t

import pytest

from ansible_collections.virtnet.rss.plugins.module_utils._steering.options import OPTIONS
from ansible_collections.virtnet.rss.tests.support.eventually import eventually
from ansible_collections.virtnet.rss.tests.support.held_tap import HeldTap
from ansible_collections.virtnet.rss.tests.support.run_module import answer
from ansible_collections.virtnet.rss.tests.support.running import Running

KEY = bytes(range(200, 240)).hex()
SPELT = ":".join(KEY[place : place + 2] for place in range(0, 80, 2))
SEED = "zzyzx correct horse battery staple"
# How much of a secret may be seen: half of a key's digits in a row would be most of it.
PIECES = [KEY[10:40], SPELT[30:90], SEED[6:]]
GOOD: dict[str, t.Any] = {"name": "guests", "match": {"device": "tap*"}}


def seen(text: str) -> list[str]:
    return [piece for piece in PIECES if piece in text]


WRONG = [
    [{**GOOD, "hash_key": KEY}],  # the list without its dictionary: all of it stood in the log, status and audit
    {"rules": {"hash_key": KEY}},
    {"rules": [[{"hash_key": KEY}]]},
    {"rules": [{**GOOD, "hash_types": [KEY]}]},
    {"rules": [{**GOOD, "hashkey": KEY}]},
    {"rules": [{**GOOD, "name": KEY}]},
    {"rules": [{**GOOD, "hash_seed": SEED, "hash_key": KEY}]},
    {"rules": [{**GOOD, "hash_seed": [SEED]}]},
]


@pytest.mark.parametrize("document", WRONG)
def test_neither_log_nor_status_has_it(service: Running, tap: HeldTap, document: t.Any) -> None:
    assert tap.pid
    path = service.policy / "10.json"
    path.write_text(json.dumps(document), encoding="utf-8")
    path.chmod(0o600)
    service.start()
    eventually(lambda: "policy refused" in service.status_text())
    said = [service.status_text(), service.status_file.read_text(encoding="utf-8")]
    said += [service.metrics_file.read_text(encoding="utf-8")]
    for words in (("status",), ("status", "--json"), ("check",), ("apply", "--dry-run"), ("metrics",)):
        done = service.command(*words, check=False)
        said += [done.stdout, done.stderr]
    said.append(service.stop())
    assert not seen("\n".join(said))


def test_not_when_it_is_right(service: Running, tap: HeldTap) -> None:
    service.write({**GOOD, "hash_seed": SEED})
    service.start()

    def state() -> dict[str, t.Any]:
        taps = json.loads(service.command("status", "--json").stdout)["taps"]
        return next(each for each in taps if each["name"] == tap.name and each["netns"] == "")

    eventually(lambda: state()["state"] == "steered")
    first = state()["config"]["hash_key"]
    said = [service.status_file.read_text(encoding="utf-8"), service.metrics_file.read_text(encoding="utf-8")]
    said += [json.dumps(state()), service.stop()]
    assert not seen("\n".join(said)) and first.startswith("SHA256:")
    # taken off and put back: the guest's key is the same
    assert answer("tap_steering", {"taps": [tap.name], "state": "absent"}).result["changed"]
    service.start()
    eventually(lambda: state()["state"] == "steered")
    assert state()["config"]["hash_key"] == first


def test_one_key_for_several_guests_is_told(service: Running, tap: HeldTap) -> None:
    """K5, row 2: by the service and by the module, without the key."""
    shared = "one hash key steers the devices of several guests (tap0, tap1)"
    assert tap.pid
    with HeldTap("tap1"):
        for words, told in (({"hash_key": KEY}, 1), ({"hash_seed": SEED}, 0)):
            result = answer("tap_steering", {"taps": ["tap*"], **words}).result
            assert result["changed"] and sum(shared in warning for warning in result["warnings"]) == told
            service.write({**GOOD, **words})
            service.start("--full", "1")
            wait_for_passes(service, 3)
            log = service.stop()
            assert log.count(shared) == told and not seen(log)  # once, not at each pass


def wait_for_passes(service: Running, count: int) -> None:
    for _pass in range(count):
        before = service.status()["last_pass"]
        eventually(functools.partial(lambda then: service.status()["last_pass"] != then, before))


def tasks(secret: str) -> t.Iterator[tuple[str, dict[str, t.Any]]]:
    base: dict[str, t.Any] = {"taps": ["tap0"]}
    for word in ("hashkey", "hash_key", "hash_seed", "key"):
        for shape in (secret, [secret], {"a": secret}):
            yield "tap_steering", {**base, word: shape}
            yield "host_policy", {"path": "/tmp/none.json", "rules": [{**GOOD, word: shape}]}
    for word, option in OPTIONS.items():
        if option.type in ("int", "bool"):
            yield "tap_steering", {**base, word: secret, "hash_key": secret}
    yield "tap_steering", {**base, "hash_key": secret, "hash_seed": secret}
    yield "host_policy", {"path": "/tmp/none.json", "rules": secret}
    yield "host_policy", {"path": "/tmp/none.json", "rules": [secret]}


@pytest.mark.parametrize(("name", "options"), [*tasks(KEY), *tasks(SEED)], ids=str)
def test_no_result_has_it(tap: HeldTap, name: str, options: dict[str, t.Any]) -> None:
    """As with -vvv, which shows what a module was given; in check mode, for some of these are right."""
    assert tap.pid
    said = answer(name, copy.deepcopy(options), check=True, diff=True)
    assert not seen(said.output), said.output


def test_null_and_numbers_of_a_match(tmp_path: t.Any) -> None:
    """K3, rows 6 and 7, through the module: Ansible makes a text of a number, and null of what is not given."""
    path = str(tmp_path / "policy.d" / "50.json")
    for match, sentence in (
        ({"domain": None}, "policy: rules[0].match.domain: null is not allowed"),
        ({"domain": None, "interface": 0}, "policy: rules[0].match.domain: null is not allowed"),
        (None, "policy: rules[0].match: null is not allowed"),
        ({"mac": 41135085296}, "policy: rules[0].match.mac: 41135085296 is not allowed; it is a text"),
        ({"device": ["vnet*", "tap*"]}, "policy: rules[0].match.device: a list of 2 is not allowed"),
    ):
        result = answer("host_policy", {"path": path, "rules": [{"match": match}]}).result
        assert result["failed"] and result["msg"].startswith(sentence), result
    assert not (tmp_path / "policy.d").exists()
