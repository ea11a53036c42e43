# SPDX-License-Identifier: GPL-3.0-or-later
"""The .deb and the .rpm, built by packaging/build.py."""

from __future__ import annotations

import os
import subprocess
import sys
import typing as t
from pathlib import Path

__all__ = ("OLDER", "Packages", "build")

ROOT = Path(__file__).resolve().parents[2]
DATE = 1764000000
OLDER = "0.0.1"


class Packages(t.NamedTuple):
    deb: Path
    rpm: Path


def build(folder: Path, *version: str) -> Packages:
    """Of this tree, as the version given or the release's."""
    command = [sys.executable, str(ROOT / "packaging" / "build.py"), str(folder), *version]
    environment = {**os.environ, "SOURCE_DATE_EPOCH": str(DATE)}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    (deb,), (rpm,) = folder.glob("*.deb"), folder.glob("*.rpm")
    return Packages(deb, rpm)
