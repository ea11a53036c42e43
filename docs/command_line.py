# SPDX-License-Identifier: GPL-3.0-or-later
"""Write virtnet-rss's man page and its completions for bash and zsh, made of the parser, below the folder named.

They lie in roles/steering/files/share, which is the default; tests/service/test_command_line.py tells
when they are not what the parser says any more.
"""

from __future__ import annotations

import argparse
import sys
import typing as t
from pathlib import Path

import shtab
from argparse_manpage.manpage import Manpage  # type: ignore[import-untyped]

from ansible_collections.virtnet.rss.plugins.module_utils._service.parser import EXIT_STATUSES, parser
from ansible_collections.virtnet.rss.plugins.module_utils._service.version import VERSION

SHARE = Path(__file__).resolve().parents[1] / "roles" / "steering" / "files" / "share"
# REUSE-IgnoreStart: the licence is that of the written files
LICENCE = "SPDX-License-Identifier: GPL-3.0-or-later"
# REUSE-IgnoreEnd
MADE = "Made by docs/command_line.py. Do not edit."
DATE = "2026-11-26"  # of the text; a date of today would differ at every run
# Where a completion of the shell's own helps: argparse's metavar and shtab's word for it.
FILES = {"FILE": shtab.FILE, "FOLDER": shtab.DIRECTORY}
TAPS = {
    "bash": "_virtnet_rss_taps",
    "zsh": "($(_virtnet_rss_taps))",
}
# A TAP device has this file; the shell needs nobody's help to list them.
PREAMBLE = {
    shell: """
_virtnet_rss_taps() {
    local flags names=""
    for flags in /sys/class/net/*/tun_flags; do
        [ -e "$flags" ] || continue
        flags=${flags%/tun_flags}
        names="$names ${flags##*/}"
    done
    """
    + done
    + """
}
"""
    for shell, done in (("bash", 'compgen -W "$names" -- "$1"'), ("zsh", 'echo "${=names}"'))
}


def files() -> dict[str, str]:
    """The text of each file, by its path below `share`."""
    return {
        "man/man8/virtnet-rss.8": _man_page(),
        "bash-completion/completions/virtnet-rss": _completion("bash"),
        "zsh/site-functions/_virtnet-rss": _completion("zsh"),
    }


def _man_page() -> str:
    made = parser()
    made.epilog = None  # its statuses get a section of their own
    page = Manpage(made)
    page.date, page.source = DATE, f"virtnet.rss {VERSION}"
    page.description = "keep the packets of KVM guests spread over their queues"
    page.manual, page.section = "virtnet.rss", "8"  # a command of the administrator's
    statuses = [line for number, text in EXIT_STATUSES.items() for line in (".TP", rf"\\fB{number}\\fR", text)]
    return "\n".join([rf".\" {LICENCE}", rf".\" {MADE}", str(page).rstrip("\n"), '.SH "EXIT STATUS"', *statuses, ""])


def _completion(shell: str) -> str:
    made = parser()
    for action in _actions(made):
        if action.metavar == "DEVICE":
            action.complete = TAPS  # type: ignore[attr-defined]
        elif action.metavar in FILES:
            action.complete = FILES[str(action.metavar)]  # type: ignore[attr-defined]
    text = shtab.complete(made, shell=shell, preamble=PREAMBLE[shell])
    first, rest = text.split("\n", 1) if text.startswith("#compdef") else ("", text)
    return "\n".join([*([first] if first else []), f"# {LICENCE}", f"# {MADE}", rest.rstrip("\n"), ""])


def _actions(made: argparse.ArgumentParser) -> t.Iterator[argparse.Action]:
    for action in made._actions:
        yield action
        for command in dict.fromkeys((action.choices or {}).values()) if isinstance(action.choices, dict) else ():
            yield from _actions(command)


if __name__ == "__main__":
    for path, content in files().items():
        target = Path(sys.argv[1] if len(sys.argv) > 1 else SHARE) / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(content, encoding="utf-8")
