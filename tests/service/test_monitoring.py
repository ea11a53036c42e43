# SPDX-License-Identifier: GPL-3.0-or-later
"""Prometheus takes the rules, each alarm is raised when it shall be and not otherwise, and the dashboard's queries are
queries of metrics that there are."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path

import pytest

from ansible_collections.virtnet.rss.plugins.module_utils._service.metrics import HELP

MONITORING = Path(__file__).parents[2] / "monitoring"
DASHBOARD = json.loads((MONITORING / "dashboard.json").read_text(encoding="utf-8"))
QUERIES = [target["expr"] for panel in DASHBOARD["panels"] for target in panel["targets"]]
RULES = (MONITORING / "rules.yml").read_text(encoding="utf-8")


@pytest.fixture(scope="session", name="promtool")
def _promtool(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Out of Debian's package, which itself would bring a server along."""
    folder = tmp_path_factory.mktemp("prometheus")
    folder.chmod(0o777)  # apt-get downloads as a user of its own
    subprocess.run(["apt-get", "-qq", "download", "prometheus"], cwd=folder, check=True)
    (package,) = folder.glob("prometheus_*.deb")
    subprocess.run(["dpkg", "-x", str(package), str(folder)], check=True)
    return str(folder / "usr" / "bin" / "promtool")


def run(*command: str) -> None:
    done = subprocess.run(command, cwd=MONITORING, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_rules(promtool: str) -> None:
    run(promtool, "check", "rules", "rules.yml")
    run(promtool, "test", "rules", "rules_test.yml")


def test_each_alarm_is_tested() -> None:
    test = (MONITORING / "rules_test.yml").read_text(encoding="utf-8")
    for alarm in re.findall(r"- alert: (\w+)", RULES):
        assert len(re.findall(rf"alertname: {alarm}\b", test)) == 2, alarm


def test_the_dashboards_queries(promtool: str, tmp_path: Path) -> None:
    """As rules, which promtool parses; `$instance` is the dashboard's variable."""
    rules = [{"record": f"query:{number}", "expr": query} for number, query in enumerate(QUERIES)]
    path = tmp_path / "queries.yml"
    path.write_text(json.dumps({"groups": [{"name": "queries", "rules": rules}]}), encoding="utf-8")
    run(promtool, "check", "rules", str(path))


def test_they_ask_for_metrics_that_there_are() -> None:
    recorded = set(re.findall(r"- record: (\S+)", RULES))
    asked = set(re.findall(r"virtnet_rss[\w:]+", " ".join([*QUERIES, *re.findall(r"expr: .*(?:\n {10}.*)*", RULES)])))
    assert asked <= set(HELP) | recorded and len(asked) > 8
