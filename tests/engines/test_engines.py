# SPDX-License-Identifier: GPL-3.0-or-later
"""ansible-runner and ansible-rulebook with the files of examples/, over hosts with busy guests. They are in an
environment of their own, of which the phase `engines` of noxfile.py tells in ENGINES."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import subprocess
import sys
import typing as t
import urllib.error
import urllib.request
from pathlib import Path

import pytest
import yaml

from ansible_collections.virtnet.rss.tests.support.eventually import eventually
from ansible_collections.virtnet.rss.tests.support.namespaces import Fleet
from ansible_collections.virtnet.rss.tests.support.rollouts import GOOD, QUICK, busy_fleet

EXAMPLES = Path(__file__).parents[2] / "examples"
ENGINES = Path(os.environ["ENGINES"])
TOKEN, PORT = "let-me-in", 15055
NOBODY = "all:!localhost"  # a pattern, not a host: it must not reach the inventory


@pytest.fixture
def fleet(tmp_path: Path) -> t.Iterator[Fleet]:
    with busy_fleet(tmp_path, 2, "rssen") as made:
        made.give(QUICK)
        yield made


def environment() -> dict[str, str]:
    return {**os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}", "ANSIBLE_PIPELINING": "true"}


def test_slices_of_ansible_runner(fleet: Fleet) -> None:
    """Two at the same time, each over its part of the inventory, as AWX does it with job_slice_count."""
    folder = fleet.folder / "runner"
    shutil.copytree(EXAMPLES / "runner", folder)
    shutil.copy(fleet.inventory, folder / "inventory" / "hosts.json")
    (folder / "inventory" / "hosts.yml").unlink()
    (folder / "env" / "extravars").write_text(json.dumps({"steering_rules": GOOD}), encoding="utf-8")
    words = [str(ENGINES / "ansible-runner"), "run", str(folder), "--playbook", "virtnet.rss.rollout"]
    slices = [
        subprocess.Popen(
            [*words, "--ident", name, "--limit", name], env=environment(), stdout=subprocess.PIPE, text=True
        )
        for name in fleet.names
    ]
    for name, each in zip(fleet.names, slices, strict=True):
        output, _none = each.communicate(timeout=120)
        assert each.returncode == 0 and "1 of 1 hosts done, 1 in this batch, 1 changed" in output, output
        assert (folder / "artifacts" / name / "status").read_text(encoding="utf-8") == "successful"
    assert fleet.states() == ["steered"] * 2


def test_slices_of_awx(tmp_path: Path) -> None:
    """AWX itself cannot run here. Its job is ansible-runner with the project and the slice's part of the inventory: of
    the hosts by name every nth one (AWX, awx/main/models/inventory.py, get_sliced_hosts)."""
    (play,) = yaml.safe_load((EXAMPLES / "awx" / "job_template.yml").read_text(encoding="utf-8"))
    template = play["tasks"][0]["awx.awx.job_template"]
    count = template["job_slice_count"]
    with busy_fleet(tmp_path, count + 1, "rssaw") as fleet:
        hosts = json.loads(fleet.inventory.read_text(encoding="utf-8"))["all"]["children"]["hypervisors"]["hosts"]
        jobs = []
        for number in range(count):
            folder = tmp_path / f"job{number}"
            shutil.copytree(EXAMPLES / "awx", folder / "project")
            for name, content in {
                "inventory/hosts.json": {
                    "all": {"hosts": {name: hosts[name] for name in sorted(hosts)[number::count]}}
                },
                "env/extravars": {**template["extra_vars"], **QUICK, "steering_rules": GOOD},
                "env/envvars": {"ANSIBLE_FORKS": str(template["forks"])},
            }.items():
                (folder / name).parent.mkdir(exist_ok=True)
                (folder / name).write_text(json.dumps(content), encoding="utf-8")
            words = [str(ENGINES / "ansible-runner"), "run", str(folder), "--playbook", template["playbook"]]
            jobs.append(subprocess.Popen(words, env=environment(), stdout=subprocess.PIPE, text=True))
        said = [job.communicate(timeout=240)[0] for job in jobs]
        assert [job.returncode for job in jobs] == [0] * count, said
        assert ["2 of 2 hosts done" in each for each in said] == [True] + [False] * (count - 1), said
        assert all("1 of 1 hosts done" in each for each in said[1:]), said
        assert fleet.states() == ["steered"] * (count + 1)


def post(alerts: list[dict[str, t.Any]], token: str = TOKEN) -> int:
    """The status of the answer; 0 while nobody listens."""
    request = urllib.request.Request(
        f"http://127.0.0.1:{PORT}/alerts",
        json.dumps({"alerts": alerts}).encode(),
        {"Authorization": f"Bearer {token}", "Content-Type": "application/json"},
    )
    try:
        with urllib.request.urlopen(request, timeout=5) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as exc:
        return exc.code
    except OSError:
        return 0


def alert(name: str, instance: str) -> dict[str, t.Any]:
    return {"status": "firing", "labels": {"alertname": name, "instance": instance}}


def runs_playbooks(process: subprocess.Popen[bytes]) -> bool:
    """They are its children."""
    return subprocess.run(["pgrep", "--parent", str(process.pid)], check=False).returncode == 0


@contextlib.contextmanager
def rulebook(fleet: Fleet) -> t.Iterator[None]:
    variables = fleet.folder / "vars.json"
    given = {"alerts_token": TOKEN, "alerts_port": PORT, "steering_rules": GOOD}
    variables.write_text(json.dumps({**given, "audit_report": str(fleet.folder / "alert")}), encoding="utf-8")
    words = ["--rulebook", str(EXAMPLES / "eda" / "alerts.yml"), "-i", str(fleet.inventory), "--vars", str(variables)]
    with subprocess.Popen([str(ENGINES / "ansible-rulebook"), *words], env=environment()) as process:
        try:
            yield
            # Its playbooks have sessions of their own, and would outlive it.
            eventually(lambda: not runs_playbooks(process), 60, told="a playbook has not come to its end")
        finally:
            process.terminate()


def test_alerts(fleet: Fleet) -> None:
    """One host is steered again, the other is looked at. Who lacks the token, or names no host, has no effect."""
    first, second = fleet.names
    page, record = fleet.folder / f"alert-{second}.html", fleet.folder / first / "etc" / "last-change.json"
    with rulebook(fleet):
        eventually(lambda: post([]) == 200, 60)
        assert post([alert("VirtnetRssStopped", second)], token="guessed") == 401
        said = [alert("VirtnetRssStopped", NOBODY), alert("VirtnetRssNotAsWanted", first)]
        assert post([*said, alert("VirtnetRssUneven", second), alert("Unheard", second)]) == 200
        eventually(page.exists, 60)
        eventually(record.exists, 60)
        eventually(lambda: "accepted" in record.read_text(encoding="utf-8"), 60)
    assert fleet.states() == ["steered", "automatic"]
