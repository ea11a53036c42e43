# Copyright (c) 2026, virtnet.rss contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to the collection: hash keys. A key is a secret: who knows it can choose flows that all land on one queue.

from __future__ import annotations

import os
import re

from ansible_collections.virtnet.rss.plugins.module_utils._errors import PlaceError
from ansible_collections.virtnet.rss.plugins.module_utils._rss.limits import HASH_KEY_SIZE

__all__ = (
    "MICROSOFT_KEY",
    "fingerprint",
    "format_key",
    "guest_identity",
    "key_from_seed",
    "parse_key",
    "parse_seed",
    "random_key",
    "well_known_name",
)

# "Verifying the RSS Hash Calculation"; the default of many drivers.
MICROSOFT_KEY = bytes.fromhex("6d5a56da255b0ec24167253d43a38fb0d0ca2bcbae7b30b477cb2da38030f20c6a42b73bbeac01fa")
# Woo and Park, "Scalable TCP Session Monitoring with Symmetric Receive-side Scaling".
SYMMETRIC_KEY = bytes.fromhex("6d5a") * 20
SEED_DOMAIN = b"virtnet.rss hash key v1\0"
GUEST_DOMAIN = b"virtnet.rss hash key of one guest v2\0"
SHORTEST_SEED = 16  # letters
MAC = re.compile(r"[0-9a-f]{2}(:[0-9a-f]{2}){5}")


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


def parse_seed(text: str) -> str:
    """A seed that nobody finds by trying; InputError does not repeat it."""
    if len(text) < SHORTEST_SEED:
        raise PlaceError("hash_seed", f"a seed of {len(text)} letters is not allowed; it has at least {SHORTEST_SEED}")
    return text


def key_from_seed(seed: str, guest: str | None = None) -> bytes:
    """The same key for the same seed and guest, everywhere: SHAKE-256 over a fixed prefix and both in UTF-8.

    ``guest`` is a MAC address or what ``guest_identity`` gives. Without it one key is made for all, as release 0.1.0
    did: each guest that has it can learn it, for Toeplitz is linear.
    """
    import hashlib  # as above

    if guest is None:
        return hashlib.shake_256(SEED_DOMAIN + _bytes(seed)).digest(HASH_KEY_SIZE)
    identity = guest_identity(mac=guest) if MAC.fullmatch(guest.lower()) else guest
    parts = b"".join(len(part).to_bytes(4, "big") + part for part in (_bytes(seed), _bytes(identity)))
    return hashlib.shake_256(GUEST_DOMAIN + parts).digest(HASH_KEY_SIZE)


def guest_identity(*, mac: str | None = None, domain: str = "", interface: int | None = None, device: str = "") -> str:
    """What belongs to one guest's network card and stays when the guest starts again or migrates; the surest first.

    Of an address the last five bytes count: libvirt gives the host's end the guest's with another first byte, and that
    is known before the guest runs.
    """
    if mac:
        return f"mac {mac.lower()[3:]}"
    if domain and interface is not None:
        return f"domain {domain} interface {interface}"
    return f"device {device}"


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")


def well_known_name(key: bytes) -> str | None:
    """What a published key is called; None for any other."""
    if len(set(key)) == 1:
        return "a key of one repeated byte"
    return {MICROSOFT_KEY: "Microsoft's published key", SYMMETRIC_KEY: "the published symmetric key 6d5a"}.get(key)
