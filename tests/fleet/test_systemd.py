# SPDX-License-Identifier: GPL-3.0-or-later
"""A host where systemd runs, as far as its tool tells: no systemd runs where these tests do, and none can be made to
fail. The tool keeps what it is told, and starts nothing. (The real one: molecule/default, hostile and packages.)"""

from __future__ import annotations

import json
import typing as t
from pathlib import Path

import pytest

from ansible_collections.virtnet.rss.tests.support.namespaces import Fleet
from ansible_collections.virtnet.rss.tests.support.rollouts import GOOD, MORE, busy_fleet
from ansible_collections.virtnet.rss.tests.support.run_module import run_module

TOOL = """#!/bin/sh
state=$(dirname "$0")/state; touch "$state"
echo "$*" >> "$state.log"
[ ! -e "$state.fails" ] || [ "$1" != restart ] || { rm "$state.fails"; echo "it did not start" >&2; exit 1; }
put() { grep -v "^$1=" "$state" > "$state.new"; echo "$1=$2" >> "$state.new"; mv "$state.new" "$state"; }
case "$1" in
    show) echo LoadState=loaded; cat "$state" ;;
    enable) put UnitFileState enabled ;;
    disable) put UnitFileState disabled; [ "$2" != --now ] || put ActiveState inactive ;;
    restart) put ActiveState active ;;
esac
"""
INSIDE = """
mount -t tmpfs tmpfs /run && mkdir -p /run/systemd/system "$0/units" /etc/systemd/system
mount --bind "$0/units" /etc/systemd/system
libraries=$(find /usr/lib* -name "libbpf.so.*" -type f)
[ ! -e "$0/without-libbpf" ] || for file in $libraries; do mount --bind /dev/null $file; done
for place in usr/sbin usr/lib/systemd/system; do
    [ ! -e "$0/package" ] || mount -t overlay overlay -o "lowerdir=$0/package/$place:/$place" "/$place"
done
PATH="$0:$PATH" exec "$@"
"""


class Host:
    """The one host of a fleet, by its module; its devices are steered where the test says so, for no service runs."""

    def __init__(self, fleet: Fleet) -> None:
        self.name, self.folder = fleet.names[0], fleet.folder / fleet.names[0]
        (self.folder / "systemctl").write_text(TOOL, encoding="ascii")
        (self.folder / "systemctl").chmod(0o755)
        self.program, self.unit = self.folder / "virtnet-rss", self.folder / "units" / "virtnet-rss.service"
        self.folder.chmod(0o755)

    def run(self, *, fails: bool = False, check: bool = False, **options: t.Any) -> dict[str, t.Any]:
        given = {"program": str(self.program), "folder": str(self.folder / "etc"), "wait": 0.0, **options}
        inside = ("ip", "netns", "exec", self.name, "unshare", "--mount", "sh", "-e", "-c", INSIDE, str(self.folder))
        result = run_module("host_steering", given, check=check, wrapper=inside)
        assert bool(result.get("failed")) == fails, result
        return result

    @property
    def state(self) -> set[str]:
        return set((self.folder / "state").read_text(encoding="ascii").split())

    def told(self) -> list[str]:
        """What the tool was told since the last time, but for questions."""
        log = self.folder / "state.log"
        lines = [line.split()[0] for line in log.read_text(encoding="ascii").splitlines()]
        log.unlink()
        return [line for line in lines if line != "show"]


RUNS, STOPPED = {"ActiveState=active", "UnitFileState=enabled"}, {"ActiveState=inactive", "UnitFileState=disabled"}


@pytest.fixture(name="host")
def _host(tmp_path: Path) -> t.Iterator[Host]:
    with busy_fleet(tmp_path, 1, "rsssd") as made:
        yield Host(made)


def test_a_rollback_that_was_cut_short_can_be_done_once_more(host: Host) -> None:
    host.run(rules=GOOD)
    host.program.write_text("#!/bin/sh\n# of an older release\n", encoding="ascii")
    older = host.program.read_bytes(), host.unit.read_bytes()
    host.run(rules=MORE, metrics_file=str(host.folder / "new.prom"))
    (host.folder / "state.fails").touch()
    assert "it did not start" in host.run(state="previous", fails=True)["msg"]
    host.told()
    assert host.run(state="previous")["undone"]
    assert (host.program.read_bytes(), host.unit.read_bytes()) == older and host.state == RUNS
    assert host.told() == ["daemon-reload", "restart"]
    assert not host.run(state="previous")["undone"] and not (host.folder / "state.log").exists()


def test_a_change_that_was_cut_short_comes_to_its_end(host: Host) -> None:
    (host.folder / "state").touch()
    (host.folder / "state.fails").touch()
    assert "it did not start" in host.run(rules=GOOD, fails=True)["msg"]
    record = host.folder / "etc" / "last-change.json"
    assert json.loads(record.read_text())["stage"] == "changing"
    assert host.run(rules=GOOD)["changed"] and host.state == RUNS
    assert json.loads(record.read_text())["stage"] == "accepted"


def test_metrics_of_the_change_go_with_it(host: Host) -> None:
    """A file that nobody writes any more is an alarm that never ends."""
    metrics = host.folder / "new.prom"
    host.run(rules=GOOD)
    host.run(rules=GOOD, metrics_file=str(metrics))
    metrics.touch()
    host.run(state="previous")
    assert not metrics.exists() and "prom" not in host.unit.read_text()


def test_a_service_that_was_stopped_is_stopped_again(host: Host) -> None:
    host.run(rules=GOOD)
    (host.folder / "state").write_text("\n".join(STOPPED), encoding="ascii")
    host.run(rules=MORE)
    assert host.state == RUNS
    foretold = host.run(state="previous", check=True)
    assert host.state == RUNS and foretold["changed"]
    host.run(state="previous")
    assert host.state == STOPPED


def test_another_folder_goes_back_to_the_former_ones_policy(host: Host) -> None:
    host.run(rules=GOOD)
    before = host.unit.read_bytes()
    host.run(rules=MORE, folder=str(host.folder / "other"))
    host.run(state="previous", folder=str(host.folder / "other"))
    assert host.unit.read_bytes() == before and not list((host.folder / "other" / "policy.d").glob("*.json"))


def test_what_cannot_be_given_back_keeps_its_program(host: Host) -> None:
    """With libbpf gone nobody can tell what steers a device: removed, it would be steered for ever."""
    host.run(rules=GOOD)
    (host.folder / "without-libbpf").touch()
    failed = host.run(state="absent", fails=True)
    assert "these devices cannot be given back, so the program and the policy stay: tap0: " in failed["msg"]
    assert host.program.exists() and host.unit.exists()
    (host.folder / "without-libbpf").unlink()
    assert host.run(state="absent")["changed"] and not host.program.exists() and not host.unit.exists()


def test_a_package_s_service_with_rules_of_its_own_is_not_new(host: Host) -> None:
    """A rollback takes our policy away, and leaves the service as it was."""
    for place, content in (("usr/sbin/virtnet-rss", "#!/bin/sh\n"), ("usr/lib/systemd/system/virtnet-rss.service", "")):
        path = host.folder / "package" / place
        path.parent.mkdir(parents=True)
        path.write_text(content, encoding="ascii")
        path.chmod(0o755)
    (host.folder / "state").write_text("\n".join(RUNS), encoding="ascii")
    policies = host.folder / "etc" / "policy.d"
    policies.mkdir(parents=True)
    (policies / "10-site.json").write_text(json.dumps({"rules": []}), encoding="ascii")
    (policies / "10-site.json").chmod(0o600)
    of_package: dict[str, t.Any] = {"program": "/usr/sbin/virtnet-rss", "rollout": "1.0"}
    host.run(**of_package, rules=GOOD, step="change")
    assert host.unit.exists()  # its folder is not the package's
    assert host.run(**of_package, state="previous")["undone"]
    assert host.state == RUNS and not host.unit.exists() and "disable" not in host.told()
    assert [path.name for path in policies.iterdir()] == ["10-site.json"]


def test_a_service_that_was_about_to_start_runs_after_a_rollback(host: Host) -> None:
    """Restarted by systemd just when the change began."""
    host.run(rules=GOOD)
    (host.folder / "state").write_text("ActiveState=activating\nUnitFileState=enabled\n", encoding="ascii")
    host.run(rules=MORE)
    host.run(state="previous")
    assert host.state == RUNS
