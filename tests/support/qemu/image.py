# SPDX-License-Identifier: GPL-3.0-or-later
"""Makes what a guest needs from Debian packages, and keeps it in a cache: a kernel with an initramfs, and QEMU 10.

QEMU 7.2 is Debian 12's own and installed; QEMU 10, of its backports, is unpacked beside it.
"""

from __future__ import annotations

import hashlib
import shlex
import shutil
import subprocess
import tempfile
import typing as t
from dataclasses import dataclass
from pathlib import Path

from ansible_collections.virtnet.rss.tests.support.cache import cached
from ansible_collections.virtnet.rss.tests.support.debian import install, mirror

SUITE = "bookworm"
KERNEL = "linux-image-cloud-amd64"
MODULES = ("virtio_pci", "virtio_net")
SHELL = "busybox-static"
# What of this host is used: its QEMU, whose libraries and firmware serve the other, and what builds the initramfs.
HOST_PACKAGES = ("ethtool", "iproute2", "kmod", "qemu-system-x86", "qemu-utils", "util-linux")
QEMU_10 = ("qemu-system-x86", "qemu-system-common", "qemu-system-data")
INIT = Path(__file__).with_name("init")
# Where Debian's packages of the firmware put it, which QEMU 10 shares with the installed QEMU.
FIRMWARE = ("/usr/share/seabios", "/usr/lib/ipxe/qemu")


@dataclass(frozen=True)
class Kernel:
    """What QEMU boots."""

    kernel: Path
    initramfs: Path


@dataclass(frozen=True)
class Qemu:
    """One QEMU: its version, as far as the tests tell them apart, and how to call it."""

    version: str
    command: tuple[str, ...]


def guest_kernel() -> Kernel:
    """Linux 6.1, whose ethtool counts packets for each queue, and an initramfs with busybox and ethtool."""
    folder = cached("guests", "kernel", _digest(INIT.read_bytes()), _build_kernel)
    return Kernel(folder / "vmlinuz", folder / "initramfs")


def qemu_7() -> Qemu:
    """Cannot load its RSS program: the object in it is of a kind that Debian 12's libbpf does not read."""
    return Qemu("7.2", ("qemu-system-x86_64",))


def qemu_10() -> Qemu:
    """Loads its RSS program when it may."""
    install(*HOST_PACKAGES)
    folder = cached("guests", "qemu-10", _digest(), _build_qemu)
    share = [str(folder / "usr/share/qemu"), *FIRMWARE]
    return Qemu("10", (str(folder / "usr/bin/qemu-system-x86_64"), *(part for path in share for part in ("-L", path))))


def _digest(recipe: bytes = b"") -> str:
    return hashlib.sha256(Path(__file__).read_bytes() + recipe).hexdigest()


class Packages:
    """Debian packages of two suites, whatever the machine's own sources offer."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        for name in ("lists/partial", "archives/partial"):
            (folder / name).mkdir(parents=True)
        (folder / "status").touch()
        uri = mirror()
        sources = [f"deb {uri} {suite} main\n" for suite in (SUITE, f"{SUITE}-backports")]
        (folder / "sources.list").write_text("".join(sources))
        settings = {
            "Dir::State": str(folder),
            "Dir::State::Status": str(folder / "status"),
            "Dir::Cache": str(folder),
            "Dir::Etc::SourceList": str(folder / "sources.list"),
            "Dir::Etc::SourceParts": "/dev/null",
            # The mirror may be a snapshot of a past day; what it serves is still verified by its signature.
            "Acquire::Check-Valid-Until": "false",
            "APT::Sandbox::User": "root",  # the scratch folder is root's
        }
        self.options = [part for setting in settings.items() for part in ("-o", "=".join(setting))]
        _run("apt-get", *self.options, "-qq", "--error-on=any", "update")

    def latest(self, package: str) -> str:
        """The package that a metapackage depends on."""
        shown = _run("apt-cache", *self.options, "depends", "--important", package)
        return next(line.split()[1] for line in shown.splitlines() if "Depends:" in line)

    def unpack(self, to: Path, *names: str) -> None:
        """Download packages and unpack their files."""
        with tempfile.TemporaryDirectory(dir=self.folder) as folder:
            _run("apt-get", *self.options, "-qq", "download", *names, cwd=folder)
            for package in Path(folder).glob("*.deb"):
                _run("dpkg", "-x", str(package), str(to))


def _build_kernel(scratch: Path, result: Path) -> None:
    install(*HOST_PACKAGES)
    packages, unpacked, root = Packages(scratch / "apt"), scratch / "unpacked", scratch / "root"
    packages.unpack(unpacked, packages.latest(KERNEL), SHELL)
    (image,) = (unpacked / "boot").glob("vmlinuz-*")
    release = image.name.partition("-")[2]
    shutil.copy(image, result / "vmlinuz")

    (root / "bin").mkdir(parents=True)
    shutil.copy(unpacked / "bin/busybox", root / "bin")
    (root / "bin/sh").symlink_to("busybox")
    shutil.copy(INIT, root / "init")
    (root / "init").chmod(0o755)
    _add_modules(unpacked, root, release)
    _add_program(Path(t.cast("str", shutil.which("ethtool"))), root)
    archive = f"find . | bin/busybox cpio -o -H newc > {shlex.quote(str(result / 'initramfs'))}"
    _run("sh", "-c", archive, cwd=str(root))


def _add_modules(unpacked: Path, root: Path, release: str) -> None:
    """The modules and what they depend on, with an index of their own."""
    _run("depmod", "-b", str(unpacked), release)
    for module in MODULES:
        needed = _run("modprobe", "-d", str(unpacked), "-S", release, "--show-depends", module)
        for line in needed.splitlines():
            kind, _space, path = line.partition(" ")
            if kind == "insmod":  # otherwise it is built in
                source = Path(path.strip())
                target = root / source.relative_to(unpacked)
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(source, target)
    for index in ("modules.order", "modules.builtin"):
        shutil.copy(unpacked / "lib/modules" / release / index, root / "lib/modules" / release)
    _run("depmod", "-b", str(root), release)


def _add_program(program: Path, root: Path) -> None:
    """A program of this host with its libraries, at the paths where its loader looks for them."""
    shutil.copy(program, root / "bin")
    for word in _run("ldd", str(program)).split():
        if word.startswith("/"):
            target = root / word[1:]
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(word, target)


def _build_qemu(scratch: Path, result: Path) -> None:
    Packages(scratch / "apt").unpack(result, *(f"{name}/{SUITE}-backports" for name in QEMU_10))


def _run(*command: str, cwd: str | None = None) -> str:
    done = subprocess.run(command, check=False, cwd=cwd, stdin=subprocess.DEVNULL, capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"{shlex.join(command)} exited with {done.returncode}\n{done.stdout}{done.stderr}")
    return done.stdout
