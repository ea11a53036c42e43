# Copyright (c) 2026, virtnet.rss contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to the collection: what the counters of a steered device say that somebody should know. Pure.

from __future__ import annotations

import typing as t

from ansible_collections.virtnet.rss.plugins.module_utils._look.advice import EVEN, FEWEST_PER_QUEUE
from ansible_collections.virtnet.rss.plugins.module_utils._look.spread import excess
from ansible_collections.virtnet.rss.plugins.module_utils._rss.config import mask_to_hash_types, mask_to_tunnel_types

if t.TYPE_CHECKING:
    from ansible_collections.virtnet.rss.plugins.module_utils._look.look import Sighting
    from ansible_collections.virtnet.rss.plugins.module_utils._rss.config import RssConfig

__all__ = ("hints", "unspread_share")

MUCH = 0.5  # the share of the packets from which on a kind of them is the cause of a spread
PAST = 0.1  # the share that may be missing because two counters are not read at the same instant
BY_ADDRESSES = ("ipv4", "ipv6", "ipv6_ex")
# The words without which packets count under a reason, although more of them could be hashed.
HASH_TYPES = {
    "none": ("ipv4", "ipv6"),
    "ipv4": ("tcpv4", "udpv4", "sctp", "udplite", "dccp", "esp", "ah", "l2tpv3"),
    "ipv6": ("tcpv6", "udpv6", "sctp", "udplite", "dccp", "esp", "l2tpv3", "flow_label"),
}
TUNNEL_TYPES = {
    "none": ("pppoe", "mpls"),
    "ipv4": ("gre_2784", "gre_2890", "gre_7676", "nvgre", "ipip", "ip6tnl", "etherip"),
    "ipv6": ("gre_7676", "nvgre", "ip6tnl", "etherip"),
}


def hints(sighting: Sighting) -> list[str]:
    """Sentences, none for a device on which all is well or nothing can be said."""
    found = (_by_addresses(sighting), _past(sighting))
    return [sentence for sentence in found if sentence]


def unspread_share(sighting: Sighting) -> float | None:
    """The share of the packets that are hashed by their addresses alone, or not at all; None without packets."""
    counters = sighting.counters
    if not counters or not counters.total:
        return None
    return sum(counters.by_reason().get(reason, 0) for reason in ("none", *BY_ADDRESSES)) / counters.total


def _by_addresses(sighting: Sighting) -> str:
    """A poor spread, of packets that have nothing but addresses to be told apart by."""
    device, counters, share = sighting.device, sighting.counters, unspread_share(sighting)
    configuration = device.program.configuration if device.program else None
    if not counters or not configuration or not configuration.rss.redirect or share is None or share < MUCH:
        return ""
    packets = counters.packets(device.queues)
    uneven = excess(packets, configuration.rss.indirection)
    if device.queues < 2 or counters.total < FEWEST_PER_QUEUE * device.queues or uneven <= EVEN:
        return ""
    reasons = {name: count for name, count in counters.by_reason().items() if name in ("none", *BY_ADDRESSES) and count}
    told = ", ".join(f"{_percent(count / counters.total)} {_kind(name)}" for name, count in reasons.items())
    busiest = f"the busiest queue has {uneven:g} times its part"
    words = _missing(configuration.rss, [name for name in reasons if reasons[name] >= PAST * counters.total])
    cure = f"it may lack {words}" if words else "no word of tap_steering tells more of them apart"
    return f"{busiest}: {told}; {cure}; virtnet-rss advise {device.name} names the protocols"


def _kind(reason: str) -> str:
    return "are not hashed" if reason == "none" else f"are hashed by their addresses alone ({reason})"


def _missing(rss: RssConfig, reasons: t.Sequence[str]) -> str:
    """Words that look further into packets of these reasons."""
    asked = [reason.partition("_")[0] for reason in reasons]
    said = []
    for option, words, present in (
        ("hash_types", HASH_TYPES, mask_to_hash_types(rss.hash_types)),
        ("tunnel_types", TUNNEL_TYPES, mask_to_tunnel_types(rss.tunnel_types)),
    ):
        lacking = [word for reason in asked for word in words.get(reason, ()) if word not in present]
        if lacking:
            said.append(f"{option} {', '.join(dict.fromkeys(lacking))}")
    return " or ".join(said)


def _past(sighting: Sighting) -> str:
    """Packets that the guest got and the program was not asked about: XDP of the host puts them straight into a queue
    (drivers/net/tun.c, tun_xdp_xmit). One enabled queue is not asked about at all."""
    measurement, device = sighting.measurement, sighting.device
    if not measurement or measurement.arrived is None or device.queues < 2:
        return ""
    past = measurement.arrived - measurement.packets
    if past < FEWEST_PER_QUEUE or past < PAST * measurement.arrived:
        return ""
    return (
        f"{past} of {measurement.arrived} packets in {measurement.seconds:g} s reached the guest past the program: XDP "
        "of this host, such as a redirect into the device, chooses their queues"
    )


def _percent(share: float) -> str:
    return f"{100 * share:.0f} %"
