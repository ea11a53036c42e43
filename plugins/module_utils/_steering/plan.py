# Copyright (c) 2026, virtnet.rss contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to the collection: desired x observed -> steps. Pure; all idempotence lives here.

from __future__ import annotations

import typing as t
from dataclasses import replace

from ansible_collections.virtnet.rss.plugins.module_utils._errors import InputError, PlaceError, StateError
from ansible_collections.virtnet.rss.plugins.module_utils._program.model import Configuration, Guard
from ansible_collections.virtnet.rss.plugins.module_utils._rss.config import RssConfig
from ansible_collections.virtnet.rss.plugins.module_utils._rss.indirection import indirection_table
from ansible_collections.virtnet.rss.plugins.module_utils._rss.limits import INDIRECTION_MAX
from ansible_collections.virtnet.rss.plugins.module_utils._steering.model import (
    AUTOMATIC,
    FOREIGN,
    STEERED,
    UNKNOWN,
    Desired,
    Device,
    Indirection,
    Step,
)

__all__ = ("check_table", "plan")


def plan(desired: Desired, device: Device, *, new_key: t.Callable[[], bytes]) -> Step:
    """What one device needs; InputError and StateError when it cannot be had.

    ``new_key`` makes a random hash key (40 bytes) for a device that has none to keep.
    """
    return replace(_step(desired, device, new_key), fallback=desired.fallback, verify=desired.verify)


def check_table(desired: Desired) -> None:
    """InputError for a table that no device can have."""
    _indirection_table(desired.indirection, desired.indirection.equal or 1)


def _step(desired: Desired, device: Device, new_key: t.Callable[[], bytes]) -> Step:
    if device.state in (FOREIGN, UNKNOWN) and desired.foreign != "replace":
        return _leave_alone(desired, device)
    if not desired.present:
        if device.state == AUTOMATIC:
            return Step(device, "none")
        return Step(device, "detach")
    current = device.program.configuration if device.program else None
    key = desired.hash_key or (current.rss.hash_key if current else None)
    target = _configuration(desired, device, key or new_key())
    if device.state == STEERED and current == target:
        return Step(device, "none", target, reason=_of_one_queue(device))
    action = "attach" if device.state == AUTOMATIC else "replace"
    return Step(device, action, target, new_key=key is None, reason=_of_one_queue(device))


def _of_one_queue(device: Device) -> str:
    """Why a program is of no use to a device that will never have another queue."""
    if _queues(device) != 1:
        return ""
    return f"{device.name} has one queue, so there is nothing to choose, and the driver does not ask the program"


def _leave_alone(desired: Desired, device: Device) -> Step:
    """What is foreign is somebody's, and so may be what cannot be told."""
    if device.state == FOREIGN and device.program:
        what = f"is steered by a foreign program ({device.program.name or 'without a name'}, id {device.program.id})"
    else:
        what = f"may be steered by a foreign program ({device.reason or 'nothing here tells'})"
    reason = f"{device.name} {what}; it is left alone unless the task says 'foreign: replace'"
    if desired.foreign == "fail":
        raise StateError(reason, device=device.name)
    return Step(device, "keep", reason=reason)


def _configuration(desired: Desired, device: Device, key: bytes) -> Configuration:
    table = _table(desired, device)
    _check_queues(desired, device, "indirection", max(table))
    _check_queues(desired, device, "default_queue", desired.default_queue)
    for number, pin in enumerate(desired.pins):
        _check_queues(desired, device, f"pins[{number}].queue", pin.queue)
    return Configuration(
        rss=RssConfig(
            hash_key=key,
            hash_types=desired.hash_types,
            indirection=table,
            default_queue=desired.default_queue,
            redirect=desired.redirect,
            tunnel_types=desired.tunnel_types,
            tunnel_ports=desired.tunnel_ports,
            symmetric=desired.symmetric,
            pins=desired.pins,
        ),
        statistics=desired.statistics,
        guard=Guard(desired.rebalance.idle_ms, desired.rebalance.deadline_ms) if desired.rebalance else None,
    )


def _table(desired: Desired, device: Device) -> tuple[int, ...]:
    wanted = desired.indirection
    if desired.rebalance and wanted.size is None and wanted.table is None:
        wanted = replace(wanted, size=INDIRECTION_MAX)  # the smaller the entries, the more even they can lie
    equal = wanted.equal
    if equal is None and wanted.weight is None and wanted.table is None:
        equal = _queues(device) - wanted.start
        if equal < 1:
            raise PlaceError(
                "indirection",
                f"it cannot be equal over the attached queues: {device.name} has {device.queues} queues attached; "
                "name them (equal: N) together with 'allow_future_queues: true' to steer queues that will come",
            )
    return _indirection_table(wanted, equal)


def _indirection_table(wanted: Indirection, equal: int | None) -> tuple[int, ...]:
    if wanted.weight is not None or wanted.table is not None:
        equal = wanted.equal
    return indirection_table(
        equal=equal, weight=wanted.weight, table=wanted.table, start=wanted.start, size=wanted.size
    )


def _queues(device: Device) -> int:
    """Those that the guest has, enabled or not: it may enable the others at any time, and they shall have packets."""
    return device.queues + device.disabled_queues


def _check_queues(desired: Desired, device: Device, option: str, highest: int) -> None:
    """The driver takes a queue that is not attached modulo their number, which looks like skew."""
    queues = _queues(device)
    if highest >= queues and not desired.allow_future_queues and (highest or queues):
        raise InputError(
            option,
            highest,
            f"{device.name} has {queues} queues attached, numbered from 0; 'allow_future_queues: true' permits queues "
            "that are attached later",
        )
