# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

from ansible_collections.virtnet.rss.plugins.plugin_utils._page import page
from ansible_collections.virtnet.rss.plugins.plugin_utils._summary import before_and_after, summary

LOST = {"unreachable": True, "msg": "Failed to connect"}
CHANGED = {"changed": True}
ANSWERS: dict[str, dict[str, t.Any]] = {
    "good": {"rollout_begin": {"supported": True}, "rollout_change": CHANGED},
    "as wanted": {"rollout_begin": {"supported": True}, "rollout_change": {"skipped": True}},
    "unable": {"rollout_begin": {"supported": False}, "rollout_change": CHANGED},
    "back": {"rollout_begin": {"supported": True}, "rollout_change": CHANGED, "rollout_back": {"undone": True}},
    "untouched": {"rollout_begin": {"supported": True}, "rollout_change": LOST, "rollout_back": {"undone": False}},
    "lost": {"rollout_begin": {"supported": True}, "rollout_change": CHANGED, "rollout_back": LOST},
    "blind": {"rollout_begin": {"failed": True, "msg": "why"}},
    "later": {},
}


def test_each_host_is_counted_once_and_named_where_something_is_to_be_done() -> None:
    assert summary([*ANSWERS, "never heard of"], ANSWERS, seconds=60, check=False) == [
        "9 hosts in 60 s:",
        "     2 changed, no guest worse off",
        "     1 as wanted before",
        "     1 rolled back",
        "     1 not changed, in a batch that was rolled back",
        "     1 NOT rolled back: lost",
        "     1 could not be looked at: blind",
        "     2 not reached",
        "     1 cannot steer: unable",
    ]


def test_in_check_mode_nothing_was_changed() -> None:
    assert summary(["good"], ANSWERS, seconds=1, check=True)[1] == "     1 would be changed"


def test_it_fits_a_screen() -> None:
    made = {f"{name} {number}": answer for number in range(1000) for name, answer in ANSWERS.items()}
    lines = summary(list(made), made, seconds=1e6, check=False)
    assert len(lines) <= 10 and max(map(len, lines)) < 100
    assert "  1000 NOT rolled back: lost 0, lost 1, lost 2, lost 3, lost 4 and 995 more" in lines


def looked(state: str) -> dict[str, t.Any]:
    facts = {"supported": True, "reasons": [], "kernel": {"release": "6.1", "meets_minimum": True}, "libbpf": {}}
    return {"report": {"facts": facts, "taps": [], "exact": True, "service": state}}


def test_before_and_after() -> None:
    """The last that a host has said counts; one that was not looked at is not made up, one that was lost is told."""
    answers: dict[str, dict[str, t.Any]] = {
        "good": {"rollout_begin": looked("stopped"), "rollout_judge": looked("running")},
        "as wanted": {"rollout_begin": looked("running"), "rollout_judge": {"skipped": True}},
        "back": {
            "rollout_begin": looked("stopped"),
            "rollout_judge": looked("running"),
            "rollout_back": looked("stopped"),
        },
        "lost": {"rollout_begin": looked("running"), "rollout_judge": LOST},
        "blind": {"rollout_begin": {"failed": True, "msg": "why"}},
        "later": {},
    }
    reports = before_and_after(list(answers), answers)
    services = [{host["name"]: host["service"] or host["status"] for host in report["hosts"]} for report in reports]
    assert services == [
        {"good": "stopped", "as wanted": "running", "back": "stopped", "lost": "running", "blind": "failed"},
        {"good": "running", "as wanted": "running", "back": "stopped", "lost": "unreachable", "blind": "failed"},
    ]
    made = page(reports[1], "After <it>")
    assert "<title>After &lt;it&gt;</title>" in made and '"unreachable"' in made and "{{" not in made
