# Copyright (c) 2026, virtnet.rss contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to the collection: the Toeplitz hash (Microsoft, "RSS Hashing Functions"; virtio 1.x section 5.1.6.4.3).

from __future__ import annotations

import array
import sys
import typing as t

__all__ = ("HASH_INPUT_MAX", "lookup_tables", "lookup_tables_packed", "toeplitz_hash")

HASH_INPUT_MAX = 36  # two IPv6 addresses and two ports


def toeplitz_hash(*, key: bytes, data: bytes) -> int:
    """32-bit hash of ``data`` (at most len(key) - 4 bytes), bit by bit as the definition has it.

    For each bit set in the data, from the most significant on, the 32 bits of the key at that place are added (xor).
    """
    if len(data) > len(key) - 4:
        raise ValueError(f"{len(data)} bytes cannot be hashed with a key of {len(key)} bytes")
    key_bits, key_length = int.from_bytes(key, "big"), 8 * len(key)
    result = 0
    for place in range(8 * len(data)):
        if data[place // 8] >> (7 - place % 8) & 1:
            result ^= key_bits >> (key_length - 32 - place) & 0xFFFFFFFF
    return result


def lookup_tables(*, key: bytes) -> list[list[int]]:
    """36 rows of 256: the hash is the xor of ``row[i][data[i]]`` over all bytes, as it is linear in its input."""
    key_bits, key_length = int.from_bytes(key, "big"), 8 * len(key)
    rows = []
    for byte in range(HASH_INPUT_MAX):
        row = [0]
        for bit in range(8):  # least significant first: each bit doubles the row
            value = key_bits >> (key_length - 32 - (8 * byte + 7 - bit)) & 0xFFFFFFFF
            row += [entry ^ value for entry in row]
        rows.append(row)
    return rows


def lookup_tables_packed(*, key: bytes, byteorder: t.Literal["little", "big"]) -> bytes:
    """The same as 36 * 256 unsigned 32-bit numbers."""
    packed = array.array("I", [value for row in lookup_tables(key=key) for value in row])
    if byteorder != sys.byteorder:
        packed.byteswap()
    return packed.tobytes()
