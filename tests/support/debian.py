# SPDX-License-Identifier: GPL-3.0-or-later
"""Packages of this machine's Debian."""

from __future__ import annotations

import os
import subprocess
import sys

from .cache import lock

__all__ = ("install", "mirror")


def install(*packages: str) -> None:
    """Those that are missing. Where several ask at once, one does it."""
    with lock("packages"):
        missing = [name for name in packages if not _is_installed(name)]
        for words in (["update"], ["install", "--yes", "--no-install-recommends", *missing]) if missing else ():
            _apt_get(*words)


def mirror() -> str:
    """The mirror of this machine's own apt sources; apt knows of none before its first update."""
    found = _mirror()
    if not found:
        _apt_get("update")
        found = _mirror()
    if not found:
        raise RuntimeError("apt knows no Debian mirror")
    return found


def _is_installed(package: str) -> bool:
    query = ["dpkg-query", "--show", "--showformat=${db:Status-Status}", package]
    return subprocess.run(query, check=False, capture_output=True, text=True).stdout == "installed"


def _apt_get(*words: str) -> None:
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    subprocess.run(["apt-get", "-qq", *words], check=True, stdout=sys.stderr, env=environment)


def _mirror() -> str:
    wanted = ("Created-By: Packages", "Origin: Debian", "Component: main")
    listing = subprocess.run(
        ["apt-get", "indextargets", "--format", "$(CODENAME) $(REPO_URI)", *wanted],
        check=True,
        stdout=subprocess.PIPE,
        text=True,
    ).stdout
    for line in listing.splitlines():
        codename, _space, uri = line.partition(" ")
        if "-" not in codename:  # neither -security nor -updates nor -backports
            return uri
    return ""
