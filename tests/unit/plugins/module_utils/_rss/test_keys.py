# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import hashlib

import pytest

from ansible_collections.virtnet.rss.plugins.module_utils._errors import InputError
from ansible_collections.virtnet.rss.plugins.module_utils._rss import keys
from ansible_collections.virtnet.rss.tests.packets.table import VECTORS

KEY = bytes(range(40))


@pytest.mark.parametrize("text", [KEY.hex(), KEY.hex().upper(), keys.format_key(KEY), f" {KEY.hex()}\n"])
def test_parse(text: str) -> None:
    assert keys.parse_key(text) == KEY


@pytest.mark.parametrize("text", ["", "00", KEY.hex()[:-2], KEY.hex() + "00", "zz" * 40, KEY.hex()[:-1]])
def test_refused_without_repeating_the_key(text: str) -> None:
    with pytest.raises(InputError, match="hash_key") as refusal:
        keys.parse_key(text)
    assert len(text) < 20 or text[:20] not in str(refusal.value)


def test_format_is_ethtools() -> None:
    assert keys.format_key(KEY).startswith("00:01:02:03")
    assert len(keys.format_key(KEY)) == 119


def test_fingerprint() -> None:
    assert keys.fingerprint(KEY) == "SHA256:" + hashlib.sha256(KEY).hexdigest()


def test_random_keys_differ() -> None:
    assert len(keys.random_key()) == 40
    assert keys.random_key() != keys.random_key()


def test_key_from_seed_never_changes() -> None:
    """Fleets depend on it: another value here is a breaking change."""
    assert keys.key_from_seed("rack-7").hex().startswith("11eb5f30dcc946d68871532286998")
    assert keys.key_from_seed("rack-7") != keys.key_from_seed("rack-8")


@pytest.mark.parametrize(
    ("key", "name"),
    [
        (bytes.fromhex(VECTORS["key"]), "Microsoft"),
        (bytes.fromhex("6d5a" * 20), "symmetric"),
        (bytes(40), "repeated byte"),
        (b"\xff" * 40, "repeated byte"),
    ],
)
def test_well_known(key: bytes, name: str) -> None:
    assert name in str(keys.well_known_name(key))
    assert keys.well_known_name(KEY) is None
