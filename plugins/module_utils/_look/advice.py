# Copyright (c) 2026, virtnet.rss contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to the collection: whether it pays to steer a device, out of what was observed of its packets. Pure.

from __future__ import annotations

import typing as t
from dataclasses import dataclass, field

from ansible_collections.virtnet.rss.plugins.module_utils._look.protocols import WORDS, named
from ansible_collections.virtnet.rss.plugins.module_utils._look.spread import excess
from ansible_collections.virtnet.rss.plugins.module_utils._rss.config import mask_to_hash_types, mask_to_tunnel_types
from ansible_collections.virtnet.rss.plugins.module_utils._rss.hashing import ONE_WAY
from ansible_collections.virtnet.rss.plugins.module_utils._steering.model import AUTOMATIC, FOREIGN, STEERED

if t.TYPE_CHECKING:
    from ansible_collections.virtnet.rss.plugins.module_utils._look.observation import Observation
    from ansible_collections.virtnet.rss.plugins.module_utils._program.model import Configuration
    from ansible_collections.virtnet.rss.plugins.module_utils._steering.model import Device

__all__ = ("FEWEST_PER_QUEUE", "STEER", "Advice", "advise")

FEWEST_PER_QUEUE = 50  # packets on average, below which a spread is an accident
EVEN = 1.25  # times its wanted part that the busiest queue gets, up to which there is little to gain
GAIN = 1.2  # how many times less the busiest queue must get for a change to be worth it
TELLING = 0.1  # the share of the packets from which on a protocol is worth a word
AGREED = 0.99  # the share of the predicted packets from which on all is well: a program may be exchanged meanwhile
AGREED_LIVE = 0.8  # the same of a device that is balanced: some of its entries move meanwhile
UNSEEN = 0.1  # the share of packets beside the selection from which on they are told; some wait in the queues before
# What to do with a device.
STEER, LEAVE, STEERED_WELL, CHANGE, LOOK, UNKNOWN = "steer", "leave", "keep", "change", "look", "unknown"


@dataclass(frozen=True)
class Advice:
    """``verdict``: steer, leave (automatic, or as it is), keep (steered, and well), change (steered, and other words
    are better), look (something is not as it should be), unknown. ``words`` are options of tap_steering to add:
    lists of words, and ``symmetric``."""

    verdict: str
    text: str
    words: dict[str, list[str] | bool] = field(default_factory=dict)


def advise(device: Device, observation: Observation) -> Advice:
    """For one device, from its packets alone."""
    cannot = _nothing_to_say(device, observation)
    if cannot:
        return Advice(UNKNOWN, cannot)
    advice = _steered(observation) if device.state == STEERED else _not_steered(device, observation)
    both = _both_ways(device, advice, observation)
    words = {**advice.words, "symmetric": True} if both else advice.words
    return Advice(advice.verdict, "; ".join(filter(None, (advice.text, both, _beside(observation)))), words)


def _nothing_to_say(device: Device, observation: Observation) -> str:
    if observation.reason:
        return observation.reason
    if len(observation.now) < 2:
        return "one queue is enabled: there is nothing to choose"
    packets = sum(observation.now)
    if packets < FEWEST_PER_QUEUE * len(observation.now):
        return f"{packets} packets in {observation.seconds:g} s are too few to tell: watch longer, or while it works"
    return ""


def _not_steered(device: Device, observation: Observation) -> Advice:
    now, would_be = observation.now, observation.would_be
    words = _better_words(observation, would_be)
    best = observation.with_every_word if words else would_be
    who = "a foreign program" if device.state == FOREIGN else "automatic selection"
    if _pays(observation, now, best):
        options = [*_said(words), *(["foreign: replace"] if device.state == FOREIGN else [])]
        how = f" with {' and '.join(options)}" if options else ""
        text = f"steer it{how}: the busiest queue takes {_share(now)} of the packets, steered {_share(best)}"
        return Advice(STEER, text, words)
    stay = "leave it as it is" if device.state == FOREIGN else "leave it automatic"
    if _excess(observation, now) <= EVEN:
        return Advice(LEAVE, f"{stay}: {who} spreads it well, the busiest queue takes {_share(now)}")
    text = f"{stay}: the busiest queue takes {_share(now)}, steered {_share(would_be)}; {_cause(observation)}"
    return Advice(LEAVE, text)


def _steered(observation: Observation) -> Advice:
    now, packets = observation.now, sum(observation.now)
    agreed = observation.agreed / packets
    is_live = observation.configuration and observation.configuration.guard
    if agreed < (AGREED_LIVE if is_live else AGREED):
        return Advice(LOOK, f"only {_percent(agreed)} of the packets took the queue that its program names")
    told = f"{_percent(agreed)} of the packets took the queue that its program names"
    words = _better_words(observation, now)
    if words:
        then = _share(observation.with_every_word)
        text = f"add {' and '.join(_said(words))}: the busiest queue takes {_share(now)}, then {then}; {told}"
        return Advice(CHANGE, text, words)
    cause = f"; {_cause(observation)}" if _excess(observation, now) > EVEN else ""
    return Advice(STEERED_WELL, f"steered: {told}, the busiest {_share(now)}{cause}")


def _beside(observation: Observation) -> str:
    """Packets that no selection of a queue sees: XDP of the host puts them straight into one (drivers/net/tun.c)."""
    packets = sum(observation.now)
    if observation.unseen < FEWEST_PER_QUEUE * len(observation.now) or observation.unseen < UNSEEN * packets:
        return ""
    return f"{observation.unseen} more packets reached it past the selection (XDP), or had waited in its queues"


def _both_ways(device: Device, advice: Advice, observation: Observation) -> str:
    """Connections whose two directions ``symmetric`` would put on one queue, as automatic selection does.

    Not where numbers that each direction has its own of spread the packets: it takes the addresses in their place.
    """
    configuration = observation.configuration
    if advice.verdict not in (STEER, CHANGE, STEERED_WELL) or not configuration or configuration.rss.symmetric:
        return ""
    steered, both_ways = observation.steered, observation.both_ways
    if advice.words:
        steered, both_ways = observation.wider, observation.both_ways_with_every_word
    packets = sum(observation.now)
    one_way = sum(count for reason, count in (steered.by_reason() if steered else {}).items() if reason in ONE_WAY)
    if both_ways < TELLING * packets or one_way >= TELLING * packets:
        return ""
    part = _percent(min(both_ways / packets, 1))
    puts = "keeps the two on one queue, as they are now" if device.state == AUTOMATIC else "puts the two on one queue"
    return (
        f"{part} of the packets are of connections that come to it in both directions: symmetric: true {puts}, for a "
        "guest that keeps state for each CPU (firewall, load balancer, DPDK); the spread is no better for it"
    )


def _better_words(observation: Observation, than: list[int]) -> dict[str, list[str] | bool]:
    """The words for the protocols that were seen, if all words together give a better spread."""
    wider = observation.with_every_word
    if not wider or not observation.configuration or not _pays(observation, than, wider):
        return {}
    present = _words_of(observation.configuration)
    found: dict[str, list[str]] = {}
    for name in _telling(observation):
        option, words = WORDS.get(name, WORDS.get(name.partition("/")[0], ("", ())))
        missing = [word for word in words if word not in present]
        if missing:
            found.setdefault(option, []).extend(missing)
    return {option: list(dict.fromkeys(missing)) for option, missing in found.items()}


def _words_of(configuration: Configuration) -> set[str]:
    rss = configuration.rss
    return {*mask_to_hash_types(rss.hash_types), *mask_to_tunnel_types(rss.tunnel_types)}


def _telling(observation: Observation) -> dict[str, int]:
    seen = named(observation.protocols or {})
    return {name: packets for name, packets in seen.items() if packets >= TELLING * sum(seen.values())}


def _cause(observation: Observation) -> str:
    """Why a configuration cannot spread the packets."""
    reasons = observation.steered.by_reason() if observation.steered else {}
    packets = max(sum(reasons.values()), 1)
    addresses = sum(reasons.get(name, 0) for name in ("none", "ipv4", "ipv6")) / packets
    if addresses >= 0.5:
        return f"{_percent(addresses)} of them have nothing but addresses to be told apart by ({_mostly(observation)})"
    return "a few flows have most of the packets, and a flow stays on one queue"


def _mostly(observation: Observation) -> str:
    return ", ".join(list(_telling(observation))[:3]) or "of many protocols"


def _pays(observation: Observation, before: list[int], after: list[int]) -> bool:
    return _excess(observation, before) > max(EVEN, GAIN * _excess(observation, after))


def _excess(observation: Observation, packets: list[int]) -> float:
    configuration = observation.configuration
    return excess(packets, configuration.rss.indirection) if configuration else 1.0


def _share(packets: list[int]) -> str:
    return _percent(max(packets) / max(sum(packets), 1))


def _percent(share: float) -> str:
    return f"{100 * share:.0f} %" if share in (0, 1) or 0.01 <= share <= 0.99 else f"{100 * share:.2f} %"


def _said(words: t.Mapping[str, list[str] | bool]) -> list[str]:
    return [f"{option}: {', '.join(names)}" for option, names in words.items() if isinstance(names, list)]
