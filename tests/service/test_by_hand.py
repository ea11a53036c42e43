# SPDX-License-Identifier: GPL-3.0-or-later
"""A host without systemd, where somebody runs the service by hand; and a task on a device that it steers."""

from __future__ import annotations

import subprocess
import typing as t
from pathlib import Path

import pytest

from ansible_collections.virtnet.rss.tests.support.eventually import eventually
from ansible_collections.virtnet.rss.tests.support.held_tap import HeldTap
from ansible_collections.virtnet.rss.tests.support.other_root import OtherRoot
from ansible_collections.virtnet.rss.tests.support.run_module import answer
from ansible_collections.virtnet.rss.tests.support.steered import KEY, OTHER_KEY, RULE, assert_steered

LEFT_ALONE = {"name": "left alone", "match": {"device": "tap1"}, "state": "ignore"}
Run = t.Callable[..., t.Dict[str, t.Any]]


@pytest.fixture
def module(tmp_path: Path) -> t.Iterator[Run]:
    """Runs one on a host that has the role's files, on another root file system, and the service, started by hand."""
    (tmp_path / "other").mkdir()
    with OtherRoot(str(tmp_path / "other")) as host:

        def run(name: str, **options: t.Any) -> dict[str, t.Any]:
            return answer(name, options, wrapper=host.wrapper).result

        told = run("host_steering", rules=[LEFT_ALONE, RULE])
        assert any(warning.startswith("no systemd runs here, so new devices stay") for warning in told["warnings"])
        with subprocess.Popen([*host.wrapper, "virtnet-rss", "run"], stdout=subprocess.DEVNULL) as process:
            eventually(lambda: host.has("/run/virtnet-rss/status.json"), 20)
            yield run
            process.terminate()


def test_a_task_is_told_that_the_service_steers(tap: HeldTap, module: Run) -> None:
    """The task may be wanted for a moment; what comes of it is said."""
    told = module("tap_steering", taps=["tap0"], hash_key=OTHER_KEY.hex())
    assert told["changed"]
    (warning,) = told["warnings"]
    assert warning.startswith("tap0: the service steers this device by rule 'guests' and puts its own program back")
    eventually(lambda: module("tap_steering_info", taps=["tap0"])["taps"][0]["program"]["id"] != program(told), 5)
    assert_steered(tap, KEY)


def program(told: dict[str, t.Any]) -> int:
    return t.cast("int", told["taps"][0]["after"]["program"]["id"])


def test_a_device_that_the_service_leaves_alone_is_the_tasks(tap: HeldTap, module: Run) -> None:
    assert tap.pid
    with HeldTap("tap1", 4):
        told = module("tap_steering", taps=["tap1"], hash_key=OTHER_KEY.hex())
        assert told["changed"] and not told.get("warnings")


def test_absent_names_a_service_that_it_cannot_stop(tap: HeldTap, module: Run) -> None:
    told = module("host_steering", state="absent")
    assert told["failed"] and "a service runs here as process " in told["msg"] and "nothing was changed" in told["msg"]
    assert_steered(tap)
