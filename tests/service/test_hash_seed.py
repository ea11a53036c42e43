# SPDX-License-Identifier: GPL-3.0-or-later
"""A guest's key is made of a seed: it stays whatever becomes of its program, and a random one does not (K8, row 15)."""

from __future__ import annotations

import subprocess
import typing as t

from ansible_collections.virtnet.rss.plugins.module_utils._rss.keys import key_from_seed
from ansible_collections.virtnet.rss.tests.support import foreign
from ansible_collections.virtnet.rss.tests.support.eventually import eventually
from ansible_collections.virtnet.rss.tests.support.held_tap import HeldTap
from ansible_collections.virtnet.rss.tests.support.running import Running
from ansible_collections.virtnet.rss.tests.support.steered import assert_steered, info, wait_until_steered

SEED = "a seed of sixteen letters and more"
SEEDED: dict[str, t.Any] = {"name": "guests", "match": {"device": "tap*"}, "hash_seed": SEED}
RANDOM: dict[str, t.Any] = {"name": "guests", "match": {"device": "tap*"}}


def key_of(name: str) -> bytes:
    return key_from_seed(SEED, f"device {name}")


def test_flows_keep_their_queues(service: Running, tap: HeldTap) -> None:
    """Over a put-back, a restart of the service and one of the guest, each for two guests."""
    service.write(SEEDED)
    with HeldTap("tap1", 4) as other:
        service.start()
        for number, each in enumerate((tap, other), 1):
            assert_steered(each, key_of(each.name))
            foreign.detach(each)
            service.wait_until_put_back(number)
            assert_steered(each, key_of(each.name))
        service.stop()
        for each in (tap, other):
            foreign.detach(each)
        service.start()
        for each in (tap, other):
            assert_steered(each, key_of(each.name))
    with HeldTap("tap1", 4) as again:
        wait_until_steered("tap1")
        assert_steered(again, key_of("tap1"))
    assert key_of("tap0") != key_of("tap1")


def test_a_migrated_guest(service: Running, tap: HeldTap) -> None:
    """On the other host its device has another name, and an address that libvirt makes of the same card's."""
    service.write(SEEDED)
    with HeldTap("tap7", 4) as there:
        for each in (tap, there):
            subprocess.run(["ip", "link", "set", each.name, "address", "fe:54:00:aa:00:01"], check=True)
        service.start()
        for each in (tap, there):
            assert_steered(each, key_from_seed(SEED, "52:54:00:aa:00:01"))


def test_a_random_key_stays_with_the_service(service: Running, tap: HeldTap) -> None:
    """As docs/operators.md says: over a change of the policy and what the service puts back, not over its restart."""
    service.write(RANDOM)
    service.start()
    first = info()["config"]["hash_key"]
    service.write({**RANDOM, "statistics": False})
    eventually(lambda: not info()["config"]["statistics"])
    assert info()["config"]["hash_key"] == first
    foreign.detach(tap)
    service.wait_until_put_back(1)
    assert info()["config"]["hash_key"] == first
    service.stop()
    foreign.detach(tap)
    service.start()
    assert info()["config"]["hash_key"] != first
