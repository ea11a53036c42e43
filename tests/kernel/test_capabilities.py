# SPDX-License-Identifier: GPL-3.0-or-later
"""tap_steering with exactly the capabilities that its documentation names, and without each of them in turn."""

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.virtnet.rss.tests.robustness.matrix import look
from ansible_collections.virtnet.rss.tests.support.held_tap import HeldTap
from ansible_collections.virtnet.rss.tests.support.run_module import run_module

# By number: tools older than a capability do not know its name.
NEEDED = {"CAP_NET_ADMIN": 12, "CAP_SYS_PTRACE": 19, "CAP_SYS_ADMIN": 21, "CAP_PERFMON": 38, "CAP_BPF": 39}
BESIDES_SYS_ADMIN = NEEDED.keys() - {"CAP_SYS_ADMIN"}


def attach(tap: HeldTap, names: t.Iterable[str], **options: t.Any) -> dict[str, t.Any]:
    kept = "".join(f",+cap_{NEEDED[name]}" for name in names)
    wrapper = ("setpriv", "--inh-caps=-all", f"--bounding-set=-all{kept}")
    return run_module("tap_steering", {"taps": [tap.name], **options}, wrapper=wrapper)


def test_all_of_them(tap: HeldTap) -> None:
    for changed in (True, False):
        result = attach(tap, NEEDED)
        assert (result.get("failed", False), result["changed"], result["warnings"]) == (False, changed, [])
        assert result["taps"][0]["state"] == look(tap.name).state == "steered"


def test_without_net_admin_it_stays_automatic(tap: HeldTap) -> None:
    result = attach(tap, NEEDED.keys() - {"CAP_NET_ADMIN"})
    assert result["taps"][0]["action"] == "fallback"
    assert "CAP_NET_ADMIN" in result["taps"][0]["fallback"]["reason"]
    assert look(tap.name).state == "automatic"


# CAP_SYS_ADMIN stands for CAP_BPF and CAP_PERFMON.
@pytest.mark.parametrize("missing", ["CAP_PERFMON", "CAP_BPF"])
def test_one_that_looking_needs(tap: HeldTap, missing: str) -> None:
    """What steers the device cannot be told, so it is left alone, and the run says so by failing."""
    result = attach(tap, BESIDES_SYS_ADMIN - {missing})
    assert result["failed"] and not result["changed"] and "is missing" in result["msg"]
    assert result["taps"][0]["action"] == "keep"
    assert look(tap.name).state == "automatic"


def test_without_sys_ptrace_it_joins(tap: HeldTap) -> None:
    """No descriptor can be copied; the device is joined for an instant instead, which is told."""
    result = attach(tap, NEEDED.keys() - {"CAP_SYS_PTRACE"})
    (warning,) = result["warnings"]
    assert result["taps"][0]["reached"] == "joined" and "joined for an instant" in warning
    assert look(tap.name).state == "steered"


def test_without_sys_admin_a_program_cannot_be_recognised(tap: HeldTap) -> None:
    """So it is attached where there is none, and left alone where there is one: it may be somebody else's."""
    first = attach(tap, BESIDES_SYS_ADMIN)
    assert (first["changed"], first["warnings"], first["taps"][0]["state"]) == (True, [], "steered")
    again = attach(tap, BESIDES_SYS_ADMIN)
    assert (again["changed"], again["taps"][0]["action"]) == (False, "keep")
    assert "cannot be read: bpf_prog_get_fd_by_id: Operation not permitted (CAP_SYS_ADMIN is missing)" in str(again)
    told_to = attach(tap, BESIDES_SYS_ADMIN, foreign="replace")
    assert (told_to["changed"], told_to["warnings"], told_to["taps"][0]["state"]) == (True, [], "steered")
    assert look(tap.name).state == "steered"
