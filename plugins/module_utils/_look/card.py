# Copyright (c) 2026, virtnet.rss contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to the collection: a device by what its guest calls it, and devices chosen by that.

from __future__ import annotations

import re
import typing as t
from dataclasses import dataclass

from ansible_collections.virtnet.rss.plugins.module_utils._errors import InputError
from ansible_collections.virtnet.rss.plugins.module_utils._names.patterns import compile_pattern

__all__ = ("ANY_CARD", "NO_CARD", "Card", "Chosen")

# Hexadecimal digits, colons and what a pattern has: an address that YAML made a number of has no colon.
MAC = re.compile(r"(?=.*[:*?\[])[0-9a-f:*?\[\]!-]+")


@dataclass(frozen=True)
class Card:
    """The network card behind a device, as far as the arguments of its VMM tell."""

    domain: str = ""  # libvirt's name of the guest
    interface: int | None = None  # index of the card in its guest
    mac: str = ""  # in lower case
    oddity: str = ""  # why nothing could be read of it now


NO_CARD: t.Final = Card()  # nothing is known


@dataclass(frozen=True)
class Chosen:
    """Which cards are meant, by shell patterns; None: any, also where nothing is known of it."""

    domain: str | None = None
    mac: str | None = None

    def __post_init__(self) -> None:
        if self.domain == "":
            raise InputError("domain", self.domain, "it is the name of a guest, or a pattern")
        if self.mac is not None and not MAC.fullmatch(self.mac.lower()):
            raise InputError("mac", self.mac, "it is an address such as '52:54:00:12:34:56', in quotes, or a pattern")
        for word, text in self._given.items():
            compile_pattern(word, text)

    @property
    def is_any(self) -> bool:
        """Nothing of the guest is asked."""
        return self.domain is None and self.mac is None

    def __call__(self, card: Card) -> bool:
        """Whether this card is meant."""
        known = {"domain": card.domain, "mac": card.mac}
        return all(
            known[word] and compile_pattern(word, text).fullmatch(known[word]) for word, text in self._given.items()
        )

    def __str__(self) -> str:
        return " and ".join(f"{word} {text}" for word, text in self._given.items())

    @property
    def _given(self) -> dict[str, str]:
        given = {"domain": self.domain, "mac": self.mac and self.mac.lower()}
        return {word: text for word, text in given.items() if text is not None}


ANY_CARD: t.Final = Chosen()
