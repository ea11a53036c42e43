# Copyright (c) 2026, virtnet.rss contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to the collection: what does not work at the moment, each told once when it begins.

from __future__ import annotations

from ansible_collections.virtnet.rss.plugins.module_utils._service.terminal import complain
from ansible_collections.virtnet.rss.plugins.module_utils._text import cut

__all__ = ("Troubles",)


class Troubles:
    """Sentences by what they are about."""

    def __init__(self) -> None:
        self._now: dict[str, str] = {}

    def tell(self, about: str, sentence: str) -> None:
        """To the log unless it is known; an empty sentence: it is over, and will be told again when it comes back."""
        if sentence and sentence != self._now.get(about):
            complain(cut(sentence))
        self._now[about] = sentence

    def of(self, *about: str) -> list[str]:
        """Those that are there now."""
        return [self._now[each] for each in about if self._now.get(each)]
