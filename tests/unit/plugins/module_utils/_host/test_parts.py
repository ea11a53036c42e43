# SPDX-License-Identifier: GPL-3.0-or-later
"""What a rollback puts back, part by part, and what it says of it beforehand."""

from __future__ import annotations

import typing as t
from pathlib import Path

import pytest

from ansible_collections.virtnet.rss.plugins.module_utils._host import parts
from ansible_collections.virtnet.rss.plugins.module_utils._module.host_policy import wanted_content

OLD = [{"name": "guests", "match": {"device": "vnet*"}}]
NEW = [{"name": "guests", "match": {"device": "vnet*"}, "default_queue": 1}]
ALL = (parts.POLICY, parts.PROGRAM, parts.UNIT)


class Host(t.NamedTuple):
    """Where the parts of a host are."""

    program: str
    folder: str

    def older(self, names: t.Collection[str] = ALL, absent: t.Collection[str] = ()) -> list[parts.Part]:
        return parts.older_parts(names, absent, program=self.program, folder=self.folder)

    def contents(self) -> list[bytes | None]:
        policy = Path(parts.policy_file(self.folder).path).read_bytes()
        return [policy, parts.program_file(self.program).read(), parts.unit_file().read()]


@pytest.fixture
def host(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Host:
    """With a policy, a program and a unit, each of which was changed once."""
    monkeypatch.setattr(parts, "UNIT_FILE", str(tmp_path / "virtnet-rss.service"))
    tmp_path.chmod(0o755)
    made = Host(str(tmp_path / "virtnet-rss"), str(tmp_path / "etc"))
    for rules, version in ((OLD, b"old"), (NEW, b"new")):
        file = parts.policy_file(made.folder)
        change = file.change_to(wanted_content(rules))
        file.keep(change)
        file.apply(change)
        for kept, content in ((parts.program_file(made.program), b"program "), (parts.unit_file(), b"unit ")):
            kept.keep()
            kept.write(content + version)
    return made


def test_all_that_was_changed_goes_back_as_it_was_told(host: Host) -> None:
    found = host.older()
    assert [part.name for part in found] == list(ALL) and all(part.changed for part in found)
    policy, program, unit = found
    before, after = policy.shown()
    assert '"default_queue": 1' in before and "default_queue" not in after
    before, after = program.shown()
    assert before != after and after.startswith("sha256 ")
    assert unit.shown() == ("unit new", "unit old")
    for part in found:
        part.write()
    policy_now, program_now, unit_now = host.contents()
    assert b"default_queue" not in (policy_now or b"") and (program_now, unit_now) == (b"program old", b"unit old")


@pytest.mark.parametrize("name", ALL)
def test_what_the_last_change_did_not_touch_stays(host: Host, name: str) -> None:
    before = host.contents()
    (part,) = host.older([name])
    part.write()
    changed = [now != then for now, then in zip(host.contents(), before)]
    assert changed == [each == name for each in ALL]


def test_it_can_be_done_once_more_until_it_is_forgotten(host: Host) -> None:
    """A rollback that was cut short has put back some of it."""
    for part in host.older():
        part.write()
    assert [(part.name, part.changed) for part in host.older()] == [(name, False) for name in ALL]
    parts.forget_older(program=host.program, folder=host.folder)
    assert host.older() == []


def test_the_program_is_made_where_it_is_shown_or_written(host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    """A look at a new host tells that it is missing, and costs nothing more."""
    made: list[bytes] = []

    def make() -> bytes:
        made.append(b"program of this release")
        return made[-1]

    monkeypatch.setattr(parts, "service_file", make)
    wanted = parts.Wanted(wanted_content(NEW), program=host.program, folder=host.folder)
    _policy, program = parts.wanted_parts(wanted, systemd=False)
    assert program.changed and not made
    assert program.shown()[0] != program.shown()[1] and made
    program.keep()
    program.write()
    assert host.contents()[1] == made[0]


@pytest.mark.parametrize("name", ALL)
def test_what_was_not_there_goes(host: Host, name: str) -> None:
    """Such as a unit beside a package's, or a program in a place of one's own."""
    (part,) = host.older([name], absent=[name])
    assert part.shown()[0] and part.shown()[1] == "" and part.changed
    part.write()
    assert not Path(part.path).exists()
    assert [each.changed for each in host.older([name], absent=[name])] == [False]


def test_a_removal_shows_what_is_there(host: Host) -> None:
    found = parts.present_parts(program=host.program, folder=host.folder)
    assert [(part.name, part.shown()[1]) for part in found] == [(name, "") for name in ALL]
    parts.unit_file().remove()
    found = parts.present_parts(program=host.program, folder=host.folder)
    assert [part.name for part in found] == [parts.POLICY, parts.PROGRAM]
