# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t
from ipaddress import ip_address

import pytest

from ansible_collections.virtnet.rss.plugins.module_utils._rss.config import RssConfig, hash_types_to_mask
from ansible_collections.virtnet.rss.plugins.module_utils._rss.frame import parse_frame
from ansible_collections.virtnet.rss.plugins.module_utils._rss.hashing import Decision, hash_input, steer
from ansible_collections.virtnet.rss.plugins.module_utils._rss.toeplitz import toeplitz_hash
from ansible_collections.virtnet.rss.tests.packets.builder import ipv4, tcp
from ansible_collections.virtnet.rss.tests.packets.generate import random_frames
from ansible_collections.virtnet.rss.tests.packets.table import ALL, ROWS, VECTORS, Row

KEY = bytes.fromhex(VECTORS["key"])


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_table(row: Row) -> None:
    assert hash_input(parse_frame(row.frame), hash_types_to_mask(row.enabled)) == (row.hash_type, row.data), (
        row.sentence
    )


# The family of a layer 3 packet is in its version nibble, so a lie about it is none there.
LAYER_3_ROWS = [
    row for row in ROWS if row.frame[12:14] in (b"\x08\x00", b"\x86\xdd") and row.name not in ("version4", "version6")
]


@pytest.mark.parametrize("row", LAYER_3_ROWS, ids=lambda row: row.name)
def test_table_without_ethernet(row: Row) -> None:
    mask = hash_types_to_mask(row.enabled)
    assert hash_input(parse_frame(row.frame[14:], l3_offset=0), mask) == (row.hash_type, row.data), row.sentence


@pytest.mark.parametrize("vector", VECTORS["vectors"], ids=lambda vector: vector["src"])
def test_microsofts_vectors(vector: dict[str, t.Any]) -> None:
    addresses = ip_address(vector["src"]).packed + ip_address(vector["dst"]).packed
    ports = vector["sport"].to_bytes(2, "big") + vector["dport"].to_bytes(2, "big")
    assert toeplitz_hash(key=KEY, data=addresses) == int(vector["addresses"], 16)
    assert toeplitz_hash(key=KEY, data=addresses + ports) == int(vector["ports"], 16)


def config(**change: t.Any) -> RssConfig:
    values = {"hash_key": KEY, "hash_types": 0x1FF, "indirection": (0, 1, 2, 3), "default_queue": 2}
    return RssConfig(**{**values, **change})


def test_a_hash_of_zero_is_a_hash() -> None:
    zero = config(hash_key=bytes(40), indirection=(1, 0, 0, 0))
    assert steer(ipv4(tcp()), zero) == Decision("tcpv4", 0, 1)


def test_the_table_is_indexed_by_the_hash_modulo_its_length() -> None:
    frame = ipv4(tcp())
    value = toeplitz_hash(key=KEY, data=frame[26:38])
    for size in (1, 2, 64, 512):
        table = tuple(entry % 200 for entry in range(size))
        assert steer(frame, config(indirection=table)).queue == table[value % size]


def test_without_redirect_everything_goes_to_the_default_queue() -> None:
    assert steer(ipv4(tcp()), config(redirect=False)) == Decision(None, None, 2)


def test_every_truncation_is_answered() -> None:
    """No frame is too short for an answer, and what is cut off cannot matter."""
    for row in ROWS:
        for length in range(len(row.frame)):
            assert steer(row.frame[:length], config()).queue in (0, 1, 2, 3)


def test_random_frames_repeat() -> None:
    assert random_frames(seed=3, count=50) == random_frames(seed=3, count=50)
    types = {
        steer(frame, config(hash_types=hash_types_to_mask(ALL))).hash_type
        for frame in random_frames(seed=3, count=2000)
    }
    assert types == {*ALL, None}
