# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import random
import struct
import sys

import pytest

from ansible_collections.virtnet.rss.plugins.module_utils._rss.toeplitz import (
    lookup_tables,
    lookup_tables_packed,
    toeplitz_hash,
)

RANDOM = random.Random(1)
KEYS = [bytes(RANDOM.randrange(256) for _index in range(40)) for _index in range(5)]


@pytest.mark.parametrize("length", range(37))
def test_tables_give_the_hash(length: int) -> None:
    for key in KEYS:
        data = bytes(RANDOM.randrange(256) for _index in range(length))
        by_tables = 0
        for row, byte in zip(lookup_tables(key=key), data):
            by_tables ^= row[byte]
        assert by_tables == toeplitz_hash(key=key, data=data)


def test_packed_in_both_byte_orders() -> None:
    flat = [value for row in lookup_tables(key=KEYS[0]) for value in row]
    assert lookup_tables_packed(key=KEYS[0], byteorder="little") == struct.pack("<9216I", *flat)
    assert lookup_tables_packed(key=KEYS[0], byteorder="big") == struct.pack(">9216I", *flat)
    assert sys.byteorder in ("little", "big")


def test_one_bit() -> None:
    """The first bit of the data takes the first 32 bits of the key, the last bit of 36 bytes those before its end."""
    key = bytes(range(40))
    assert toeplitz_hash(key=key, data=b"\x80") == 0x00010203
    assert toeplitz_hash(key=key, data=bytes(35) + b"\x01") == int.from_bytes(key, "big") >> 1 & 0xFFFFFFFF


def test_too_much_data() -> None:
    with pytest.raises(ValueError, match="37 bytes"):
        toeplitz_hash(key=KEYS[0], data=bytes(37))
