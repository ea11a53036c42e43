# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import random
import typing as t
from ipaddress import ip_address

import pytest

from ansible_collections.virtnet.rss.plugins.module_utils._rss.config import (
    HASH_TYPES,
    TUNNEL_TYPES,
    RssConfig,
    hash_types_to_mask,
)
from ansible_collections.virtnet.rss.plugins.module_utils._rss.hashing import Steered, steer
from ansible_collections.virtnet.rss.plugins.module_utils._rss.toeplitz import toeplitz_hash
from ansible_collections.virtnet.rss.tests.packets.builder import ipv4, tcp
from ansible_collections.virtnet.rss.tests.packets.everything import EVERY_ROW, NEW_ROWS
from ansible_collections.virtnet.rss.tests.packets.generate import random_frames
from ansible_collections.virtnet.rss.tests.packets.table import ALL, VECTORS, Row
from ansible_collections.virtnet.rss.tests.packets.vectors import HASHES, VECTOR_ROWS

KEY = bytes.fromhex(VECTORS["key"])


TABLE = (0, 1, 2, 3)


def hashed(row: Row, *, l3_offset: int = 14) -> tuple[str | None, bytes]:
    """Type and input, as the reference tells them."""
    steered = steer(row.frame[14 - l3_offset :], row.config(KEY, TABLE), l3_offset=l3_offset)
    return steered.hash_type, steered.data


@pytest.mark.parametrize("row", EVERY_ROW, ids=lambda row: row.name)
def test_table(row: Row) -> None:
    assert hashed(row) == (row.hash_type, row.data), row.sentence


@pytest.mark.parametrize("row", VECTOR_ROWS, ids=lambda row: row.name)
def test_hashes_of_the_prototype(row: Row) -> None:
    assert (steer(row.frame, row.config(KEY, TABLE)).hash or 0) == HASHES[row.name]


def test_every_name_and_every_type_is_there() -> None:
    names = [row.name for row in EVERY_ROW]
    assert len(set(names)) == len(names)
    assert {row.hash_type for row in EVERY_ROW} == {*HASH_TYPES, None}
    alone = {row.tunnels[0] for row in NEW_ROWS if len(row.tunnels) == 1 and row.hash_type == "tcpv4"}
    assert alone == set(TUNNEL_TYPES)


# The family of a layer 3 packet is in its version nibble, so a lie about it is none there.
LAYER_3_ROWS = [
    row
    for row in EVERY_ROW
    if row.frame[12:14] in (b"\x08\x00", b"\x86\xdd") and row.name not in ("version4", "version6")
]


@pytest.mark.parametrize("row", LAYER_3_ROWS, ids=lambda row: row.name)
def test_table_without_ethernet(row: Row) -> None:
    assert hashed(row, l3_offset=0) == (row.hash_type, row.data), row.sentence


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
    frame = ipv4(tcp())
    assert steer(frame, zero) == Steered(1, "tcpv4", 0, "outer", data=frame[26:38])


def test_the_table_is_indexed_by_the_hash_modulo_its_length() -> None:
    frame = ipv4(tcp())
    value = toeplitz_hash(key=KEY, data=frame[26:38])
    for size in (1, 2, 64, 512):
        table = tuple(entry % 200 for entry in range(size))
        assert steer(frame, config(indirection=table)).queue == table[value % size]


def test_without_redirect_everything_goes_to_the_default_queue() -> None:
    assert steer(ipv4(tcp()), config(redirect=False)) == Steered(2)


def test_every_truncation_is_answered() -> None:
    """No frame is too short for an answer, and what is cut off cannot matter."""
    source = random.Random(1)
    for row in EVERY_ROW:
        for length in {source.randrange(len(row.frame)) for _count in range(12)}:
            assert steer(row.frame[:length], row.config(KEY, TABLE, 2)).queue in TABLE


def test_random_frames_repeat() -> None:
    assert random_frames(seed=3, count=50) == random_frames(seed=3, count=50)
    types = {
        steer(frame, config(hash_types=hash_types_to_mask(ALL))).hash_type
        for frame in random_frames(seed=3, count=2000)
    }
    assert types == {*ALL, None}
