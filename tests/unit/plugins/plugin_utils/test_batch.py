# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.virtnet.rss.plugins.plugin_utils._batch import (
    Batch,
    Progress,
    after_begin,
    after_judge,
    judged_blindly,
    outcomes,
    progress,
    progress_line,
    undone,
)
from ansible_collections.virtnet.rss.plugins.plugin_utils._time_left import Pace

HOSTS = " hosts done, 18 in this batch, 7 changed"
Answers = t.Dict[str, t.Dict[str, t.Any]]

WELL: dict[str, t.Any] = {
    "rollout_begin": {"would_change": True, "pending": False},
    "rollout_change": {"changed": True, "devices": []},
    "rollout_judge": {"worse": [], "judged": 2},
}
LOST = {"unreachable": True, "msg": "Failed to connect"}


def test_who_is_concerned() -> None:
    answers: Answers = {
        "new": WELL,
        "as wanted": {"rollout_begin": {"would_change": False, "pending": False}},
        "left": {"rollout_begin": {"would_change": False, "pending": True, "since": "2026-11-26T10:00:00Z"}},
    }
    batch = after_begin(list(answers), answers)
    assert batch.concerned == ("new", "left") and not batch.worse
    assert batch.notes == (
        "left: changed by a rollout of 2026-11-26T10:00:00Z without a verdict; judged by what was before it",
    )


UNABLE = {"supported": False, "missing": [], "reasons": ["a seccomp filter refuses bpf()", "no BTF"]}
UNABLE_TOLD = "it cannot steer, so its guests keep what they have: a seccomp filter refuses bpf(); no BTF"


def test_a_host_that_cannot_steer_is_told_with_its_reasons() -> None:
    """Whether something of it changes or not; where libbpf is missing, once it was brought and the host asked again."""
    changing, settled = ({"would_change": would, "pending": False, **UNABLE} for would in (True, False))
    lacking = {**changing, "missing": ["libbpf"]}
    answers: Answers = {
        "changes": {**WELL, "rollout_begin": changing},
        "is as wanted": {"rollout_begin": settled},
        "gets libbpf": {**WELL, "rollout_begin": lacking, "rollout_change": {"changed": True, "supported": True}},
        "gets none": {**WELL, "rollout_begin": lacking, "rollout_change": {"changed": True, **UNABLE}},
        "can": WELL,
    }
    assert after_begin(list(answers), answers).notes == tuple(
        f"{host}: {UNABLE_TOLD}" for host in ("changes", "is as wanted")
    )
    assert after_judge(["gets libbpf", "gets none", "can"], answers, check=False).notes == (
        f"gets none: {UNABLE_TOLD}",
    )
    assert progress(list(answers), answers, 1.0).unable == 3


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        ({"failed": True, "msg": "no such namespace"}, "it cannot be looked at: no such namespace"),
        (LOST, "it does not answer any more"),
        ({}, "it does not answer any more"),
    ],
)
def test_who_cannot_be_looked_at(answer: dict[str, t.Any], why: str) -> None:
    assert after_begin(["a"], {"a": {"rollout_begin": answer}}).worse == (f"a: {why}",)


@pytest.mark.parametrize(
    ("changed", "worse"),
    [
        ({}, []),
        (
            {"rollout_judge": {"worse": ["tap0: no packet reaches the guest any more"], "judged": 1}},
            ["tap0: no packet reaches the guest any more"],
        ),
        ({"rollout_judge": LOST}, ["it does not answer any more"]),
        ({"rollout_judge": {}}, ["it does not answer any more"]),
        ({"rollout_judge": {"failed": True, "msg": "why"}}, ["it cannot be judged: why"]),
        (
            {"rollout_change": {"failed": True, "msg": "why"}, "rollout_judge": {"skipped": True}},
            ["the change failed: why"],
        ),
        ({"rollout_change": LOST, "rollout_judge": {"skipped": True}}, ["it does not answer any more"]),
    ],
)
def test_a_host_is_worse_off_until_it_says_that_it_is_not(changed: dict[str, t.Any], worse: list[str]) -> None:
    batch = after_judge(["a"], {"a": {**WELL, **changed}}, check=False)
    assert batch.worse == tuple(f"a: {text}" for text in worse)


def test_nobody_is_judged_in_check_mode() -> None:
    assert after_judge(["a"], {"a": {**WELL, "rollout_judge": {"skipped": True}}}, check=True) == Batch()


def test_a_guest_without_traffic_is_told() -> None:
    batch = after_judge(["a"], {"a": {**WELL, "rollout_judge": {"worse": [], "judged": 0}}}, check=False)
    assert batch.notes == ("a: no guest had enough packets to be judged by",) and not batch.worse


@pytest.mark.parametrize(
    ("judged", "blindly"), [((0, 0), True), ((0, 3), False), ((None, 0), True), ((None, None), False)]
)
def test_a_batch_of_idle_guests_is_worth_a_warning(judged: tuple[int | None, ...], blindly: bool) -> None:
    told = ({} if number is None else {"worse": [], "judged": number} for number in judged)
    answers: Answers = {host: {**WELL, "rollout_judge": each} for host, each in zip("ab", told, strict=True)}
    assert judged_blindly(["a", "b"], answers) == blindly


def test_what_became_of_the_hosts() -> None:
    answers: Answers = {
        "a": {"rollout_back": {"undone": True}},
        "b": {"rollout_back": LOST},
        "c": {"rollout_back": {"failed": True, "msg": "why"}},
        "d": {"rollout_back": {"undone": False}},
    }
    found = outcomes(list(answers), answers)
    assert found == {
        "a": "Rolled back",
        "b": "NOT rolled back (it does not answer any more)",
        "c": "NOT rolled back (why)",
        "d": "This host is as it was before",
    }
    assert undone({"a": found["a"], "d": found["d"]}) == "Rolled back"
    assert undone(found) == "b: NOT rolled back (it does not answer any more); c: NOT rolled back (why)"


def test_only_the_first_sentences_are_told() -> None:
    assert Batch(tuple("abcdefg")).why == "a; b; c; d; e; and 2 more"


@pytest.mark.parametrize(
    ("progress", "worse", "line"),
    [
        # Batches of 20, four rounds of 5 at once: 40 s of work in the first one, beside 50 s of waiting.
        (Progress(200, 20, 7, 0, 90.0), 0, f"20 of 200{HOSTS}, 180 left, about 14 min more"),
        (Progress(40, 20, 7, 0, 54.0), 0, f"20 of 40{HOSTS}, 20 left, about 54 s more"),
        (Progress(20000, 20, 7, 0, 90.0), 0, f"20 of 20000{HOSTS}, 19980 left, about 25.0 h more"),
        (Progress(200, 20, 7, 0, 40.0), 2, f"20 of 200{HOSTS}, 2 worse"),
        (Progress(20, 20, 7, 0, 40.0), 0, f"20 of 20{HOSTS}"),
        (Progress(20, 20, 7, 3, 40.0), 0, f"20 of 20{HOSTS}, 3 cannot steer"),
    ],
)
def test_progress(progress: Progress, worse: int, line: str) -> None:
    assert progress_line(progress, batch=18, worse=worse, pace=Pace([20], 50.0, 5)) == line
