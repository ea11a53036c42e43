# Copyright (c) 2026, virtnet.rss contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to the collection: which queue a flow takes on a device, and why, step by step.

from __future__ import annotations

import typing as t

from ansible_collections.virtnet.rss.plugins.module_utils._errors import InputError, StateError
from ansible_collections.virtnet.rss.plugins.module_utils._rss.config import mask_to_hash_types
from ansible_collections.virtnet.rss.plugins.module_utils._rss.flow import steer_flow

if t.TYPE_CHECKING:
    from ansible_collections.virtnet.rss.plugins.module_utils._look.look import Sighting

__all__ = ("explain", "parse_flow")


def parse_flow(text: str) -> dict[str, t.Any]:
    """``tcp 192.0.2.1:1234 198.51.100.2:443``, ``udp [2001:db8::1]:53 [2001:db8::2]:53`` or two addresses."""
    ends = text.split()
    proto = ends.pop(0) if ends[:1] in (["tcp"], ["udp"]) else ""
    if len(ends) != 2:
        raise InputError("FLOW", text, "write tcp 192.0.2.1:1234 198.51.100.2:443, or two addresses")
    if not proto:
        return {"src": ends[0], "dst": ends[1]}
    (src, sport), (dst, dport) = (_end(text, end) for end in ends)
    return {"proto": proto, "src": src, "sport": sport, "dst": dst, "dport": dport}


def _end(text: str, end: str) -> tuple[str, str]:
    address, colon, port = end.rpartition(":")
    if not colon:
        raise InputError("FLOW", text, "tcp and udp have ports: 192.0.2.1:1234, or [2001:db8::1]:1234")
    return address.strip("[]"), port


def explain(flow: str, sighting: Sighting) -> str:
    """Sentences from the packet to the queue; StateError for a device that no program of ours steers."""
    device = sighting.device
    configuration = device.program.configuration if device.program else None
    if configuration is None:
        raise StateError(
            f"{device.name} is {device.state}: only a program of this collection can be asked. {device.reason}".strip(),
            device=device.name,
        )
    rss = configuration.rss
    decision = steer_flow(parse_flow(flow), rss)
    lines = [f"{device.name} is steered by program {device.program.id if device.program else 0}"]
    if decision.hash is None:
        enabled = " ".join(mask_to_hash_types(rss.hash_types)) or "none"
        why = "redirect is off" if not rss.redirect else f"none of its hash types ({enabled}) is for this packet"
        lines.append(f"it is not hashed: {why}; so it goes to the default queue, {decision.queue}")
    else:
        size = len(rss.indirection)
        lines.append(f"it is hashed as {decision.hash_type}: 0x{decision.hash:08x}")
        lines.append(f"entry {decision.hash % size} of {size} in the indirection table names queue {decision.queue}")
    if device.queues == 1:
        lines.append("one queue is enabled, so the driver does not ask: queue 0")
    elif device.queues and decision.queue >= device.queues:
        lines.append(
            f"{device.queues} queues are enabled, so the driver takes it modulo {device.queues}: "
            f"queue {decision.queue % device.queues}"
        )
    if sighting.implementation.decides != "ebpf":
        lines.append(sighting.implementation.reason)
    return "\n".join(lines)
