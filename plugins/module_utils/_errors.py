# Copyright (c) 2026, virtnet.rss contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to the collection: every exception that it raises on purpose.

from __future__ import annotations

import os
import typing as t

from ansible_collections.virtnet.rss.plugins.module_utils._text import shown

__all__ = (
    "CapabilityError",
    "DeviceError",
    "InputError",
    "NotThereError",
    "ObjectError",
    "PlaceError",
    "ProofError",
    "StateError",
    "VerifierError",
    "VirtnetRssError",
    "sentence_of",
)


class VirtnetRssError(Exception):
    """One sentence for the user; ``errno`` and ``device`` where they are known."""

    def __init__(self, message: str, *, errno: int | None = None, device: str | None = None) -> None:
        super().__init__(message)
        self.errno = errno
        self.device = device


def sentence_of(error: BaseException) -> str:
    """What is told of an exception that was not raised on purpose: its text may repeat what somebody has written."""
    if isinstance(error, VirtnetRssError):
        return str(error)
    if isinstance(error, OSError):
        return error.strerror or type(error).__name__
    trace = error.__traceback__
    while trace and trace.tb_next:
        trace = trace.tb_next
    place = f" in {os.path.basename(trace.tb_frame.f_code.co_filename)}, line {trace.tb_lineno}" if trace else ""
    return f"{type(error).__name__}{place}"


class InputError(VirtnetRssError):
    """A value that an option does not allow. The sentence repeats a harmless value only: what a user has put into a
    wrong place may be a hash key."""

    def __init__(
        self, option: str, value: object, allowed: str, *, words: t.Iterable[str] | None = None, problem: str = ""
    ) -> None:
        """``words``: the only right ones; of others no letter is repeated but those of a mistyped one. ``problem``
        takes the place of the words about the value."""
        self.option = option
        self.problem = problem or f"{shown(value, words)} is not allowed; {allowed}"
        super().__init__(f"{option}: {self.problem}")

    def at(self, option: str) -> InputError:
        """The same problem, with the place that the user knows."""
        return PlaceError(option, self.problem)


class PlaceError(InputError):
    """What an option or a path names is not as it must be; ``problem`` has a verb of its own and no content."""

    def __init__(self, option: str, problem: str) -> None:
        super().__init__(option, None, "", problem=problem)


class NotThereError(InputError):
    """Nothing has the name that was given; ``problem`` says of what there is none, and where."""

    def __init__(self, option: str, value: object, problem: str) -> None:
        super().__init__(option, value, "", problem=f"{problem}: {shown(value)}")


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
