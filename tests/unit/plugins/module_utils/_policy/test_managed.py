# SPDX-License-Identifier: GPL-3.0-or-later
"""The policy file that a task manages: what a change is, and what it leaves."""

from __future__ import annotations

import json
import typing as t
from pathlib import Path

import pytest

from ansible_collections.virtnet.rss.plugins.module_utils._errors import InputError
from ansible_collections.virtnet.rss.plugins.module_utils._policy import managed
from ansible_collections.virtnet.rss.plugins.module_utils._policy.managed import Content, ManagedFile
from ansible_collections.virtnet.rss.plugins.module_utils._policy.schema import parse_document

KEY = "6d" * 40


def content(*rules: dict[str, t.Any]) -> Content:
    text = json.dumps({"rules": rules})
    return Content(text, parse_document(text, "p"))


OLD, NEW = content({"name": "old", "hash_key": KEY}), content({"name": "new"})


@pytest.fixture
def file(tmp_path: Path) -> ManagedFile:
    return ManagedFile(str(tmp_path / "policy.d" / "50.json"))


def put(file: ManagedFile, after: Content) -> None:
    change = file.change_to(after)
    file.keep(change)
    file.apply(change)


def test_the_first_one(file: ManagedFile) -> None:
    change = file.change_to(NEW)
    assert (change.before, change.after, change.needed, change.replaces) == (Content(), NEW, True, False)
    file.keep(change)
    file.apply(change)
    assert Path(file.path).read_text(encoding="utf-8") == NEW.text
    assert Path(file.path).stat().st_mode & 0o7777 == 0o600
    assert file.previous() == Content()


def test_another_one(file: ManagedFile) -> None:
    put(file, OLD)
    change = file.change_to(NEW)
    assert (change.before, change.needed, change.replaces) == (OLD, True, True)
    file.keep(change)
    file.apply(change)
    assert file.previous() == OLD


def test_the_same_again(file: ManagedFile) -> None:
    put(file, NEW)
    change = file.change_to(NEW)
    assert (change.needed, change.replaces) == (False, False)
    Path(file.path).chmod(0o644)
    assert file.change_to(NEW).needed


def test_the_way_back_keeps_nothing(file: ManagedFile) -> None:
    put(file, OLD)
    put(file, NEW)
    change = file.change_to(file.previous())
    assert change.replaces
    file.apply(change)
    assert file.previous() == OLD and file.change_to(OLD).needed is False


def test_what_is_no_policy_is_told_and_not_kept(file: ManagedFile) -> None:
    put(file, NEW)
    Path(file.path).write_bytes(b'{"rules": [\xff')
    change = file.change_to(NEW)
    assert (change.needed, change.replaces, change.before.shown()) == (True, False, "not a policy\n")
    file.keep(change)
    file.apply(change)
    assert file.previous() == Content()
    Path(file.previous_path).write_text("{", encoding="utf-8")
    with pytest.raises(InputError, match="the document is no JSON"):
        file.previous()


def test_none(file: ManagedFile) -> None:
    assert not file.change_to(Content()).needed
    put(file, OLD)
    put(file, NEW)
    put(file, Content())
    assert not file.change_to(Content()).needed
    Path(file.previous_path).symlink_to("nowhere")
    assert file.change_to(Content()).needed


def test_what_was_removed_by_hand_has_no_older_one(file: ManagedFile) -> None:
    """What is two changes old is not what was there before the last one."""
    put(file, OLD)
    put(file, NEW)
    Path(file.path).unlink()
    put(file, NEW)
    assert file.previous() == Content()


def test_a_key_is_shown_as_its_fingerprint() -> None:
    shown = json.loads(OLD.shown())
    assert shown["rules"][0]["name"] == "old" and shown["rules"][0]["hash_key"].startswith("SHA256:")
    assert KEY not in OLD.shown()
    assert Content().shown() == ""


def test_it_is_read_and_parsed_once(file: ManagedFile, monkeypatch: pytest.MonkeyPatch) -> None:
    """Between two readings the file could change."""
    put(file, OLD)
    calls: list[str] = []

    def counted(function: t.Callable[..., t.Any]) -> t.Callable[..., t.Any]:
        def count(*arguments: t.Any) -> t.Any:
            calls.append(function.__name__)
            return function(*arguments)

        return count

    monkeypatch.setattr(managed, "_read", counted(managed._read))
    monkeypatch.setattr(managed, "parse_document", counted(parse_document))
    change = file.change_to(NEW)
    file.keep(change)
    file.apply(change)
    assert change.before.shown() and change.after.shown()
    assert calls == ["_read", "parse_document"]
