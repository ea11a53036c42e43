# Copyright (c) 2026, virtnet.rss contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to the collection: every exception that it raises on purpose. Imports nothing of the collection.

from __future__ import annotations

__all__ = (
    "CapabilityError",
    "DeviceError",
    "InputError",
    "ObjectError",
    "ProofError",
    "StateError",
    "VerifierError",
    "VirtnetRssError",
)


class VirtnetRssError(Exception):
    """One sentence for the user; ``errno`` and ``device`` where they are known."""

    def __init__(self, message: str, *, errno: int | None = None, device: str | None = None) -> None:
        super().__init__(message)
        self.errno = errno
        self.device = device


class InputError(VirtnetRssError):
    """A value that an option does not allow."""

    def __init__(self, option: str, value: object, allowed: str) -> None:
        super().__init__(f"{option}: {value!r} is not allowed; {allowed}")
        self.option = option
        self.value = value
        self.allowed = allowed


class DeviceError(VirtnetRssError):
    """A device, its descriptor or its holder does not answer as it must."""


class CapabilityError(VirtnetRssError):
    """This host lacks something: a library, a kernel feature, a privilege."""


class ObjectError(VirtnetRssError):
    """libbpf or the kernel refused an operation on a BPF object."""


class VerifierError(ObjectError):
    """The kernel's verifier refused the program; ``log`` is all that it said."""

    def __init__(self, message: str, *, log: str, errno: int | None = None, device: str | None = None) -> None:
        super().__init__(message, errno=errno, device=device)
        self.log = log


class ProofError(VirtnetRssError):
    """A loaded program did not compute what the reference computes."""


class StateError(VirtnetRssError):
    """The kernel's state is not the one that an operation left behind, or cannot be known."""
