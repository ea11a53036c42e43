# SPDX-License-Identifier: GPL-3.0-or-later
"""Prometheus takes the rules, each alarm is raised when it shall be and not otherwise, and the dashboard's queries are
queries of metrics that there are."""

from __future__ import annotations

import json
import re
import subprocess
import time
import typing as t
import urllib.parse
import urllib.request
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from ansible_collections.virtnet.rss.plugins.module_utils._service.metrics import HELP
from ansible_collections.virtnet.rss.tests.support.eventually import eventually
from ansible_collections.virtnet.rss.tests.support.held_tap import HeldTap
from ansible_collections.virtnet.rss.tests.support.running import Running
from ansible_collections.virtnet.rss.tests.support.steered import FRAMES, RULE, wait_until_steered

MONITORING = Path(__file__).parents[2] / "monitoring"
DASHBOARD = json.loads((MONITORING / "dashboard.json").read_text(encoding="utf-8"))
QUERIES = [target["expr"] for panel in DASHBOARD["panels"] for target in panel["targets"]]
RULES = (MONITORING / "rules.yml").read_text(encoding="utf-8")


@pytest.fixture(scope="session", name="programs")
def _programs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of prometheus and promtool, out of Debian's package, which installed would start a server."""
    folder = tmp_path_factory.mktemp("prometheus")
    folder.chmod(0o777)  # apt-get downloads as a user of its own
    subprocess.run(["apt-get", "-qq", "download", "prometheus"], cwd=folder, check=True)
    (package,) = folder.glob("prometheus_*.deb")
    subprocess.run(["dpkg", "-x", str(package), str(folder)], check=True)
    return folder / "usr" / "bin"


@pytest.fixture(name="promtool")
def _promtool(programs: Path) -> str:
    return str(programs / "promtool")


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


def grown(text: str, now: float) -> t.Iterator[str]:
    """These metrics as a Prometheus would have seen them in the last ten minutes, with counters that grow."""
    for family in text_string_to_metric_families(text):
        yield f"# TYPE {family.name} {family.type}"
        for sample in family.samples:
            labels = ",".join(f"{name}={json.dumps(value)}" for name, value in {**INSTANCE, **sample.labels}.items())
            for ago in range(600, -1, -15):
                counted = (600 - ago) * PACKETS_A_SECOND if family.type == "counter" else 0
                yield f"{sample.name}{{{labels}}} {sample.value + counted} {now - ago}"
    yield "# EOF"


INSTANCE = {"instance": "hv1:9100", "job": "node"}
PACKETS_A_SECOND = 5000  # into each queue
ADDRESS = "127.0.0.1:9090"


def asked(query: str) -> list[dict[str, t.Any]]:
    words = urllib.parse.urlencode({"query": query.replace("$instance", "hv1.*")})
    with urllib.request.urlopen(f"http://{ADDRESS}/api/v1/query?{words}", timeout=10) as answer:
        return t.cast("list[dict[str, t.Any]]", json.load(answer)["data"]["result"])


@pytest.fixture
def prometheus(programs: Path, tmp_path: Path, service: Running, tap: HeldTap) -> t.Iterator[None]:
    """With the metrics that the service has written of a steered device and of one that is not as wanted, and with the
    rules; in this test's own network namespace."""
    service.write({**RULE, "match": {"device": "tap0"}}, {"match": {"device": "tap*"}, "indirection": {"equal": 9}})
    with HeldTap("tap1", 4):
        service.start("--full", "1")
        wait_until_steered(tap.name)
        tap.send(FRAMES)
        wanted = ("virtnet_rss_excess{", "virtnet_rss_fallback{")
        eventually(lambda: all(name in service.metrics_file.read_text(encoding="utf-8") for name in wanted))
        text = service.metrics_file.read_text(encoding="utf-8")
    (tmp_path / "metrics").write_text("\n".join(grown(text, time.time())) + "\n", encoding="utf-8")
    data = str(tmp_path / "data")
    run(str(programs / "promtool"), "tsdb", "create-blocks-from", "openmetrics", str(tmp_path / "metrics"), data)
    settings = {"global": {"evaluation_interval": "1s"}, "rule_files": [str(MONITORING / "rules.yml")]}
    (tmp_path / "prometheus.yml").write_text(json.dumps(settings), encoding="utf-8")
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    command = [str(programs / "prometheus"), f"--config.file={tmp_path}/prometheus.yml", f"--storage.tsdb.path={data}"]
    command += [f"--web.listen-address={ADDRESS}", "--log.level=error"]
    with subprocess.Popen(command, cwd=tmp_path) as process:
        try:
            eventually(lambda: answers() and asked("virtnet_rss:packets:rate5m"), 30)
            yield
        finally:
            process.terminate()


def answers() -> bool:
    try:
        return bool(asked("vector(1)"))
    except OSError:
        return False


@pytest.mark.usefixtures("prometheus")
def test_the_dashboards_queries_have_answers() -> None:
    """Of a real Prometheus: every panel shows something of this host, each series once."""
    for panel in DASHBOARD["panels"]:
        for target in panel["targets"]:
            found = asked(target["expr"])
            assert found, f"{panel['title']}: {target['expr']}"
            labels = [json.dumps(each["metric"], sort_keys=True) for each in found]
            assert len(labels) == len(set(labels)), panel["title"]
    (busiest,) = (each for each in asked(QUERIES[2]) if each["metric"]["device"] == "tap0")
    assert float(busiest["value"][1]) == pytest.approx(4 * PACKETS_A_SECOND, rel=0.05)
    assert busiest["metric"]["rule"] == RULE["name"]


def test_they_ask_for_metrics_that_there_are() -> None:
    recorded = set(re.findall(r"- record: (\S+)", RULES))
    wanted = set(re.findall(r"virtnet_rss[\w:]+", " ".join([*QUERIES, *re.findall(r"expr: .*(?:\n {10}.*)*", RULES)])))
    assert wanted <= set(HELP) | recorded and len(wanted) > 8
