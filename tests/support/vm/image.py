# Copyright (c) 2026, virtnet.rss contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Build the disk of a suite from Debian packages: an ext4 image, its kernel and its initramfs, kept in a cache."""

from __future__ import annotations

import functools
import hashlib
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

from ..cache import cached
from ..debian import mirror
from .suites import Suite

GUEST = Path(__file__).resolve().parent / "guest"
PACKAGES = (
    "apt-utils",
    "bpftool",
    "ethtool",
    "initramfs-tools",
    "iproute2",
    "kmod",
    "lz4",
    "openssh-server",
    "procps",
    "python3",
    "python3-apt",
    "python3-pyroute2",
    "python3-pytest",
    "systemd-sysv",
    "udev",
)
NOT_WANTED = ("/usr/share/doc/*", "/usr/share/info/*", "/usr/share/locale/*", "/usr/share/man/*")
# Timers that would work in the background of a test.
MASKED = ("apt-daily.timer", "apt-daily-upgrade.timer", "dpkg-db-backup.timer", "e2scrub_all.timer", "fstrim.timer")
# What the role installs. The VM reaches no mirror, so the packages lie here, as an archive of their own.
ARCHIVE = "/srv/packages"
FILESYSTEM = ("-t", "ext4", "-O", "^has_journal", "-L", "root")
SIZE = "3G"


def build(suite: Suite) -> Path:
    """The suite's ext4 image, built if the cache has none of this recipe; `vmlinuz` and `initrd.img` lie beside it."""
    return cached("images", suite.name, digest(suite), functools.partial(_build, suite)) / "root.ext4"


def digest(suite: Suite) -> str:
    """Names everything that decides what is in the image, except the place and the day it is built."""
    command = _mmdebstrap(suite, uri="", guest="", root="")
    recipe = hashlib.sha256(repr((command, FILESYSTEM, SIZE)).encode())
    for path in sorted(path for path in GUEST.rglob("*") if path.is_file()):
        recipe.update(f"\0{path.relative_to(GUEST)}\0".encode() + path.read_bytes())
    return recipe.hexdigest()


def _build(suite: Suite, scratch: Path, result: Path) -> None:
    root = scratch / "root"
    _run(*_mmdebstrap(suite, uri=mirror(), guest=str(GUEST), root=str(root)))
    for name in ("vmlinuz", "initrd.img"):
        shutil.copyfile(root / name, result / name)
    _run("mke2fs", "-q", *FILESYSTEM, "-d", str(root), str(result / "root.ext4"), SIZE)


def _mmdebstrap(suite: Suite, *, uri: str, guest: str, root: str) -> list[str]:
    packages = [*PACKAGES, suite.kernel_package, suite.libbpf_package, *suite.packages]
    download = f"apt-get -q download {suite.libbpf_package} python3-pyroute2 && apt-ftparchive packages . > Packages"
    hosts = f"127.0.0.1 localhost {suite.name}"
    return [
        *("mmdebstrap", "--quiet", "--mode=root", "--variant=minbase", "--format=directory"),
        # The mirror may be a snapshot of a past day; what it serves is still verified by its signature.
        '--aptopt=Acquire::Check-Valid-Until "false"',
        *(f"--dpkgopt=path-exclude={path}" for path in NOT_WANTED),
        f"--include={','.join(packages)}",
        # Before the kernel is installed, so that its initramfs is made only once.
        f'--essential-hook=umask 022 && cp -r --no-preserve=mode {shlex.quote(guest)}/. "$1"',
        '--customize-hook=chroot "$1" systemctl --quiet enable vm-network.service',
        f'--customize-hook=chroot "$1" systemctl --quiet mask {" ".join(MASKED)}',
        f'--customize-hook=mkdir "$1{ARCHIVE}" && chroot "$1" sh -c "cd {ARCHIVE} && {download}"',
        f'--customize-hook=echo "deb [trusted=yes] file:{ARCHIVE} ./" > "$1/etc/apt/sources.list"',
        f'--customize-hook=echo {suite.name} > "$1/etc/hostname" && echo {hosts} > "$1/etc/hosts"',
        *(f'--customize-hook=chroot "$1" {hook}' for hook in suite.hooks),
        suite.release,
        root,
        *(f"deb {uri} {name} main" for name in suite.sources),
    ]


def _run(*command: str) -> None:
    subprocess.run(("nice", *command), check=True, stdin=subprocess.DEVNULL, stdout=sys.stderr)
