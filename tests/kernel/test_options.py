# SPDX-License-Identifier: GPL-3.0-or-later
"""Options of tap_steering on their way into the kernel and back: the module's, as a task runs it."""

from __future__ import annotations

import typing as t

from ansible_collections.virtnet.rss.plugins.module_utils._rss.hashing import steer
from ansible_collections.virtnet.rss.tests.packets.generate import sendable_frames
from ansible_collections.virtnet.rss.tests.support.defaults import default_rss
from ansible_collections.virtnet.rss.tests.support.held_tap import HeldTap
from ansible_collections.virtnet.rss.tests.support.run_module import run_module

KEY = bytes(range(40))
FRAMES = sendable_frames(seed=1, count=400)


def test_the_defaults_of_0_1_0_are_replaced_and_the_diff_says_so(tap: HeldTap) -> None:
    """An upgraded host: its devices have the plain program with the six types, as 0.1.0 attached it."""
    former = {"hash_types": ["ipv4", "tcpv4", "udpv4", "ipv6", "tcpv6", "udpv6"], "tunnel_types": []}
    options = {"taps": ["tap0"], "hash_key": KEY.hex()}
    assert run_module("tap_steering", {**options, **former})["changed"]
    result = run_module("tap_steering", options, diff=True)
    assert [(told["action"], told["fallback"]) for told in result["taps"]] == [("replace", None)]
    (before,), (after,) = ([each[side].splitlines() for each in result["diff"]] for side in ("before", "after"))
    assert {line for line in before if line not in after} == {
        "hash_types: ipv4 tcpv4 udpv4 ipv6 tcpv6 udpv6",
        "tunnel_types: none",
    }
    assert {line for line in after if line not in before} == {
        "hash_types: ipv4 tcpv4 udpv4 ipv6 tcpv6 udpv6 sctp udplite dccp esp ah",
        "tunnel_types: gre_2784 gre_2890 gre_7676 ipip nvgre ip6tnl mpls pppoe",
    }
    assert not run_module("tap_steering", options, diff=True)["changed"]
    assert sorted(tap.send(FRAMES)) == sorted((steer(frame, default_rss(KEY)).queue, frame) for frame in FRAMES)


def test_every_option_comes_back_as_it_was_given(tap: HeldTap) -> None:
    """What the kernel holds is read back, so the second run has nothing to do."""
    options: dict[str, t.Any] = {
        "taps": ["tap0"],
        "hash_key": KEY.hex(),
        "hash_types": ["ipv4", "udpv4", "gtpu_teid", "flow_label"],
        "tunnel_types": ["vxlan", "etherip"],
        "tunnel_ports": {"vxlan": [8472, 14789], "geneve": [7]},
        "symmetric": True,
        "pins": [
            {"flow_type": "tcp6", "src_ip": "2001:db8::/32", "dst_port": 22, "queue": 3},
            {"flow_type": "ip4", "l4proto": 47, "dscp": 46, "vlan": 7, "vlan_pcp": 1, "queue": 2},
        ],
        "indirection": {"weight": [3, 1], "start": 1, "size": 64},
    }
    (told,) = run_module("tap_steering", options)["taps"]
    assert (told["action"], told["fallback"], told["verified"]) == ("attach", None, True)
    config = told["config"]
    for word in ("hash_types", "tunnel_types", "symmetric", "pins", "indirection"):
        assert config[word] == options[word]
    assert config["tunnel_ports"] == {"vxlan": [8472, 14789], "gtpu": [2152]}  # geneve's change nothing
    assert not run_module("tap_steering", options)["changed"]


def test_a_pin_of_every_address_is_one_without_addresses(tap: HeldTap) -> None:
    """A prefix of 0 bits compares nothing: it reads back as no condition, and the second run has nothing to do."""
    pins = [
        {"flow_type": "tcp6", "src_ip": "::/0", "dst_ip": "2001:db8::1/128", "queue": 3},
        {"flow_type": "udp4", "src_ip": "0.0.0.0/0", "dst_ip": "0.0.0.0/0", "dst_port": 53, "queue": 2},
    ]
    options: dict[str, t.Any] = {"taps": ["tap0"], "hash_key": KEY.hex(), "pins": pins}
    (told,) = run_module("tap_steering", options)["taps"]
    assert told["config"]["pins"] == [
        {"flow_type": "tcp6", "dst_ip": "2001:db8::1", "queue": 3},
        {"flow_type": "udp4", "dst_port": 53, "queue": 2},
    ]
    assert not run_module("tap_steering", options)["changed"]
