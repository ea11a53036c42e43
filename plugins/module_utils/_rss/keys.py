# Copyright (c) 2026, virtnet.rss contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to the collection: hash keys. A key is a secret: who knows it can choose flows that all land on one queue.

from __future__ import annotations

import os

from ansible_collections.virtnet.rss.plugins.module_utils._errors import PlaceError
from ansible_collections.virtnet.rss.plugins.module_utils._rss.limits import HASH_KEY_SIZE

__all__ = ("MICROSOFT_KEY", "fingerprint", "format_key", "key_from_seed", "parse_key", "random_key", "well_known_name")

# "Verifying the RSS Hash Calculation"; the default of many drivers.
MICROSOFT_KEY = bytes.fromhex("6d5a56da255b0ec24167253d43a38fb0d0ca2bcbae7b30b477cb2da38030f20c6a42b73bbeac01fa")
# Woo and Park, "Scalable TCP Session Monitoring with Symmetric Receive-side Scaling".
SYMMETRIC_KEY = bytes.fromhex("6d5a") * 20
SEED_DOMAIN = b"virtnet.rss hash key v1\0"


def parse_key(text: str) -> bytes:
    """40 bytes out of hexadecimal digits, with or without colons; InputError does not repeat the key."""
    digits = text.strip().replace(":", "")
    try:
        key = bytes.fromhex(digits)
    except ValueError:
        raise PlaceError(
            "hash_key", "the given text is not allowed; a key is hexadecimal, with or without colons"
        ) from None
    if len(key) != HASH_KEY_SIZE:
        raise PlaceError("hash_key", f"a key of {len(key)} bytes is not allowed; a hash key has {HASH_KEY_SIZE} bytes")
    return key


def format_key(key: bytes) -> str:
    """The key as ``ethtool -x`` prints it: pairs of digits with colons."""
    return ":".join(f"{byte:02x}" for byte in key)


def fingerprint(key: bytes) -> str:
    """``SHA256:`` and 64 digits: tells keys apart without telling them."""
    import hashlib  # here, for it brings OpenSSL: 4 MiB that the service has no use for

    return "SHA256:" + hashlib.sha256(key).hexdigest()


def random_key() -> bytes:
    """A new key from the system's source of secrets."""
    return os.urandom(HASH_KEY_SIZE)


def key_from_seed(seed: str) -> bytes:
    """The same key for the same seed, everywhere: SHAKE-256 over a fixed prefix and the seed in UTF-8."""
    import hashlib  # as above

    return hashlib.shake_256(SEED_DOMAIN + seed.encode("utf-8")).digest(HASH_KEY_SIZE)


def well_known_name(key: bytes) -> str | None:
    """What a published key is called; None for any other."""
    if len(set(key)) == 1:
        return "a key of one repeated byte"
    return {MICROSOFT_KEY: "Microsoft's published key", SYMMETRIC_KEY: "the published symmetric key 6d5a"}.get(key)
