# SPDX-License-Identifier: GPL-3.0-or-later
"""The collection's tarball: made to depend on nothing but the files in it, and looked into."""

from __future__ import annotations

import gzip
import io
import tarfile
from pathlib import Path, PurePosixPath

# What is at the top of it. Anything else is a leftover of building or testing, or needs a decision.
TOP = {
    "CHANGELOG.md",
    "COPYING",
    "FILES.json",
    "LICENSES",
    "MANIFEST.json",
    "README.md",
    "REUSE.toml",
    "SECURITY.md",
    "bpf",
    "changelogs",
    "docs",
    "examples",
    "meta",
    "playbooks",
    "plugins",
    "roles",
}
# The programs that are loaded must come with their source, under both their licences.
SOURCES = {"steering.bpf.c", "inspect.bpf.c", "abi.h", "hash.h", "packet.h", "record.h", "Makefile", "embed.py"}
LEFTOVERS = {"__pycache__", "build", "output", ".ansible", ".plugin-cache.yaml"}
DUAL = b"GPL-2.0-only OR BSD-2-Clause"  # in the first line of each


def normalise(archive: Path, date: int) -> None:
    """Give every member one date and owner, sort them, and keep name and date out of the gzip header.

    ansible-galaxy takes the dates from the work tree and the clock, which no two builds share.
    """
    plain = io.BytesIO()
    with tarfile.open(archive) as old, tarfile.open(fileobj=plain, mode="w", format=tarfile.PAX_FORMAT) as new:
        for member in sorted(old, key=lambda member: member.name):
            member.mtime, member.uid, member.gid, member.uname, member.gname = date, 0, 0, "", ""
            member.mode = 0o755 if member.isdir() or member.mode & 0o100 else 0o644
            member.pax_headers = {}
            new.addfile(member, old.extractfile(member) if member.isfile() else None)
    with archive.open("wb") as raw, gzip.GzipFile("", "wb", 9, raw, mtime=0) as packed:
        packed.write(plain.getvalue())


def names(archive: Path) -> list[str]:
    with tarfile.open(archive) as opened:
        return [member.name for member in opened if member.isfile()]


def problems(archive: Path, wanted: set[str]) -> list[str]:
    """What should not be in it, what is missing (of `wanted` too), and sources without both licences."""
    found = names(archive)
    paths = [PurePosixPath(name) for name in found]
    sentences = [f"{path} is not expected in the tarball" for path in paths if path.parts[0] not in TOP]
    sentences += [f"{path} is a leftover" for path in paths if LEFTOVERS & set(path.parts) or path.suffix == ".pyc"]
    needed = (
        wanted
        | {f"bpf/{name}" for name in SOURCES}
        | {f"LICENSES/{name}.txt" for name in ("GPL-2.0-only", "BSD-2-Clause")}
    )
    sentences += [f"{name} is missing in the tarball" for name in sorted(needed - set(found))]
    with tarfile.open(archive) as opened:
        for path in paths:
            member = opened.extractfile(str(path)) if path.parts[0] == "bpf" and path.suffix in (".c", ".h") else None
            if member and DUAL not in member.readline():
                sentences.append(f"{path} is not under both licences of the BPF sources")
    return sentences
