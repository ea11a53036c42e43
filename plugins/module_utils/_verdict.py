# Copyright (c) 2026, virtnet.rss contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to the collection: whether a change made things worse for the guests of a host. Pure: a host asks it
# in a rollout, and a controller by a filter.

from __future__ import annotations

import typing as t

from ansible_collections.virtnet.rss.plugins.module_utils._errors import InputError, PlaceError

__all__ = ("check_limits", "judged_devices", "rollout_verdict")

Tap = t.Mapping[str, t.Any]
Key = t.Tuple[int, int]


# A drop of less than nothing makes every guest worse off, which tries a rollback.
PARTS = {"max_drops": -1.0, "max_share": 0.0, "max_growth": 0.0}


def check_limits(limits: t.Mapping[str, t.Any]) -> None:
    """InputError: a part of the packets is no such, and would never be exceeded."""
    for name, least in PARTS.items():
        if not least <= limits[name] <= 1:
            raise InputError(name, limits[name], "it is a part of the packets, 0 to 1: 0.05 for 5 %")
    if not limits["min_packets"] >= 0:
        raise InputError("min_packets", limits["min_packets"], "it is a number of packets from 0 on")


def rollout_verdict(
    after: t.Sequence[t.Mapping[str, t.Any]],
    before: t.Sequence[t.Mapping[str, t.Any]],
    *,
    max_drops: float = 0.001,
    max_share: float = 0.9,
    max_growth: float = 0.5,
    min_packets: int = 1000,
) -> list[str]:
    """A sentence for each device that is worse off; an empty list: go on.

    ``before`` and ``after`` are two results of tap_steering_info each, from the beginning and from the end of a time
    window. Worse is: the part of the packets to the guest that was dropped grew by more than ``max_drops``; of at least
    ``min_packets`` packets the busiest of several queues got more than ``max_share``, and had less before, or its part
    grew by more than ``max_growth``; a guest that had ``min_packets`` before gets none any more.
    """
    check_limits({"max_drops": max_drops, "max_share": max_share, "max_growth": max_growth, "min_packets": min_packets})
    for name, window in (("after", after), ("before", before)):
        if len(window) != 2:
            raise PlaceError(
                name, f"it has {len(window)} results of tap_steering_info, not two, of the window's beginning and end"
            )
    old, new = _window(before), _window(after)
    sentences = []
    for key, (first, last) in new.items():
        sentences += _drops(last, _dropped(first, last), _dropped(*old[key]) if key in old else 0.0, max_drops)
        sentences += _silence(last, _arrived(first, last), _arrived(*old[key]) if key in old else 0, min_packets)
        before_share = _share(*old[key], min_packets) if key in old else None
        sentences += _spread(last, _share(first, last, min_packets), before_share, max_share, max_growth)
    return sentences


def judged_devices(
    after: t.Sequence[t.Mapping[str, t.Any]], before: t.Sequence[t.Mapping[str, t.Any]], *, min_packets: int
) -> tuple[int, int]:
    """How many devices had ``min_packets`` in both windows, so that a verdict says something, and how many had not."""
    old, new = _window(before), _window(after)
    enough = {key for key, pair in new.items() if key in old and _arrived(*pair) >= min_packets}
    judged = sum(_arrived(*old[key]) >= min_packets for key in enough)
    return judged, len(new) - judged


def _window(results: t.Sequence[t.Mapping[str, t.Any]]) -> dict[Key, tuple[Tap, Tap]]:
    """The devices that were there all the time."""
    first, last = ({_key(tap): tap for tap in result.get("taps") or ()} for result in results)
    return {key: (first[key], tap) for key, tap in last.items() if key in first}


def _key(tap: Tap) -> Key:
    return tap["netns_inode"], tap["ifindex"]


def _dropped(first: Tap, last: Tap) -> float:
    """Part of the packets for the guest, 0 to 1."""
    dropped, arrived = _grown("dropped", first, last), _arrived(first, last)
    return dropped / (dropped + arrived) if dropped > 0 else 0.0


def _arrived(first: Tap, last: Tap) -> int:
    return _grown("to_guest", first, last)


def _grown(counter: str, first: Tap, last: Tap) -> int:
    return int((last["traffic"] or {}).get(counter, 0) - (first["traffic"] or {}).get(counter, 0))


def _share(first: Tap, last: Tap, min_packets: int) -> float | None:
    """What the busiest of several queues got of the packets; None when it cannot be told or they were too few."""
    before, after = first["counters"], last["counters"]
    if not after or last["queues"] < 2:
        return None
    counted = after["queues"]
    if before and (first["program"] or {}).get("id") == (last["program"] or {}).get("id"):
        counted = [now - then for now, then in zip(after["queues"], before["queues"])]
    total = sum(counted)
    return float(max(counted) / total) if total >= min_packets else None


def _drops(tap: Tap, now: float, before: float, most: float) -> list[str]:
    if now - before <= most:
        return []
    return [f"{tap['name']}: {100 * now:.2f} % of the packets for the guest are dropped, before {100 * before:.2f} %"]


def _silence(tap: Tap, now: int, before: int, enough: int) -> list[str]:
    if now or before < enough:
        return []
    return [f"{tap['name']}: no packet reaches the guest any more, before it were {before} in the same time"]


def _spread(tap: Tap, now: float | None, before: float | None, most: float, growth: float) -> list[str]:
    if now is None:
        return []
    too_much = now > most and (before is None or before <= most)
    if not too_much and (before is None or now - before <= growth):
        return []
    known = "" if before is None else f", before {100 * before:.0f} %"
    return [f"{tap['name']}: one of {tap['queues']} queues gets {100 * now:.0f} % of the packets{known}"]
