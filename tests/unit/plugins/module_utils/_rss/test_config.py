# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.virtnet.rss.plugins.module_utils._errors import InputError
from ansible_collections.virtnet.rss.plugins.module_utils._rss.config import (
    HASH_TYPES,
    REASONS,
    TUNNEL_TYPES,
    Pin,
    RssConfig,
    TunnelPorts,
    hash_types_to_mask,
    mask_to_hash_types,
    mask_to_tunnel_types,
    tunnel_types_to_mask,
)


def config(**change: t.Any) -> RssConfig:
    return RssConfig(**{"hash_key": bytes(40), "hash_types": 0x1FF, "indirection": (0, 1), **change})


def test_numbers_of_hash_types_and_reasons() -> None:
    assert (REASONS[1], REASONS[9], REASONS[10], REASONS[18], REASONS[19]) == (
        "ipv4",
        "udpv6_ex",
        "sctp",
        "flow_label",
        "pin",
    )
    assert len(REASONS) == 20
    assert hash_types_to_mask(["sctp"]) == 1 << 9
    assert mask_to_hash_types(hash_types_to_mask(HASH_TYPES)) == HASH_TYPES


def test_bits_of_tunnel_types() -> None:
    assert tunnel_types_to_mask(["gre_2784", "nvgre"]) == 0x101
    assert tunnel_types_to_mask(["gtpu", "pppoe"]) == 0x110000
    assert mask_to_tunnel_types(tunnel_types_to_mask(TUNNEL_TYPES)) == tuple(TUNNEL_TYPES)
    with pytest.raises(InputError, match="tunnel_types: 'l2tp' is not allowed"):
        tunnel_types_to_mask(["l2tp"])


def test_plain() -> None:
    assert config().is_plain
    assert config(tunnel_ports=TunnelPorts(vxlan=(1,))).is_plain  # of no tunnel that is looked into
    for change in (
        {"hash_types": 0x200},
        {"tunnel_types": 1},
        {"symmetric": True},
        {"pins": (Pin(queue=0, vlan=1),)},
    ):
        assert not config(**change).is_plain


@pytest.mark.parametrize(
    "change",
    [
        {"hash_types": 1 << 18},
        {"hash_types": -1},
        {"tunnel_types": 1 << 9},
        {"tunnel_types": 1 << 21},
        {"tunnel_types": -1},
        {"pins": (Pin(queue=0), Pin(queue=1))},
    ],
    ids=str,
)
def test_out_of_range(change: dict[str, t.Any]) -> None:
    with pytest.raises(InputError):
        config(**change)


def test_ports_are_in_one_order() -> None:
    assert TunnelPorts(vxlan=(8472, 4789)) == TunnelPorts()


@pytest.mark.parametrize("ports", [(), (1, 2, 3), (0,), (65536,)])
def test_ports_out_of_range(ports: tuple[int, ...]) -> None:
    with pytest.raises(InputError, match=r"tunnel_ports\.geneve"):
        TunnelPorts(geneve=ports)
