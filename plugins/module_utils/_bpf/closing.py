# Copyright (c) 2026, virtnet.rss contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to the collection: what has descriptors, and gives them back at the end of a ``with`` block.

from __future__ import annotations

import abc
import typing as t

__all__ = ("Closing",)

Self = t.TypeVar("Self", bound="Closing")  # typing has its own from Python 3.11 on


class Closing(abc.ABC):
    """Use it in a ``with`` block, or call ``close()``."""

    @abc.abstractmethod
    def close(self) -> None:
        """Give back every descriptor."""

    def __enter__(self: Self) -> Self:
        return self

    def __exit__(self, *_exception: object) -> None:
        self.close()
