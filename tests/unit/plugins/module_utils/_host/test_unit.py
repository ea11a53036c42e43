# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest

from ansible_collections.virtnet.rss.plugins.module_utils._host.unit import metrics_file_of, unit_text


@pytest.mark.parametrize("metrics", ["", "/var/lib/node-exporter/virtnet-rss.prom"])
@pytest.mark.parametrize("measure", [True, False])
def test_the_unit_tells_where_its_metrics_are(metrics: str, measure: bool) -> None:
    text = unit_text(program="/opt/v", policy_folder="/etc/v/policy.d", metrics_file=metrics, measure=measure)
    (command,) = (line for line in text.splitlines() if line.startswith("ExecStart="))
    assert command.startswith("ExecStart=/opt/v run --policy /etc/v/policy.d")
    assert command.endswith(" --measure") == measure
    assert metrics_file_of(text.encode()) == metrics
    assert ("ReadWritePaths=/run -/var/lib/node-exporter\n" in text) == bool(metrics)
    assert "{" not in text


def test_no_unit_has_no_metrics() -> None:
    assert metrics_file_of(None) == ""


def test_a_mistake_of_ours_stays_small() -> None:
    """K6, row 8: molecule/hostile asks systemd for the same."""
    lines = unit_text(program="/p", policy_folder="/f", metrics_file="", measure=False).splitlines()
    assert {"MemoryMax=1G", "TasksMax=32", "LimitCORE=0", "KillMode=process"} <= set(lines)
