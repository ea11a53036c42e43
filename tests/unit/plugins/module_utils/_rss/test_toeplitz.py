# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import random
import struct
import typing as t

import pytest

from ansible_collections.virtnet.rss.plugins.module_utils._rss.toeplitz import (
    lookup_tables,
    toeplitz_hash,
)

RANDOM = random.Random(1)
KEYS = [bytes(RANDOM.randrange(256) for _index in range(40)) for _index in range(5)]


ORDERS: list[tuple[t.Literal["little", "big"], str]] = [("little", "<9216I"), ("big", ">9216I")]


@pytest.mark.parametrize(("byteorder", "layout"), ORDERS)
@pytest.mark.parametrize("length", range(37))
def test_tables_give_the_hash(length: int, byteorder: t.Literal["little", "big"], layout: str) -> None:
    for key in KEYS:
        data = bytes(RANDOM.randrange(256) for _index in range(length))
        table = struct.unpack(layout, lookup_tables(key=key, byteorder=byteorder))
        by_tables = 0
        for place, byte in enumerate(data):
            by_tables ^= table[256 * place + byte]
        assert by_tables == toeplitz_hash(key=key, data=data)


def test_one_bit() -> None:
    """The first bit of the data takes the first 32 bits of the key, the last bit of 36 bytes those before its end."""
    key = bytes(range(40))
    assert toeplitz_hash(key=key, data=b"\x80") == 0x00010203
    assert toeplitz_hash(key=key, data=bytes(35) + b"\x01") == int.from_bytes(key, "big") >> 1 & 0xFFFFFFFF


def test_too_much_data() -> None:
    with pytest.raises(ValueError, match="37 bytes"):
        toeplitz_hash(key=KEYS[0], data=bytes(37))
