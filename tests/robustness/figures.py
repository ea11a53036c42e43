# SPDX-License-Identifier: GPL-3.0-or-later
"""What a long test found, kept for the page that is made of all of them."""

from __future__ import annotations

import argparse
import json
import os
import time
import typing as t
from pathlib import Path

__all__ = ("Figures", "keep", "parser_of")

Figures = t.Dict[str, t.Any]


class Parser(argparse.ArgumentParser):
    """Options that all have in common."""

    def parse_known_args(self, *arguments: t.Any, **options: t.Any) -> t.Any:
        """parse_args() calls it too."""
        parsed, rest = super().parse_known_args(*arguments, **options)
        if os.geteuid():
            self.error("it loads BPF programs and makes TAP devices: run it as root")
        parsed.begin = time.monotonic()
        return parsed, rest


def parser_of(what: str, description: str | None) -> Parser:
    """For `tests/robustness/run WHAT`."""
    parser = Parser(prog=f"tests/robustness/run {what}", description=description)
    parser.add_argument("--figures", type=Path, help="folder for the figures as JSON")
    parser.set_defaults(what=what)
    return parser


def keep(arguments: argparse.Namespace, figures: Figures) -> None:
    """Write them, with the seconds that it took and the command that it was."""
    if arguments.figures:
        arguments.figures.mkdir(parents=True, exist_ok=True)
        told = {"seconds": round(time.monotonic() - arguments.begin), **figures}
        path = arguments.figures / f"{arguments.what}.json"
        path.write_text(json.dumps(told, indent=1) + "\n", encoding="utf-8")
