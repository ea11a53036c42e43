# SPDX-License-Identifier: GPL-3.0-or-later
"""BPF objects for tests: the steering program for every instruction set, and small programs of the tests' own."""

from __future__ import annotations

import functools
import os
import shutil
import subprocess
import typing as t
import zlib
from pathlib import Path

from ansible_collections.virtnet.rss.plugins.module_utils._bpf.generated.steering_abi import RODATA_SIZE
from ansible_collections.virtnet.rss.plugins.module_utils._bpf.libbpf import load_libbpf
from ansible_collections.virtnet.rss.plugins.module_utils._bpf.steering_builds import (
    DIRECT,
    HELPER,
    PLAIN,
    SteeringObject,
)
from ansible_collections.virtnet.rss.plugins.module_utils._bpf.steering_program import direct_tag
from ansible_collections.virtnet.rss.plugins.module_utils._program.rodata import nobodys

BPF = Path(__file__).parents[2] / "bpf"
CLANG = os.environ.get("CLANG", "clang-14")
# What the collection carries; the others show that the source does not depend on the compiler's default.
SHIPPED, INSTRUCTION_SETS = "shipped", ("v1", "v2", "v3")


@functools.lru_cache(maxsize=None)
def builds() -> tuple[str, ...]:
    """Each way of reading packets that this kernel takes, shipped and for each instruction set: ``direct v1``."""
    reads = (DIRECT, HELPER) if direct_tag(load_libbpf(), PLAIN, nobodys(PLAIN)) else (HELPER,)
    return tuple(f"{way} {variant}" for way in reads for variant in (SHIPPED, *INSTRUCTION_SETS))


def shipped_builds() -> tuple[str, ...]:
    """Those of them that the collection carries."""
    return tuple(name for name in builds() if name.endswith(SHIPPED))


@functools.lru_cache(maxsize=None)
def build_named(name: str, kind: SteeringObject = PLAIN) -> bytes:
    """The ELF of one of builds(), of one of the objects."""
    reads, variant = name.split()
    if variant == SHIPPED:
        return kind.elf(reads)
    words = ["steering", *([kind.name] if kind is not PLAIN else []), *(["direct"] if reads == DIRECT else [])]
    return _made(f"{'_'.join(words)}.{variant}.o")


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


def formal_program(queue: str) -> bytes:
    """formal.bpf.c of this folder, with this as what it computes."""
    target = BPF / "build" / f"formal.{zlib.crc32(queue.encode()):08x}.o"
    # A VM has no compiler: the objects of the last run with one have come along.
    if shutil.which(CLANG):
        target.parent.mkdir(exist_ok=True)
        source = Path(__file__).with_name("formal.bpf.c")
        build(source, f"-DRODATA_SIZE={RODATA_SIZE}", f"-DQUEUE={queue}", to=target)
    return target.read_bytes()
