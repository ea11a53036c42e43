# Copyright (c) 2026, virtnet.rss contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to the collection: which queue a packet takes on a device, and why, step by step.

from __future__ import annotations

import typing as t
from collections import Counter
from dataclasses import replace

from ansible_collections.virtnet.rss.plugins.module_utils._errors import InputError, StateError
from ansible_collections.virtnet.rss.plugins.module_utils._rss.config import mask_to_hash_types
from ansible_collections.virtnet.rss.plugins.module_utils._rss.flow import PROTOCOLS, WORDS, frame_from, steer_flow
from ansible_collections.virtnet.rss.plugins.module_utils._rss.hashing import steer
from ansible_collections.virtnet.rss.plugins.module_utils._rss.transports import WITH_PORTS

if t.TYPE_CHECKING:
    from ansible_collections.virtnet.rss.plugins.module_utils._look.look import Sighting
    from ansible_collections.virtnet.rss.plugins.module_utils._program.model import Configuration
    from ansible_collections.virtnet.rss.plugins.module_utils._rss.config import RssConfig
    from ansible_collections.virtnet.rss.plugins.module_utils._rss.hashing import Steered

__all__ = ("explain_capture", "explain_flow", "explain_frame", "parse_flow")

SHAPE = "write tcp 192.0.2.1:1234 198.51.100.2:443, esp 192.0.2.1 198.51.100.2 spi 0x1234, or two addresses"
ENDS = ("src", "dst", "sport", "dport", "proto")


def parse_flow(text: str) -> dict[str, t.Any]:
    """``tcp 192.0.2.1:1234 198.51.100.2:443``, ``udp [2001:db8::1]:53 [2001:db8::2]:53`` or two addresses; then words
    such as ``spi 0x1234`` and ``vlan 7``."""
    words = text.split()
    proto = words.pop(0) if words and (words[0].lower() in PROTOCOLS or words[0].isdigit()) else ""
    ends, rest = words[:2], words[2:]
    pairs = dict(zip(rest[::2], rest[1::2]))
    if len(ends) != 2 or len(rest) % 2 or any(word not in WORDS or word in ENDS for word in pairs):
        raise InputError("FLOW", text, SHAPE)
    if not proto:
        return {"src": ends[0], "dst": ends[1], **pairs}
    if proto.lower() not in WITH_PORTS.values() and proto not in map(str, WITH_PORTS):
        return {"proto": proto, "src": ends[0], "dst": ends[1], **pairs}
    (src, sport), (dst, dport) = (_end(text, end) for end in ends)
    return {"proto": proto, "src": src, "sport": sport, "dst": dst, "dport": dport, **pairs}


def _end(text: str, end: str) -> tuple[str, str]:
    address, colon, port = end.rpartition(":")
    if not colon:
        raise InputError("FLOW", text, "this protocol has ports: 192.0.2.1:1234, or [2001:db8::1]:1234")
    return address.strip("[]"), port


def explain_flow(flow: str, sighting: Sighting) -> str:
    """Sentences from the flow to the queue; StateError for a device that no program of ours steers."""
    rss = _configuration(sighting).rss
    return _sentences(steer_flow(parse_flow(flow), rss), rss, sighting)


def explain_frame(frame: str, sighting: Sighting) -> str:
    """The same for a frame in hexadecimal digits, as the device has it: with an Ethernet header, or from IP on."""
    configuration = _configuration(sighting)
    steered = steer(frame_from(frame), configuration.rss, l3_offset=configuration.l3_offset)
    return _sentences(steered, configuration.rss, sighting)


def explain_capture(frames: t.Sequence[bytes], l3_offset: int, sighting: Sighting) -> str:
    """A line for each frame of a capture, then how many each queue gets. A VLAN tag that the capture's host had taken
    out of a frame is in no pcap file, so pins that ask for it see none."""
    rss = _configuration(sighting).rss
    found = [_placed(steer(frame, rss, l3_offset=l3_offset), rss, sighting) for frame in frames]
    enabled = sighting.device.queues or max((each.queue for each in found), default=0) + 1
    chosen = [each.queue % enabled for each in found]  # as the driver takes it
    lines = [f"{number} queue {queue} {_why(each)}" for number, (queue, each) in enumerate(zip(chosen, found), 1)]
    queues = Counter(chosen)
    lines.append(", ".join(f"queue {queue}: {queues[queue]}" for queue in sorted(queues)) or "there is no packet in it")
    return "\n".join(lines)


def _configuration(sighting: Sighting) -> Configuration:
    device = sighting.device
    configuration = device.program.configuration if device.program else None
    if configuration is None:
        raise StateError(
            f"{device.name} is {device.state}: only a program of this collection can be asked. {device.reason}".strip(),
            device=device.name,
        )
    return configuration


def _why(steered: Steered) -> str:
    if steered.pin is not None:
        return f"pin {steered.pin}"
    if steered.hash is None:
        return "not hashed"
    inner = f" {steered.header}" if steered.header != "outer" else ""
    return f"{steered.hash_type} 0x{steered.hash:08x}{inner}"


def _sentences(steered: Steered, rss: RssConfig, sighting: Sighting) -> str:
    device = sighting.device
    lines = [f"{device.name} is steered by program {device.program.id if device.program else 0}"]
    lines += _choice(steered, rss)
    steered, moved = _placed(steered, rss, sighting), steered
    if steered.queue != moved.queue:
        lines.append(f"the entry was moved to queue {steered.queue}, since its queue had more than its share")
    lines += _waiting(steered, rss, sighting)
    if device.queues == 1:
        lines.append("one queue is enabled, so the driver does not ask: queue 0")
    elif device.queues and steered.queue >= device.queues:
        lines.append(
            f"{device.queues} queues are enabled, so the driver takes it modulo {device.queues}: "
            f"queue {steered.queue % device.queues}"
        )
    if sighting.implementation.decides != "ebpf":
        lines.append(sighting.implementation.reason)
    return "\n".join(lines)


def _placed(steered: Steered, rss: RssConfig, sighting: Sighting) -> Steered:
    """Where the entry of a live table is now."""
    if steered.hash is None or sighting.placement is None:
        return steered
    return replace(steered, queue=sighting.placement.current[steered.hash % len(rss.indirection)])


def _waiting(steered: Steered, rss: RssConfig, sighting: Sighting) -> list[str]:
    if steered.hash is None or sighting.placement is None:
        return []
    wanted = sighting.placement.wanted[steered.hash % len(rss.indirection)]
    if wanted == steered.queue:
        return []
    return [f"it goes to queue {wanted} as soon as it has been silent for a moment, and then its packets stay in order"]


def _choice(steered: Steered, rss: RssConfig) -> list[str]:
    if steered.pin is not None:
        words = ", ".join(f"{word} {value}" for word, value in rss.pins[steered.pin].words().items() if word != "queue")
        return [f"pin {steered.pin} ({words}) takes it to queue {steered.queue}, before anything is hashed"]
    if steered.hash is None:
        enabled = " ".join(mask_to_hash_types(rss.hash_types)) or "none"
        why = f"none of its hash types ({enabled}) is for this packet" if rss.redirect else "redirect is off"
        return [f"it is not hashed: {why}; so it goes to the default queue, {steered.queue}"]
    size = len(rss.indirection)
    inner = f" of its {steered.header} header" if steered.header != "outer" else ""
    order = ", the smaller end first" if rss.symmetric else ""
    return [
        f"it is hashed as {steered.hash_type}{inner}{order}: 0x{steered.hash:08x}",
        f"entry {steered.hash % size} of {size} in the indirection table names queue {steered.queue}",
    ]
