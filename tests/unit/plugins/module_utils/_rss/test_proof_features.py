# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest

from ansible_collections.virtnet.rss.plugins.module_utils._rss.config import HASH_TYPES, TUNNEL_TYPES
from ansible_collections.virtnet.rss.plugins.module_utils._rss.hashing import steer
from ansible_collections.virtnet.rss.plugins.module_utils._rss.proof_features import feature_frames
from ansible_collections.virtnet.rss.tests.packets.configurations import CONFIGURATIONS, PINS, configuration

KEY, TABLE = bytes(range(40)), tuple(range(128))
OVER_ETHERNET = ("mpls", "pppoe")


@pytest.mark.parametrize("l3_offset", [14, 0])
@pytest.mark.parametrize("name", ["all transports", "virtio's tunnels", "our tunnels", "the defaults"])
def test_every_transport_and_tunnel_that_is_on_is_proven(name: str, l3_offset: int) -> None:
    words = CONFIGURATIONS[name]
    rss = configuration(name, KEY, TABLE, 3)
    steered = [steer(frame, rss, l3_offset=l3_offset) for frame in feature_frames(rss, seed=7, l3_offset=l3_offset)]
    own = {kind for kind in words["types"] if HASH_TYPES.index(kind) > 8}
    tunnels = {kind for kind in words.get("tunnels", ()) if l3_offset or kind not in OVER_ETHERNET}
    assert own <= {decision.hash_type for decision in steered}
    inner = {(decision.header or "").replace("inner ", "") for decision in steered}
    assert tunnels - {"nvgre"} <= inner  # NVGRE's bytes are those of gre_2890 too


def test_each_tunnel_alone() -> None:
    for tunnel in TUNNEL_TYPES:
        rss = configuration("six types", KEY, TABLE, 3)
        alone = type(rss)(**{**vars(rss), "tunnel_types": 1 << TUNNEL_TYPES[tunnel]})
        headers = [steer(frame, alone).header for frame in feature_frames(alone, seed=7, l3_offset=14)]
        assert headers and set(headers) == {f"inner {tunnel}"}, tunnel


def test_each_pin_takes_its_packet() -> None:
    for pin in PINS:
        rss = configuration("pins", KEY, TABLE, 3)
        alone = type(rss)(**{**vars(rss), "pins": (pin,)})
        taken = [steer(frame, alone).pin for frame in feature_frames(alone, seed=7, l3_offset=14)]
        assert taken == [0], pin


def test_the_same_each_time() -> None:
    rss = configuration("everything", KEY, TABLE, 3)
    assert feature_frames(rss, seed=7, l3_offset=14) == feature_frames(rss, seed=7, l3_offset=14)
    assert feature_frames(configuration("six types", KEY, TABLE, 3), seed=7, l3_offset=14) == []
