# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

import pytest
from ansible.errors import AnsibleFilterError

from ansible_collections.virtnet.rss.plugins.filter import indirection_table, rss_key, rss_queue, toeplitz_hash
from ansible_collections.virtnet.rss.tests.packets.builder import inner4, ipv4, over_udp, vxlan
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


def test_queue_of_a_frame() -> None:
    frame = ipv4(over_udp(vxlan(inner4()), 4789), 17)
    expected = {"hash_type": "tcpv4", "hash": 0x51CCC178, "queue": 0, "header": "inner vxlan", "pin": None}
    assert queue(frame.hex(), {**CONFIG, "tunnel_types": ["vxlan"]}) == expected
    assert queue(frame.hex(" "), {**CONFIG, "tunnel_types": []})["header"] == "outer"
    pinned = {**CONFIG, "pins": [{"flow_type": "udp4", "dst_port": "4789", "queue": "3"}]}
    assert queue(frame.hex(), pinned) == {"hash_type": None, "hash": None, "queue": 3, "header": None, "pin": 0}


def test_symmetric() -> None:
    there = {"src": "192.0.2.9", "dst": "192.0.2.1", "proto": "udp", "sport": 7, "dport": 9}
    back = {"src": "192.0.2.1", "dst": "192.0.2.9", "proto": "UDP", "sport": 9, "dport": 7}
    symmetric = {**CONFIG, "symmetric": True}
    assert queue(there, symmetric) == queue(back, symmetric) and queue(there, CONFIG) != queue(back, CONFIG)


def test_hash_of_a_spi() -> None:
    flow = {"src": "66.9.149.187", "dst": "161.142.100.80", "proto": "esp", "spi": 0x12345678}
    assert toeplitz(flow, KEY) == 0x1B12B571


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
    (queue, (["flow"], CONFIG), "dictionary"),
    (queue, ("flow", CONFIG), "hexadecimal"),
    (queue, ({**FLOW, "proto": 47}, {**CONFIG, "tunnel_types": ["nvgre"]}), "nvgre"),
    (queue, (FLOW, {**CONFIG, "pins": [{"queue": 1}, {"queue": 2}]}), "takes all"),
    (
        queue,
        (FLOW, {**CONFIG, "tunnel_ports": {"geneve": [4789]}, "tunnel_types": ["vxlan", "geneve"]}),
        "port of vxlan",
    ),
    (queue, (FLOW, {**CONFIG, "redirect": "maybe"}), "config.redirect"),
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
