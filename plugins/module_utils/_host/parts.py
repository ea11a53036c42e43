# Copyright (c) 2026, virtnet.rss contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to the collection: the files that make a host steer, each as it is and as it is wanted.

from __future__ import annotations

import hashlib
import os
import typing as t
from dataclasses import dataclass

from ansible_collections.virtnet.rss.plugins.module_utils._host import packaged
from ansible_collections.virtnet.rss.plugins.module_utils._host.kept_file import KeptFile
from ansible_collections.virtnet.rss.plugins.module_utils._host.unit import UNIT_FILE, unit_text
from ansible_collections.virtnet.rss.plugins.module_utils._policy.managed import Content, ManagedFile
from ansible_collections.virtnet.rss.plugins.module_utils._service.one_file import is_service_file, service_file

__all__ = (
    "POLICY",
    "PROGRAM",
    "UNIT",
    "Part",
    "Wanted",
    "forget_older",
    "older_parts",
    "policy_file",
    "policy_folder",
    "present_parts",
    "unit_file",
    "wanted_parts",
)

POLICY, PROGRAM, UNIT = "policy", "program", "unit"
PROGRAM_MODE, UNIT_MODE = 0o755, 0o644


@dataclass(frozen=True)
class Wanted:
    """What a host shall be; paths are absolute."""

    policy: Content  # of the policy file
    program: str
    folder: str
    metrics_file: str = ""
    measure: bool = False
    wait: float = 30.0  # seconds until every device is as the policy wants it
    packaged: bool = False  # the program and its unit are a package's; ``program`` is where one of ours would be

    @property
    def policy_folder(self) -> str:
        """What the service reads."""
        return policy_folder(self.folder)


class Part(t.NamedTuple):
    """One file; ``keep`` makes what is in force the previous one, ``write`` puts the wanted content in force."""

    name: str
    path: str
    changed: bool
    shown: t.Callable[[], tuple[str, str]]  # before and after, as a diff may show it
    write: t.Callable[[], None]
    keep: t.Callable[[], None] = lambda: None


def policy_folder(folder: str) -> str:
    return os.path.join(folder, "policy.d")


def policy_file(folder: str) -> ManagedFile:
    """The rules that this collection writes; an operator may put files of his own beside it."""
    return ManagedFile(os.path.join(policy_folder(folder), "50-steering.json"))


def program_file(path: str) -> KeptFile:
    """The program of the service."""
    return KeptFile(path, PROGRAM_MODE)


def unit_file() -> KeptFile:
    """Its unit."""
    return KeptFile(UNIT_FILE, UNIT_MODE)


def wanted_parts(wanted: Wanted, *, systemd: bool) -> list[Part]:
    """The policy first: nothing has changed where it is refused, which is an InputError here already."""
    parts = [_policy(wanted), _program(wanted)]
    if systemd:
        parts.append(_kept(UNIT, unit_file(), _unit(wanted), _text))
    return parts


def older_parts(names: t.Collection[str], absent: t.Collection[str], *, program: str, folder: str) -> list[Part]:
    """Of the parts that the last change touched, those that go back: the ``absent``, which were not there before it,
    and those of which the one before is kept. It stays kept: whatever ends this can be done once more."""
    file = policy_file(folder)
    older = Content() if POLICY in absent else file.previous()
    parts = [_change(file, older)] if POLICY in names and (POLICY in absent or older.text is not None) else []
    for name, kept, show in _kept_files(program):
        previous = None if name in absent else kept.previous()
        if name in names and (name in absent or previous is not None):
            parts.append(_kept(name, kept, previous, show))
    return parts


def forget_older(*, program: str, folder: str) -> None:
    """What was before the last change: it is in force again."""
    policy_file(folder).forget()
    for _name, kept, _show in _kept_files(program):
        kept.forget()


def present_parts(*, program: str, folder: str) -> list[Part]:
    """What a removal takes away; to be shown, for it goes as a whole."""
    parts = [_change(policy_file(folder), Content())]
    for name, kept, show in _kept_files(program):
        before = kept.read()
        parts.append(Part(name, kept.path, before is not None, _showing(before, None, show), lambda: None))
    return [part for part in parts if part.shown()[0]]


def _kept_files(program: str) -> tuple[tuple[str, KeptFile, t.Callable[[bytes], str]], ...]:
    return (PROGRAM, program_file(program), _digest), (UNIT, unit_file(), _text)


def _program(wanted: Wanted) -> Part:
    """It is made only where it is not there, and is written or shown: that costs more than the look."""
    file = program_file(wanted.program)
    if wanted.packaged:
        return _kept(PROGRAM, file, None, _digest)
    before = file.read()
    return Part(
        PROGRAM,
        file.path,
        not (file.has_mode() and is_service_file(before or b"")),
        lambda: (_shown(before, _digest), _digest(service_file())),
        lambda: file.write(service_file()),
        file.keep,
    )


def _unit(wanted: Wanted) -> bytes | None:
    """None where the package's does all that is wanted."""
    text = unit_text(
        program=packaged.PROGRAM if wanted.packaged else wanted.program,
        policy_folder=wanted.policy_folder,
        metrics_file=wanted.metrics_file,
        measure=wanted.measure,
    )
    return None if wanted.packaged and text.endswith(f"\n{packaged.unit()}") else text.encode()


def _policy(wanted: Wanted) -> Part:
    file = policy_file(wanted.folder)
    file.check()
    return _change(file, wanted.policy)


def _change(file: ManagedFile, wanted: Content) -> Part:
    change = file.change_to(wanted)
    return Part(
        POLICY,
        file.path,
        change.needed,
        lambda: (change.before.shown(), change.after.shown()),
        lambda: file.apply(change),
        lambda: file.keep(change),
    )


def _kept(name: str, file: KeptFile, content: bytes | None, show: t.Callable[[bytes], str]) -> Part:
    before = file.read()
    return Part(
        name,
        file.path,
        not file.is_as_wanted(content),
        _showing(before, content, show),
        lambda: file.write(content),
        file.keep,
    )


def _showing(
    before: bytes | None, after: bytes | None, show: t.Callable[[bytes], str]
) -> t.Callable[[], tuple[str, str]]:
    return lambda: (_shown(before, show), _shown(after, show))


def _shown(content: bytes | None, show: t.Callable[[bytes], str]) -> str:
    return "" if content is None else show(content)


def _text(content: bytes) -> str:
    return content.decode(errors="replace")


def _digest(content: bytes) -> str:
    return f"sha256 {hashlib.sha256(content).hexdigest()}\n"
