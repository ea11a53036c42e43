# Copyright (c) 2026, virtnet.rss contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to the collection: a sighting as the dictionary that virtnet.rss.tap_steering_info returns.

from __future__ import annotations

import pwd
import typing as t
from dataclasses import asdict

from ansible_collections.virtnet.rss.plugins.module_utils._look.advice import advise
from ansible_collections.virtnet.rss.plugins.module_utils._look.counters import REASONS
from ansible_collections.virtnet.rss.plugins.module_utils._look.hints import hints
from ansible_collections.virtnet.rss.plugins.module_utils._look.protocols import named
from ansible_collections.virtnet.rss.plugins.module_utils._look.spread import excess, spread
from ansible_collections.virtnet.rss.plugins.module_utils._steering.report import configuration_report, program_report
from ansible_collections.virtnet.rss.plugins.module_utils._text import written_out
from ansible_collections.virtnet.rss.plugins.module_utils._tun import ioctls

if t.TYPE_CHECKING:
    from ansible_collections.virtnet.rss.plugins.module_utils._look.counters import Counters
    from ansible_collections.virtnet.rss.plugins.module_utils._look.look import Sighting
    from ansible_collections.virtnet.rss.plugins.module_utils._look.measure import Measurement
    from ansible_collections.virtnet.rss.plugins.module_utils._look.observation import Observation
    from ansible_collections.virtnet.rss.plugins.module_utils._program.model import AttachedProgram
    from ansible_collections.virtnet.rss.plugins.module_utils._steering.model import Device

__all__ = ("observation_report", "sighting_report")

# As `ip tuntap` calls them.
FLAGS = {
    "tun": ioctls.IFF_TUN,
    "tap": ioctls.IFF_TAP,
    "napi": ioctls.IFF_NAPI,
    "napi_frags": ioctls.IFF_NAPI_FRAGS,
    "no_pi": ioctls.IFF_NO_PI,
    "vnet_hdr": ioctls.IFF_VNET_HDR,
    "multi_queue": ioctls.IFF_MULTI_QUEUE,
    "persist": ioctls.IFF_PERSIST,
}


def sighting_report(sighting: Sighting) -> dict[str, t.Any]:
    """One element of the ``taps`` list."""
    device, implementation = sighting.device, sighting.implementation
    program = device.program
    return {
        "name": written_out(device.name),
        "netns": sighting.namespace.label,
        "netns_inode": device.netns_inode,
        "ifindex": device.ifindex,
        "domain": sighting.card.domain,
        "interface": sighting.card.interface,
        "mac": sighting.card.mac,
        "flags": [name for name, flag in FLAGS.items() if device.tun_flags & flag],
        "queues": device.queues,
        "disabled_queues": device.disabled_queues,
        "holders": _holders(device),
        "state": device.state,
        "reason": device.reason,
        "program": _program(program),
        "config": configuration_report(program.configuration if program else None),
        "implementation": {
            "decides": implementation.decides,
            "reason": implementation.reason,
            "vhost": implementation.vhost,
            "rss": implementation.rss,
            "hash": implementation.hash,
        },
        "traffic": None if sighting.traffic is None else asdict(sighting.traffic),
        "counters": _counters(sighting.counters, device),
        "measured": _measured(sighting.measurement),
        "hints": hints(sighting),
        "observed": observation_report(device, sighting.observation) if sighting.observation else None,
    }


def observation_report(device: Device, observation: Observation) -> dict[str, t.Any]:
    """What was seen of a device's packets, what a configuration would have made of them, and what to do."""
    advice = advise(device, observation)
    return {
        "seconds": observation.seconds,
        "packets": sum(observation.now),
        "now": {"queues": observation.now, "spread": spread(observation.now)},
        "steered": {
            "queues": observation.would_be,
            "spread": spread(observation.would_be),
            "hash_types": observation.steered.by_reason() if observation.steered else {},
        },
        "agreed": observation.agreed,
        "both_ways": observation.both_ways,
        "unseen": observation.unseen,
        "protocols": named(observation.protocols or {}),
        "verdict": advice.verdict,
        "words": advice.words,
        "advice": advice.text,
    }


def _holders(device: Device) -> list[dict[str, t.Any]]:
    """Processes, each with its queues."""
    found: dict[int, dict[str, t.Any]] = {}
    for holder in device.holders:
        entry = found.setdefault(holder.pid, {"pid": holder.pid, "command": holder.command, "descriptors": []})
        entry["descriptors"].append(holder.descriptor)
    return list(found.values())


def _program(program: AttachedProgram | None) -> dict[str, t.Any] | None:
    report = program_report(program)
    if report is None or program is None:
        return None
    return {**report, "loaded_at": _wall_clock(program.load_time), "uid": program.uid, "user": _user(program.uid)}


def _wall_clock(since_boot: int) -> str:
    """ISO 8601, UTC, of a time in nanoseconds since boot, as the kernel keeps load times.

    The time of the boot comes from /proc/stat, in whole seconds: it is the same at every look, which the difference of
    two clocks that are read one after the other is not. Empty where it cannot be read.
    """
    try:
        with open("/proc/stat", encoding="ascii") as lines:
            booted = next(int(line.split()[1]) for line in lines if line.startswith("btime "))
    except (OSError, StopIteration):  # /proc is mounted with subset=pid
        return ""
    import datetime  # here: a third of a MiB that the service saves

    loaded = datetime.datetime.fromtimestamp(booted + since_boot // 10**9, datetime.timezone.utc)
    return loaded.strftime("%Y-%m-%dT%H:%M:%SZ")


def _user(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return ""


def _counters(counters: Counters | None, device: Device) -> dict[str, t.Any] | None:
    if counters is None:
        return None
    packets = counters.packets(device.queues)
    configuration = device.program.configuration if device.program else None
    return {
        "packets": counters.total,
        "queues": counters.numbered,
        "hash_types": counters.by_reason(),
        "by_queue": [dict(zip(REASONS, row)) for row in counters.by_queue],
        "spread": spread(packets),
        "excess": excess(packets, configuration.rss.indirection) if configuration and counters.total else None,
    }


def _measured(measurement: Measurement | None) -> dict[str, t.Any] | None:
    if measurement is None:
        return None
    cost = measurement.per_packet
    return {
        "seconds": measurement.seconds,
        "packets": measurement.packets,
        "arrived": measurement.arrived,
        "nanoseconds_per_packet": None if cost is None else round(cost, 1),
    }
