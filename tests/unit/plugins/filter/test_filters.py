# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

import pytest
from ansible.errors import AnsibleFilterError

from ansible_collections.virtnet.rss.plugins.filter import indirection_table, rss_key, rss_queue, toeplitz_hash
from ansible_collections.virtnet.rss.tests.packets.table import VECTORS

KEY = VECTORS["key"]
CONFIG: dict[str, t.Any] = {"hash_key": KEY, "indirection": {"equal": 4}}
FLOW = {"src": "192.0.2.1", "dst": "198.51.100.2"}

queue = rss_queue.FilterModule().filters()["rss_queue"]
toeplitz = toeplitz_hash.FilterModule().filters()["toeplitz_hash"]
table = indirection_table.FilterModule().filters()["indirection_table"]
key_of = rss_key.FilterModule().filters()["rss_key"]


@pytest.mark.parametrize("vector", VECTORS["vectors"], ids=lambda vector: vector["src"])
@pytest.mark.parametrize("proto", ["tcp", "udp"])
def test_microsofts_vectors(vector: dict[str, t.Any], proto: str) -> None:
    flow = {name: vector[name] for name in ("src", "dst", "sport", "dport")}
    value = int(vector["ports"], 16)
    assert toeplitz({**flow, "proto": proto}, KEY) == value
    family = 6 if ":" in vector["src"] else 4
    assert queue({**flow, "proto": proto}, CONFIG) == {
        "hash_type": f"{proto}v{family}",
        "hash": value,
        "queue": value % 128 % 4,
        "header": "outer",
        "pin": None,
    }
    assert toeplitz({"src": vector["src"], "dst": vector["dst"]}, KEY) == int(vector["addresses"], 16)


def test_queue_of_what_is_not_hashed() -> None:
    config = {**CONFIG, "hash_types": ["tcpv4"], "default_queue": 3}
    assert queue(FLOW, config) == {"hash_type": None, "hash": None, "queue": 3, "header": None, "pin": None}


def test_hexadecimal_data() -> None:
    assert toeplitz("420995bba18e6450", KEY) == 0x323E8FC2


def test_table() -> None:
    assert table({"weight": [1, 1], "size": 4}) == [0, 0, 1, 1]
    assert table([1, 0]) == [1, 0]


def test_key() -> None:
    assert key_of("rack-7") == key_of("rack-7") != key_of("rack-8")
    assert len(key_of("rack-7").split(":")) == 40


REFUSED = [
    (queue, ({**FLOW, "src": "nowhere"}, CONFIG), "flow.src"),
    (queue, ({**FLOW, "dst": "::1"}, CONFIG), "same family"),
    (queue, ({**FLOW, "proto": "tcp"}, CONFIG), "flow.sport"),
    (queue, ({**FLOW, "proto": "udp", "sport": 70000, "dport": 1}, CONFIG), "65535"),
    (queue, ({**FLOW, "colour": 1}, CONFIG), "colour"),
    (queue, ("flow", CONFIG), "dictionary"),
    (queue, (FLOW, {}), "config.hash_key: .* it is needed"),
    (queue, (FLOW, {**CONFIG, "hash_types": ["tcp"]}), "hash_types"),
    (queue, (FLOW, {**CONFIG, "default_queue": 256}), "default_queue"),
    (queue, (FLOW, {**CONFIG, "default_queue": "many"}), "rss_queue"),
    (toeplitz, ("not hexadecimal", KEY), "hexadecimal"),
    (toeplitz, ("00" * 37, KEY), "36"),
    (toeplitz, ("00", "00"), "40 bytes"),
    (table, ({"equal": 0},), "indirection.equal"),
    (table, ({"sizes": 0},), "sizes"),
    (table, (["a"],), "indirection_table"),
    (key_of, ("",), "seed"),
    (key_of, (None,), "NoneType"),
]


@pytest.mark.parametrize(("function", "arguments", "word"), REFUSED)
def test_refused(function: t.Callable[..., t.Any], arguments: tuple[t.Any, ...], word: str) -> None:
    with pytest.raises(AnsibleFilterError, match=word):
        function(*arguments)
