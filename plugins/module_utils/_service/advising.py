# Copyright (c) 2026, virtnet.rss contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to the collection: what `virtnet-rss advise` says, as data and as text.

from __future__ import annotations

import textwrap
import typing as t

from ansible_collections.virtnet.rss.plugins.module_utils._look.observation import observe, wanted_configuration
from ansible_collections.virtnet.rss.plugins.module_utils._look.report import observation_report
from ansible_collections.virtnet.rss.plugins.module_utils._service.terminal import table
from ansible_collections.virtnet.rss.plugins.module_utils._steering.model import STEERED
from ansible_collections.virtnet.rss.plugins.module_utils._text import printable, written_out

if t.TYPE_CHECKING:
    from ansible_collections.virtnet.rss.plugins.module_utils._look.look import Sighting
    from ansible_collections.virtnet.rss.plugins.module_utils._program.model import Configuration
    from ansible_collections.virtnet.rss.plugins.module_utils._steering.model import Desired
    from ansible_collections.virtnet.rss.plugins.module_utils._tun.device_id import DeviceId

__all__ = ("advice_reports", "advice_text")

HEAD = ("device", "netns", "state", "packets", "now", "steered", "protocols")


def advice_reports(
    sightings: t.Sequence[Sighting],
    seconds: float,
    wanted: t.Mapping[DeviceId, Desired],
    *,
    sleep: t.Callable[[float], None],
) -> list[dict[str, t.Any]]:
    """One dictionary for each device, after ``seconds`` of watching them all.

    ``wanted`` is what a policy wants of some; the others are asked with the defaults, and steered ones with what
    steers them.
    """

    def configure(sighting: Sighting) -> Configuration:
        device = sighting.device
        return wanted_configuration(device, None if device.state == STEERED else wanted.get(device.id))

    observations = observe(sightings, configure, seconds, sleep=sleep)
    return [
        {
            "name": written_out(each.device.name),
            "netns": each.namespace.label,
            "netns_inode": each.device.netns_inode,
            "ifindex": each.device.ifindex,
            "state": each.device.state,
            **observation_report(each.device, observation),
        }
        for each, observation in zip(sightings, observations)
    ]


def advice_text(reports: t.Sequence[dict[str, t.Any]], width: int) -> str:
    """A table with the share of the busiest queue, as it is and as it would be, and a sentence for each device."""
    if not reports:
        return "no TAP devices"
    rows = [
        [
            report["name"],
            report["netns"],
            report["state"],
            report["packets"],
            _busiest(report["now"]["queues"]),
            _busiest(report["steered"]["queues"]),
            _protocols(report),
        ]
        for report in reports
    ]
    said = [
        textwrap.fill(printable(f"{report['name']}: {report['advice']}"), width, subsequent_indent="  ")
        for report in reports
    ]
    note = "now, steered: the busiest queue's share of the packets"
    return "\n".join([table(HEAD, rows, width), note, "", *said])


def _busiest(packets: t.Sequence[int]) -> str:
    return f"{100 * max(packets) / sum(packets):.0f} %" if sum(packets) else ""


def _protocols(report: dict[str, t.Any]) -> str:
    """The two that have the most packets."""
    parts = [f"{name} {100 * packets / report['packets']:.0f} %" for name, packets in report["protocols"].items()]
    return ", ".join(parts[:2])
