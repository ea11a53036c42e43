# Copyright (c) 2026, virtnet.rss contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest

from ansible_collections.virtnet.rss.plugins.module_utils._bpf.observe_program import Protocol
from ansible_collections.virtnet.rss.plugins.module_utils._look.protocols import name_of, named

KINDS = [
    (Protocol(0x0806, 0, 0, False), "arp"),
    (Protocol(0x8864, 0, 0, False), "pppoe"),
    (Protocol(0x1234, 0, 0, False), "ethernet type 1234"),
    (Protocol(0, 0, 0, False), "others"),
    (Protocol(0x0800, 6, 0, False), "tcp/ipv4"),
    (Protocol(0x86DD, 17, 0, False), "udp/ipv6"),
    (Protocol(0x86DD, 17, 0, True), "udp fragment/ipv6"),
    (Protocol(0x0800, 17, 4789, False), "vxlan/ipv4"),
    (Protocol(0x0800, 17, 4500, False), "esp in udp/ipv4"),
    (Protocol(0x0800, 47, 0, False), "gre/ipv4"),
    (Protocol(0x0800, 200, 0, False), "ip protocol 200/ipv4"),
]


@pytest.mark.parametrize(("protocol", "name"), KINDS)
def test_names(protocol: Protocol, name: str) -> None:
    assert name_of(protocol) == name


def test_packets_by_name() -> None:
    """Two ports of one tunnel are one name, and the most come first."""
    seen = {
        Protocol(0x0806, 0, 0, False): 3,
        Protocol(0x0800, 17, 4789, False): 2,
        Protocol(0x0800, 17, 8472, False): 4,
    }
    assert list(named(seen).items()) == [("vxlan/ipv4", 6), ("arp", 3)]
