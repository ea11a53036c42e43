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


class TestOfOneGuest:
    """K5, row 2: a seed for a site gave one key to every tenant."""

    seed = "a seed of sixteen letters and more"

    def test_each_guest_has_its_own(self) -> None:
        guests = ["52:54:00:00:00:01", "52:54:00:00:00:02", "device vnet0", "device vnet1", None]
        made = {keys.key_from_seed(self.seed, guest) for guest in guests}
        assert len(made) == len(guests) and all(len(key) == 40 for key in made)

    def test_and_it_stays(self) -> None:
        mac = keys.guest_identity(mac="52:54:00:AA:00:01", domain="web", interface=0, device="vnet7")
        assert mac == keys.guest_identity(mac="fe:54:00:aa:00:01", device="vnet9")  # on another host, before QEMU runs
        assert keys.key_from_seed(self.seed, mac) == keys.key_from_seed(self.seed, "52:54:00:aa:00:01")
        assert keys.guest_identity(domain="web", interface=1, device="vnet7") == "domain web interface 1"
        assert (
            keys.guest_identity(domain="web", device="vnet7") == keys.guest_identity(device="vnet7") == "device vnet7"
        )

    def test_seed_and_guest_cannot_be_shifted(self) -> None:
        assert keys.key_from_seed(self.seed + "a", "bc") != keys.key_from_seed(self.seed + "ab", "c")

    def test_a_seed_that_can_be_found_by_trying(self) -> None:
        with pytest.raises(InputError, match="hash_seed: a seed of 9 letters is not allowed") as caught:
            keys.parse_seed("swordfish")
        assert "swordfish" not in str(caught.value)

    def test_a_device_without_utf_8(self) -> None:
        assert keys.key_from_seed(self.seed, keys.guest_identity(device="tap\udcff"))
