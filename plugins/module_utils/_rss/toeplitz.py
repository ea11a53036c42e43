# Copyright (c) 2026, virtnet.rss contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to the collection: the Toeplitz hash (Microsoft, "RSS Hashing Functions"; virtio 1.x section 5.1.6.4.3).

from __future__ import annotations

import functools
import itertools
import operator
import typing as t

__all__ = ("HASH_INPUT_MAX", "lookup_tables", "toeplitz_hash")

HASH_INPUT_MAX = 36  # two IPv6 addresses and two ports
SELECTORS = bytes.maketrans(b"01", b"\0\1")


def toeplitz_hash(*, key: bytes, data: bytes) -> int:
    """32-bit hash of ``data`` (at most len(key) - 4 bytes), bit by bit as the definition has it.

    For each bit set in the data, from the most significant on, the 32 bits of the key at that place are added (xor).
    """
    if len(data) > len(key) - 4:
        raise ValueError(f"{len(data)} bytes cannot be hashed with a key of {len(key)} bytes")
    bits = f"{int.from_bytes(data, 'big'):0{8 * len(data)}b}" if data else ""
    chosen = itertools.compress(_windows(key), bits.encode().translate(SELECTORS))
    return functools.reduce(operator.xor, chosen, 0)


@functools.lru_cache(maxsize=16)  # a proof hashes a hundred packets with one key
def _windows(key: bytes) -> tuple[int, ...]:
    """32 bits of the key from each place on."""
    bits, first = int.from_bytes(key, "big"), 8 * len(key) - 32
    return tuple(bits >> first - place & 0xFFFFFFFF for place in range(first + 1))


def lookup_tables(*, key: bytes, byteorder: t.Literal["little", "big"]) -> bytes:
    """36 rows of 256 unsigned 32-bit numbers: the hash is the xor of ``row[i][data[i]]`` over all bytes.

    Byte j of an entry in row i is eight bits of the key, those from bit 8 * (i + j) on, multiplied with the index: it
    depends on i + j alone. So 39 planes of 256 bytes are all there is, and each is made of the parts of two key bytes.
    """
    planes = b"".join(
        (_plane(first << 8) ^ _plane(second)).to_bytes(256, "little") for first, second in zip(key, key[1:])
    )
    packed = bytearray(HASH_INPUT_MAX * 256 * 4)
    for place in range(4):
        start = 3 - place if byteorder == "little" else place
        packed[start::4] = planes[256 * place : 256 * (place + HASH_INPUT_MAX)]
    return bytes(packed)


# A number of so many 8-bit digits, each of them 1: times an 8-bit value it is that value in each digit.
_REPEAT = tuple(sum(1 << 8 * digit for digit in range(1 << bit)) for bit in range(8))


@functools.lru_cache(maxsize=512)
def _plane(bits: int) -> int:
    """256 digits of 8 bits, least significant first; digit b is what b makes of 16 bits of the key, half of them 0."""
    plane = 0
    for bit, repeat in enumerate(_REPEAT):
        plane |= (plane ^ (bits >> bit + 1 & 0xFF) * repeat) << (8 << bit)
    return plane
