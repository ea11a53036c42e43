# Copyright (c) 2026, virtnet.rss contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The Debian systems that the tests boot, oldest kernel first."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass


@dataclass(frozen=True)
class Suite:
    """One system to build, and what it must turn out to be."""

    name: str
    kernel: str
    libbpf: str
    python: str
    backports: bool = False
    packages: tuple[str, ...] = ()
    hooks: tuple[str, ...] = ()  # commands in the finished system, before it becomes an image

    @property
    def release(self) -> str:
        """The Debian release below the backports, or below the packages that are added."""
        return self.name.partition("-")[0]

    @property
    def sources(self) -> tuple[str, ...]:
        """The archives that its packages come from."""
        return (self.release, self.name) if self.backports else (self.release,)

    @property
    def libbpf_package(self) -> str:
        return "libbpf0" if self.libbpf.startswith("0.") else "libbpf1"

    @property
    def kernel_package(self) -> str:
        return "linux-image-cloud-amd64" + (f"/{self.name}" if self.backports else "")


# The versions are beginnings and claims: a VM that comes up with others fails, so we notice when a suite moves on.
SUITES: t.Final = (
    Suite(name="bullseye", kernel="5.10", libbpf="0.3", python="3.9"),
    Suite(name="bookworm", kernel="6.1", libbpf="1.1", python="3.11"),
    Suite(name="bookworm-backports", kernel="6.12", libbpf="1.1", python="3.11", backports=True),
    Suite(name="trixie", kernel="6.12", libbpf="1.5", python="3.13"),
    Suite(name="forky", kernel="7", libbpf="1.7", python="3.14"),
    Suite(name="trixie-backports", kernel="7", libbpf="1.5", python="3.13", backports=True),
)

# Where real guests run, under AppArmor where libvirt starts them. It is none of SUITES, whose kernel it shares.
HYPERVISOR: t.Final = Suite(
    name="trixie-hypervisor",
    kernel="6.12",
    libbpf="1.5",
    python="3.13",
    packages=(
        "apparmor",
        "libvirt-clients",
        "libvirt-daemon-driver-qemu",
        "libvirt-daemon-system",
        "qemu-system-x86",
        "qemu-utils",
    ),
)

# What other users may do is confined there: by AppArmor, which Debian turns on, with libvirt's profiles, or with the
# kernel's argument `security=selinux` by Debian's own policy, for which all files are labelled. It is none of SUITES.
HARDENED: t.Final = Suite(
    name="bookworm-hardened",
    kernel="6.1",
    libbpf="1.1",
    python="3.11",
    packages=(
        "apparmor",
        "libvirt-daemon-system",
        "policycoreutils",
        "python3-selinux",
        "selinux-policy-default",
        "selinux-utils",
    ),
    hooks=("setfiles -F /etc/selinux/default/contexts/files/file_contexts /",),
)


# Guests are ports of a switch there, with Debian's kernel module. It is none of SUITES either.
SWITCH: t.Final = Suite(
    name="trixie-openvswitch", kernel="6.12", libbpf="1.5", python="3.13", packages=("openvswitch-switch",)
)

# Guests, and the service, are in containers there. It is none of SUITES either.
CONTAINERS: t.Final = Suite(
    name="trixie-containers",
    kernel="6.12",
    libbpf="1.5",
    python="3.13",
    packages=("apparmor", "catatonit", "crun", "dbus", "podman"),
)


def find(name: str) -> Suite:
    """The suite of that name, or LookupError with the names there are."""
    known = (*SUITES, HYPERVISOR, HARDENED, SWITCH, CONTAINERS)
    for suite in known:
        if suite.name == name:
            return suite
    raise LookupError(f"no suite {name!r}; there are: {', '.join(suite.name for suite in known)}")
