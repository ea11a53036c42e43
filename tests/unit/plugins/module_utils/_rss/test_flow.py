# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.virtnet.rss.plugins.module_utils._errors import InputError
from ansible_collections.virtnet.rss.plugins.module_utils._rss.config import (
    HASH_TYPES,
    Pin,
    RssConfig,
    hash_types_to_mask,
    tunnel_types_to_mask,
)
from ansible_collections.virtnet.rss.plugins.module_utils._rss.flow import steer_flow
from ansible_collections.virtnet.rss.plugins.module_utils._rss.hashing import steer
from ansible_collections.virtnet.rss.tests.packets.everything import EVERY_ROW

ENDS = {"src": "192.0.2.1", "dst": "198.51.100.2"}
ENDS6 = {"src": "2001:db8:1::1", "dst": "2001:db8:2::2"}
PORTS = {"sport": 0x1234, "dport": 0x5678}
PLAIN = ("ipv4", "tcpv4", "udpv4", "ipv6", "tcpv6", "udpv6")
MORE = (*PLAIN, *HASH_TYPES[9:])


def config(types: tuple[str, ...] = MORE, tunnels: tuple[str, ...] = (), **change: t.Any) -> RssConfig:
    return RssConfig(
        **{
            "hash_key": bytes(range(40)),
            "hash_types": hash_types_to_mask(types),
            "indirection": tuple(range(128)),
            "tunnel_types": tunnel_types_to_mask(tunnels),
            **change,
        }
    )


# A flow, and the row of the packet table that it is.
FLOWS: list[tuple[dict[str, t.Any], str]] = [
    ({**ENDS, **PORTS, "proto": "tcp"}, "tcp4"),
    ({**ENDS, **PORTS, "proto": "TCP"}, "tcp4"),
    ({**ENDS, **PORTS, "proto": 6}, "tcp4"),
    ({**ENDS, **PORTS, "proto": "6"}, "tcp4"),
    ({**ENDS, "sport": "4660", "dport": "0x5678", "proto": "Udp"}, "udp4"),
    ({**ENDS6, **PORTS, "proto": "tcp"}, "tcp6"),
    ({**ENDS, **PORTS, "proto": "sctp"}, "sctp4"),
    ({**ENDS6, **PORTS, "proto": 136}, "udplite6"),
    ({**ENDS6, **PORTS, "proto": "dccp"}, "dccp6"),
    ({**ENDS, "proto": "icmp"}, "icmp4"),
    (ENDS, "icmp4"),
    ({**ENDS, "proto": "esp", "spi": "0x12345678"}, "esp4"),
    ({**ENDS, "proto": "ah", "spi": 0x12345678}, "ah4"),
    ({**ENDS6, "proto": "l2tpv3", "session": 0x12345678}, "l2tpv3-6"),
    ({**ENDS, "proto": "udp", "sport": 40000, "dport": 4500, "spi": 0x12345678}, "esp-udp"),
    ({**ENDS, "proto": "udp", "sport": 40000, "dport": 4500, "spi": 0}, "ike"),
    ({**ENDS6, "proto": "udp", "sport": 40000, "dport": 2152, "teid": 0x12345678}, "teid-6"),
    ({**ENDS6, "proto": "icmpv6", "flow_label": 0x12345}, "label"),
    ({**ENDS6, "proto": 58, "flow_label": 0}, "label-0"),
]


@pytest.mark.parametrize(("flow", "name"), FLOWS, ids=[f"{flow.get('proto')}-{name}" for flow, name in FLOWS])
def test_a_flow_goes_where_its_packets_go(flow: dict[str, t.Any], name: str) -> None:
    row = next(row for row in EVERY_ROW if row.name == name)
    rss = config((*PLAIN, "flow_label", *row.enabled) if "label" in name else row.enabled)
    assert steer_flow(flow, rss) == steer(row.frame, rss)


REFUSED: list[tuple[dict[str, t.Any], RssConfig, str]] = [
    ({**ENDS, **PORTS}, config(), "flow.sport: .*needs proto"),
    ({**ENDS, "spi": 1}, config(), "flow.spi: .*needs proto"),
    ({**ENDS, "proto": "tcp"}, config(), "flow.sport"),
    ({**ENDS, "proto": "tcp", "sport": 1}, config(), "flow.dport"),
    ({**ENDS, **PORTS, "proto": "icmp"}, config(), "flow.sport: .*has no ports"),
    ({**ENDS, **PORTS, "proto": "tcpv4"}, config(), "flow.proto"),
    ({**ENDS, "proto": 255}, config(), "flow.proto"),
    ({**ENDS, "proto": -1}, config(), "flow.proto"),
    ({**ENDS, "proto": True}, config(), "flow.proto"),
    ({**ENDS, **PORTS, "proto": "tcp", "spi": 1}, config(), "flow.spi: .*has none"),
    ({**ENDS, "proto": "esp", "session": 1}, config(), "flow.session: .*has none"),
    ({**ENDS, "proto": "esp", "spi": 2**32}, config(), "flow.spi"),
    ({**ENDS, "proto": "esp"}, config(), "flow.spi: .*hashes it"),
    ({**ENDS, "proto": "ah"}, config(), "flow.spi: .*hashes it"),
    ({**ENDS6, "proto": "ah", "spi": 1}, config(), "extension header"),
    ({**ENDS, "proto": "l2tpv3"}, config(), "flow.session: .*hashes it"),
    ({**ENDS, "proto": "udp", "sport": 1, "dport": 4500}, config(), "flow.spi: .*hashes it"),
    ({**ENDS, "proto": "udp", "sport": 1, "dport": 2152}, config(), "flow.teid: .*hashes it"),
    ({**ENDS6, "proto": "icmpv6"}, config(), "flow.flow_label: .*hashes it"),
    ({**ENDS, "proto": "gre"}, config(tunnels=("nvgre",)), "flow.proto: .*nvgre.*frame"),
    ({**ENDS, "proto": 4}, config(tunnels=("ipip",)), "flow.proto: .*ipip.*frame"),
    ({**ENDS6, "proto": 4}, config(tunnels=("ip6tnl",)), "flow.proto: .*ip6tnl.*frame"),
    ({**ENDS, "proto": "udp", "sport": 1, "dport": 8472}, config(tunnels=("vxlan",)), "flow.proto: .*vxlan.*frame"),
    ({**ENDS, "vlan": 4096}, config(), "flow.vlan"),
    ({**ENDS, "colour": 1}, config(), "colour"),
]


@pytest.mark.parametrize(("flow", "rss", "sentence"), REFUSED, ids=[item[2] for item in REFUSED])
def test_what_cannot_be_known_is_refused(flow: dict[str, t.Any], rss: RssConfig, sentence: str) -> None:
    with pytest.raises(InputError, match=sentence):
        steer_flow(flow, rss)


def test_what_does_not_matter_need_not_be_told() -> None:
    assert steer_flow({**ENDS, "proto": "esp"}, config(PLAIN)).hash_type == "ipv4"
    assert steer_flow({**ENDS, "proto": "gre"}, config(PLAIN, ("ipip", "vxlan"))).hash_type == "ipv4"
    assert steer_flow({**ENDS6, "proto": "icmpv6"}, config(PLAIN)).hash_type == "ipv6"
    assert steer_flow({**ENDS, "proto": "esp"}, config(redirect=False)).queue == 0


def test_pins() -> None:
    rss = config(pins=(Pin(queue=5, vlan=7), Pin(queue=6, flow_type="ip4", dscp=46)))
    assert steer_flow({**ENDS, "proto": "esp", "vlan": 7}, rss).pin == 0
    assert steer_flow({**ENDS, "proto": "gre", "dscp": 46}, rss).pin == 1
    assert steer_flow({**ENDS, "vlan": 8, "vlan_pcp": 3}, rss).pin is None
