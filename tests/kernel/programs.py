# SPDX-License-Identifier: GPL-3.0-or-later
"""BPF objects for tests: the steering program for every instruction set, and small programs of the tests' own."""

from __future__ import annotations

import functools
import os
import shutil
import subprocess
import typing as t
from pathlib import Path

from ansible_collections.virtnet.rss.plugins.module_utils._bpf.bpf_object import embedded_object
from ansible_collections.virtnet.rss.plugins.module_utils._bpf.generated import steering_object

BPF = Path(__file__).parents[2] / "bpf"
CLANG = os.environ.get("CLANG", "clang-14")
# "shipped" is what the collection carries; the others show that the source does not depend on the compiler's default.
VARIANTS = ("shipped", "v1", "v2", "v3")


@functools.lru_cache(maxsize=None)
def variant(name: str) -> bytes:
    """The steering program for an instruction set (clang -mcpu)."""
    if name == "shipped":
        return embedded_object(steering_object.OBJECTS)
    return _made(f"steering.{name}.o")


@functools.lru_cache(maxsize=None)
def _made(name: str) -> bytes:
    # A VM has no compiler: its harness brings the objects along.
    if shutil.which(CLANG):
        subprocess.run(["make", "-s", "-C", str(BPF), "variants"], check=True)
    return (BPF / "build" / name).read_bytes()


def linear_witness() -> bytes:
    """linear.bpf.c of this folder."""
    return _made("linear.o")


def build(source: Path, *options: str, to: Path) -> bytes:
    """Compile one of the tests' own programs."""
    includes: t.Iterable[Path] = Path("/usr/include").glob("*-linux-gnu")
    command = [CLANG, "-target", "bpf", "-O2", "-g", "-Wall", "-Werror", f"-I{BPF}", *options]
    command += [f"-idirafter{path}" for path in includes]
    subprocess.run([*command, "-c", str(source), "-o", str(to)], check=True)
    return to.read_bytes()
